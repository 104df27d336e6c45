chmod 6755 a.txt; chmod 2770 dir/sub
