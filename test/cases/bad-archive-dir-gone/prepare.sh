mkdir d; tar -cf archive.tar d; rmdir d; ln -s /nowhere d; tar -rf archive.tar d
