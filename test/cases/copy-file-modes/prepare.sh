chmod 600 a.txt; chmod 755 b.txt; chmod 4755 c.md; chmod 1777 dir; chmod 2750 dir/sub; chmod 0 dir/x
