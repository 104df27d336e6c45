/**
 * What every launcher of ours gives to Node. Two of them cannot import it, and are held equal by a test:
 * scripts/bootstrap.sh, a shell script, and src/cli/bin.js, which any Node runs.
 */
export const NODE_FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  // Half of V8's usual space for young objects saves 30 MiB at the peak and costs next to nothing.
  '--max-semi-space-size=8',
];
