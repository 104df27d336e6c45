import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import { capture } from '../../scripts/lib/shell.ts';
import { PATIENCE_MS } from '../../src/core/testing.ts';
import type { CliResult } from './envbuilder.ts';
import { projectRoot } from './envbuilder.ts';

const program = join(projectRoot, 'node_modules/@devcontainers/cli/devcontainer.js');

/** Runs `devcontainer`, the reference implementation of the Dev Container Specification, in the version of package.json. */
export async function referenceCli(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string | undefined>> } = {},
): Promise<CliResult> {
  const { code, stdout, stderr } = await capture(process.execPath, [program, ...args], {
    timeoutMs: PATIENCE_MS,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { NO_COLOR: '1', NODE_OPTIONS: undefined, NODE_TEST_CONTEXT: undefined, ...options.env },
  });
  return { code, stdout: stdout.toString(), stderr, output: `${stdout.toString()}\n${stderr}` };
}

/** A `docker` for the reference implementation whose builds and containers use the host's network: our engine has no other. */
export function dockerForReference(docker: DockerEngine, dir: string): string {
  const file = join(dir, 'docker-with-network');
  const script = `#!/bin/sh
if [ "$1 $2" = "buildx build" ]; then
  shift 2
  exec '${docker.command}' buildx build --network=host --provenance=false "$@"
fi
if [ "$1" = run ]; then
  shift
  exec '${docker.command}' run --network=host "$@"
fi
# It waits for a start that may be over before this program listens, and then for ever.
if [ "$1" = events ]; then
  shift
  exec '${docker.command}' events --since "$(($(date +%s) - 10))" "$@"
fi
exec '${docker.command}' "$@"
`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
}
