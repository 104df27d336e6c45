chmod 711 dir
