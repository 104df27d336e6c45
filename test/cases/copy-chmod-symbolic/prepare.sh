chmod 666 a.txt; chmod 700 dir/x
