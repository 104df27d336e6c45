chmod 1777 rootfs/tmp
chmod 750 rootfs
