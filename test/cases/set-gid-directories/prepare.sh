mkdir -p d/sub; echo f > f; echo g > d/sub/g; tar -cf f.tar d/sub/g
