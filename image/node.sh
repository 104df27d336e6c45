#!/bin/sh
# Runs a script with the Node of a checkout, on the C library of the packages that packages.sh laid out.
# Usage: node.sh PACKAGES CHECKOUT SCRIPT [ARGUMENTS...]
set -eu
packages=$1 checkout=$2
shift 2
case $(uname -m) in
  x86_64) triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 arch=x64 ;;
  aarch64) triplet=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 arch=arm64 ;;
  *) echo "node.sh: the image is made for x86_64 and aarch64 only" >&2; exit 1 ;;
esac
libraries=$packages/root/usr/lib/$triplet
exec "$libraries/$loader" --library-path "$libraries" "$checkout/node_modules/node-linux-$arch/bin/node" \
  --disable-warning=ExperimentalWarning "$@"
