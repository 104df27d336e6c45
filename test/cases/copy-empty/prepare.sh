mkdir -p d1/d2
