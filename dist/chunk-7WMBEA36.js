function release({buffer,length},spare=0){buffer instanceof ArrayBuffer&&length>=buffer.byteLength-spare&&buffer.transfer(0)}export{release};
