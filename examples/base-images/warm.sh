#!/bin/sh
# Fetches the images that a file lists into a directory of base images. Fit for cron: it may run again at any time, prints
# only what was new, and on a failure what went wrong; images that can be fetched are fetched all the same.
#   warm.sh LIST DIR [option of `envbuilder warm`]…
set -euf

list=$1
dir=$2
shift 2

# One reference a line; what follows # is a comment.
images=$(sed 's/#.*//' "$list")
log=$(mktemp)
trap 'rm -f "$log"' EXIT

code=0
# The list is meant to be split into words.
# shellcheck disable=SC2086
lines=$(envbuilder warm --cache-dir "$dir" --progress plain "$@" $images 2>"$log") || {
  code=$?
  cat "$log" >&2
}
printf '%s\n' "$lines" | grep '^fetched' || :
exit "$code"
