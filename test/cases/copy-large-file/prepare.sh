seq 1 5500000 > big
