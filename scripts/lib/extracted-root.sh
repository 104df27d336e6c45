#!/bin/sh
# Makes $1 (extracted packages) the root directory of a private mount namespace, then runs the rest of the line there.
# Run below `unshare --mount --pid`, so that nothing of it stays when that ends. $2 is the directory that both sides see
# under the same path.
set -eu
root=$1 state=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp" "$root/old-root"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$state"
mount --bind "$state" "$root$state"
cp -L /etc/hosts /etc/resolv.conf "$root/etc/" 2>/dev/null || :
cd "$root"
pivot_root . old-root
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp
exec "$@"
