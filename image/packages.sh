#!/bin/sh
# Downloads the Debian packages that the image takes files from, and lays them out in a directory; nothing is installed.
# Usage: packages.sh LOCK OUT
# LOCK has a line for every package: architecture, name, version, sha256 of the .deb. A version that the mirror no longer
# has is replaced by the newest with a warning, or is an error when LOCKED=1. OUT/packages.lock says what was taken.
set -eu
mkdir -p "$2"
lock=$(readlink -f "$1") out=$(readlink -f "$2")
arch=${ARCH:-$(dpkg --print-architecture)}
suite=trixie
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/debs" "$out/root"
: >"$state/status"
key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
cat >"$state/sources" <<END
deb $key ${MIRROR:-http://deb.debian.org/debian} $suite main
deb $key ${MIRROR:-http://deb.debian.org/debian} $suite-updates main
deb $key ${SECURITY_MIRROR:-http://deb.debian.org/debian-security} $suite-security main
END
apt() {
  apt-get -qq -o Dir::Etc::SourceList="$state/sources" -o Dir::Etc::SourceParts=/dev/null -o Dir::State="$state" \
    -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" -o Debug::NoLocking=true \
    -o APT::Sandbox::User=root -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}
apt update
cd "$state/debs"
locked=$(awk -v arch="$arch" '$1 == arch { print $2 "=" $3 }' "$lock")
names=$(awk -v arch="$arch" '$1 == arch { print $2 }' "$lock")
[ -n "$names" ] || { echo "packages.sh: $lock names no package for $arch" >&2; exit 1; }
if [ -n "${NEWEST:-}" ]; then
  apt download $names
elif ! apt download $locked 2>"$state/log"; then
  cat "$state/log" >&2
  if [ "${LOCKED:-0}" = 1 ]; then
    echo 'packages.sh: the mirror lacks versions that image/packages.lock names' >&2
    exit 1
  fi
  echo 'packages.sh: some locked versions are gone from the mirror; taking the newest of those' >&2
  for package in $locked; do
    apt download "$package" 2>/dev/null || apt download "${package%%=*}"
  done
fi
for deb in *.deb; do
  name=$(dpkg-deb --field "$deb" Package) version=$(dpkg-deb --field "$deb" Version)
  sum=$(sha256sum "$deb" | cut -d' ' -f1)
  if [ -z "${NEWEST:-}" ]; then
    known=$(awk -v arch="$arch" -v name="$name" -v version="$version" \
      '$1 == arch && $2 == name && $3 == version { print $4 }' "$lock")
    if [ -n "$known" ] && [ "$known" != "$sum" ]; then
      echo "packages.sh: $name $version has sha256 $sum, but image/packages.lock says $known" >&2
      exit 1
    fi
  fi
  echo "$arch $name $version $sum"
  dpkg-deb -x "$deb" "$out/root"
done >"$out/packages.lock"
# What no file of the image comes from.
rm -rf "$out/root/etc" "$out/root/var" "$out/root/usr/sbin" "$out/root/usr/lib/systemd"
find "$out/root/usr/share" -type f ! -path '*/doc/*/copyright' -delete
find "$out/root/usr/share" -type l ! -path '*/doc/*' -delete
find "$out/root/usr/share" -type d -empty -delete
