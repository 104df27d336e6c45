var silent=()=>{};async function timed(emit,phase,work){let start=performance.now();try{return await work()}finally{emit({type:"phase",phase,ms:performance.now()-start})}}export{silent,timed};
