truncate -s 3000000 sparse; echo end >> sparse; truncate -s 6000000 sparse
