chown -R 1234:5678 .
