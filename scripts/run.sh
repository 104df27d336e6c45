#!/bin/sh
# Runs a TypeScript script under the pinned Node, after installing the locked dependencies when they are missing.
# Usage: sh scripts/run.sh <script.ts> [args...]   (any Node >= 20 and npm must be on PATH)
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/bootstrap.sh"
script=$1
shift
case $script in /*) ;; *) script=$root/$script ;; esac
exec "$ENVBUILDER_NODE" $ENVBUILDER_NODE_FLAGS "$script" "$@"
