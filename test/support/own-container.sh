# Makes a container of our runtime image without an engine and runs a script of the checkout in it, as process 1, with
# Docker's default capabilities. Run by unshare --mount --pid --fork, as:
# sh own-container.sh DIR CHECKOUT SHARED SCRIPT KIND, where KIND is what the root file system is
set -eu
dir=$1 checkout=$2 shared=$3 script=$4 kind=$5
root=$dir/root
mount --make-rprivate /
mkdir -p "$root" "$dir/upper" "$dir/work"
case $kind in
  shared) mount -t tmpfs tmpfs "$root" ;;
  disk)
    truncate -s 16M "$dir/disk"
    mkfs.ext4 -q "$dir/disk"
    mount -o loop "$dir/disk" "$root"
    ;;
  *) mount -t overlay overlay -o "lowerdir=$dir/image,upperdir=$dir/upper,workdir=$dir/work" "$root" ;;
esac
if [ ! -e "$root/.envbuilder" ]; then
  mkdir "$root/.envbuilder"
  mount --bind "$dir/image/.envbuilder" "$root/.envbuilder"
fi
mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/etc" "$root/.envbuilder/checkout" "$root$shared"
mount --bind "$checkout" "$root/.envbuilder/checkout"
mount -o remount,bind,ro "$root/.envbuilder/checkout"
mount --bind "$shared" "$root$shared"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for name in resolv.conf hosts hostname; do
  touch "$dir/$name" "$root/etc/$name"
  cat "/etc/$name" >"$dir/$name" 2>/dev/null || :
  mount --bind "$dir/$name" "$root/etc/$name"
done
if [ -f "$dir/prepare.sh" ]; then root=$root . "$dir/prepare.sh"; fi
if [ "$kind" = chroot ]; then
  # Not exec: process 1 keeps its own root, as on a host.
  ENVBUILDER_TEST_ENTERED=1 chroot "$root" /.envbuilder/bin/node "/.envbuilder/checkout/test/support/$script"
  exit
fi
cd "$root"
pivot_root . .
# The old root is taken away by the script, for no umount program is left.
exec /.envbuilder/bin/node --disable-warning=ExperimentalWarning "/.envbuilder/checkout/test/support/$script"
