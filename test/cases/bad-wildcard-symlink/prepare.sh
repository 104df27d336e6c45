mkdir dir; echo x > dir/x; ln -s nowhere dir/broken
