echo f > file; ln -s ../x up
tar -cf archive.tar up; tar -P --transform='s,^file$,up/file,' -rf archive.tar file
