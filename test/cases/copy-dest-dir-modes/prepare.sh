mkdir -m 2770 set; mkdir -m 1777 set/sub; echo x > set/sub/x; chmod 640 set/sub/x
