import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT_CODES } from '../src/core/error.ts';
import { createSandbox } from './support/sandbox.ts';

/** Too long for any file system, and a path too long for any system call. */
const NAME = 'n'.repeat(300);
const DEEP = `/${'p'.repeat(200)}`.repeat(22);
/** A path that an image may hold, and that is too long below the directory that it is built in. */
const ALMOST = DEEP.slice(0, 4090);

interface Case {
  readonly lines?: string;
  /** `@` is the directory of the test. */
  readonly args?: readonly string[];
  readonly context?: string;
  readonly code: keyof typeof EXIT_CODES;
  readonly says: RegExp;
}

const NAME_MAX = /"n+…n+" has 300 bytes, and a file system takes 255 \(NAME_MAX\)/;
const PATH_MAX = /"\/?p+.*…p+.*" has \d+ bytes, and Linux takes 4095 \(PATH_MAX\)/;
const IN_CONTEXT = /what is in the build context: the path "[^"]*deep\/p+…p+" has \d+ bytes, and Linux/;
const IN_IMAGE = /"\/p+…p+" has 4090 bytes, and \d+ are left of the 4095 that Linux takes \(PATH_MAX\)/;

/** Wherever a name can be given that is too long, by a Dockerfile or by an option. */
const CASES: Readonly<Record<string, Case>> = {
  'a working directory': { lines: `WORKDIR ${DEEP}`, code: 'BUILD_FAILED', says: PATH_MAX },
  'a working directory below ours': { lines: `WORKDIR ${ALMOST}`, code: 'BUILD_FAILED', says: IN_IMAGE },
  'a copied file': { lines: `COPY a /x/${NAME}`, code: 'BUILD_FAILED', says: NAME_MAX },
  'a copied file in a directory': { lines: `COPY a ${DEEP}/a`, code: 'BUILD_FAILED', says: PATH_MAX },
  'an inline file': { lines: `COPY <<E /${NAME}\nx\nE`, code: 'BUILD_FAILED', says: NAME_MAX },
  'files of an archive': { lines: `ADD a.tar ${DEEP}/`, code: 'BUILD_FAILED', says: PATH_MAX },
  'files of an archive below ours': { lines: `ADD a.tar ${ALMOST}/`, code: 'BUILD_FAILED', says: IN_IMAGE },
  'a mount': {
    lines: `RUN --mount=type=tmpfs,target=/${NAME} ["/a"]`,
    code: 'BUILD_FAILED',
    says: NAME_MAX,
  },
  'a source': { lines: `COPY ${NAME} /`, code: 'CONTEXT', says: NAME_MAX },
  'a directory of the context': { lines: 'COPY deep /', code: 'CONTEXT', says: IN_CONTEXT },
  'the source of a mount': {
    lines: `RUN --mount=type=bind,source=${NAME},target=/x ["/a"]`,
    code: 'CONTEXT',
    says: NAME_MAX,
  },
  'a root file system': { args: [`--output=@/${NAME}`], code: 'OUTPUT', says: NAME_MAX },
  'a layout': { args: [`--output=type=oci,dest=@/${NAME}`], code: 'OUTPUT', says: NAME_MAX },
  'an archive': { args: [`--output=type=docker,dest=@/${NAME}`], code: 'OUTPUT', says: NAME_MAX },
  metadata: { args: [`--metadata-file=@/${NAME}`], code: 'OUTPUT', says: NAME_MAX },
  'a cache': { args: [`--layer-cache-dir=@/${NAME}`], code: 'CACHE_DIR', says: NAME_MAX },
  'a root file system of long paths': {
    lines: `COPY a ${ALMOST.slice(0, 3900)}`,
    args: [`--output=@/${'o'.repeat(220)}/r`],
    code: 'OUTPUT',
    says: /cannot write the root file system to .*: the path .* and Linux takes 4095 \(PATH_MAX\)/,
  },
  'a secret': { args: [`--secret=id=x,src=@/${NAME}`], code: 'USAGE', says: NAME_MAX },
  'a context': { context: NAME, code: 'USAGE', says: NAME_MAX },
};

for (const [name, { lines = 'COPY a /', args = [], context, code, says }] of Object.entries(CASES)) {
  test(`what is too long is told with its limit: ${name}`, async (t) => {
    const box = createSandbox({ Dockerfile: `FROM scratch\n${lines}\n`, a: 'hi\n' });
    t.after(() => box.close());
    makeDeep(box.path('context'), 'deep');
    execFileSync('tar', ['-cf', box.path('context/a.tar'), '-C', box.path('context'), 'a']);
    const result = await box.build(
      args.map((arg) => arg.replace('@', box.path(''))),
      context === undefined ? {} : { context: box.path(context) },
    );
    assert.equal(result.code, EXIT_CODES[code].exit, result.output);
    assert.match(result.stderr, says);
    if (lines !== 'COPY a /' && code !== 'OUTPUT') assert.match(result.stderr, /Dockerfile:2:/);
    box.assertClean();
  });
}

/** Makes a directory in which paths are longer than the kernel takes: each level is moved into the next one. */
function makeDeep(dir: string, name: string): void {
  const [tree, above] = [join(dir, name), join(dir, `${name}-above`)];
  mkdirSync(tree);
  for (let level = 0; level < 22; level += 1) {
    mkdirSync(above);
    renameSync(tree, join(above, 'p'.repeat(200)));
    renameSync(above, tree);
  }
}
