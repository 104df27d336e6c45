import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { digestOf } from '../src/core/digest.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import { createSandbox, type Sandbox, type SandboxResult } from './support/sandbox.ts';

/*
 * A layer of a directory that somebody else has filled is a file of a tebibyte that takes no room: reading its zeros takes
 * the better part of an hour, and no command does it, whether or not the documents say that it is as large.
 */

/** To read so much takes several times as long as TIMEOUT_MS, everywhere. */
const TIB = 2 ** 40;
const TIMEOUT_MS = 120_000;

/** A cache and a layout of one image, whose layer has this digest and size. */
let made: { readonly box: Sandbox; readonly hex: string; readonly size: number };
before(async () => {
  const box = createSandbox({ Dockerfile: 'FROM scratch\nCOPY file /file\n' });
  writeFileSync(join(box.context, 'file'), randomBytes(300_001));
  const result = await box.build([
    `--layer-cache-dir=${box.cache}`,
    '--push',
    `--output=type=oci,dest=${box.path('layout')}`,
  ]);
  assert.equal(result.code, 0, result.output);
  box.write({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  assert.equal((await box.build([`--output=type=oci,dest=${box.path('other')}`])).code, 0);
  const [largest] = filesOf(box.path('layout')).sort((a, b) => statSync(b).size - statSync(a).size);
  made = { box, hex: basename(largest!), size: statSync(largest!).size };
});
after(() => made?.box.close());

const filesOf = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Exchanges a text in every document of a directory, and the digests of those in all that name them. */
function replaceEverywhere(dir: string, first: readonly [old: string, text: string]): void {
  const pairs = [first];
  for (const [old, text] of pairs) {
    for (const path of filesOf(dir).filter((each) => statSync(each).size < LARGEST_DOCUMENT)) {
      const before = readFileSync(path);
      const bytes = Buffer.from(before.toString().replaceAll(old, text));
      if (bytes.equals(before)) continue;
      const [from, to] = [hexOf(before), hexOf(bytes)];
      const target = path.includes('/blobs/') ? blobPath(path, from, to) : path;
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, bytes);
      if (target !== path) pairs.push([from, to]);
    }
    for (const { name, parentPath } of readdirSync(dir, { recursive: true, withFileTypes: true }))
      if (name === old && !parentPath.includes('/blobs'))
        renameSync(join(parentPath, name), join(parentPath, text));
  }
}

/** A document has less. */
const LARGEST_DOCUMENT = 100_000;
const hexOf = (bytes: Buffer): string => digestOf(bytes).slice('sha256:'.length);

/** Where another blob lies beside one. */
const blobPath = (path: string, from: string, to: string): string =>
  path.replace(`/${from.slice(0, 2)}/${from}/`, `/${to.slice(0, 2)}/${to}/`).replace(`/${from}`, `/${to}`);

/** Where the layer lies in a cache or a layout. */
function layerIn(dir: string): string {
  const place = join(dir, 'docker/registry/v2/blobs/sha256', made.hex.slice(0, 2), made.hex, 'data');
  return existsSync(place) ? place : join(dir, 'blobs/sha256', made.hex);
}

interface Damage {
  readonly name: string;
  readonly damage: (dir: string) => void;
}

const DAMAGES: readonly Damage[] = [
  { name: 'larger than its descriptor says', damage: (dir) => truncateSync(layerIn(dir), TIB) },
  {
    name: 'as large as its descriptor says',
    damage: (dir) => {
      truncateSync(layerIn(dir), TIB);
      replaceEverywhere(dir, [String(made.size), String(TIB)]);
    },
  },
];

interface Command {
  readonly name: string;
  /** Which of them is damaged. */
  readonly of: 'cache' | 'layout';
  readonly run: (box: Sandbox, dir: string) => Promise<SandboxResult>;
  readonly code: number;
  readonly says?: RegExp;
}

const CORRUPT = EXIT_CODES.CORRUPT.exit;
const built = (box: Sandbox): string => `--output=type=rootfs,dest=${box.path('rootfs')}`;
const limited = (box: Sandbox, command: string, args: readonly string[], context?: string) =>
  box.build(args, { command, timeoutMs: TIMEOUT_MS, ...(context === undefined ? {} : { context }) });

/** A build for which `base` is the layout. */
const buildWith = (name: string, Dockerfile: string): Command => ({
  name,
  of: 'layout',
  run: (box, dir) => {
    box.write({ Dockerfile });
    return limited(box, 'build', [`--build-context=base=oci-layout://${dir}:latest`, built(box)]);
  },
  code: CORRUPT,
  says: /hardly anything of it is stored/,
});

const COMMANDS: readonly Command[] = [
  buildWith('build on an OCI layout', 'FROM base\nCOPY Dockerfile /\n'),
  buildWith('COPY --from an OCI layout', 'FROM scratch\nCOPY --from=base /file /copy\n'),
  {
    name: 'a build that writes to the layout',
    of: 'layout',
    run: (box, dir) => limited(box, 'build', [`--output=type=oci,dest=${dir}`]),
    code: 0,
  },
  {
    name: 'cache diff of the layout',
    of: 'layout',
    run: (box, dir) =>
      limited(
        box,
        'cache diff',
        [`oci-layout://${made.box.path('other')}:latest`],
        `oci-layout://${dir}:latest`,
      ),
    code: CORRUPT,
  },
  {
    name: 'build with the cache',
    of: 'cache',
    run: (box, dir) => limited(box, 'build', [`--layer-cache-dir=${dir}`, built(box)]),
    code: 0,
  },
  {
    name: 'probe',
    of: 'cache',
    run: (box, dir) => limited(box, 'probe', [`--layer-cache-dir=${dir}`]),
    code: EXIT_CODES.CACHE_MISS.exit,
  },
  ...['cache verify', 'cache verify --read-all'].map((command) => ({
    name: command,
    of: 'cache' as const,
    run: (box: Sandbox, dir: string) => limited(box, command, [], `--layer-cache-dir=${dir}`),
    code: CORRUPT,
  })),
  {
    name: 'cache copy',
    of: 'cache',
    run: (box, dir) => limited(box, 'cache copy', [`--layer-cache-dir=${dir}`], box.path('copy')),
    code: CORRUPT,
    says: /hardly anything of it is stored/,
  },
  {
    name: 'registry check',
    of: 'cache',
    run: (box, dir) => limited(box, 'registry check', [], `--dir=${dir}`),
    code: CORRUPT,
    says: /is damaged/,
  },
  {
    name: 'registry check --repair',
    of: 'cache',
    run: (box, dir) => limited(box, 'registry check', ['--repair'], `--dir=${dir}`),
    code: 0,
    says: /is damaged/,
  },
  {
    name: 'registry gc',
    of: 'cache',
    run: (box, dir) => limited(box, 'registry gc', [], `--dir=${dir}`),
    code: 0,
  },
];

function damaged(t: TestContext, of: Command['of'], damage: Damage): { box: Sandbox; dir: string } {
  const box = createSandbox({ Dockerfile: 'FROM scratch\nCOPY file /file\n' });
  t.after(() => box.close());
  cpSync(join(made.box.context, 'file'), join(box.context, 'file'), { preserveTimestamps: true });
  const dir = box.path(of);
  cpSync(of === 'cache' ? made.box.cache : made.box.path('layout'), dir, { recursive: true });
  damage.damage(dir);
  return { box, dir };
}

for (const damage of DAMAGES) {
  for (const { name, of, run, code, says = /./ } of COMMANDS)
    test(`a layer that is hollow, ${damage.name}: ${name}`, async (t) => {
      const { box, dir } = damaged(t, of, damage);
      const result = await run(box, dir);
      assert.equal(result.code, code, result.output);
      assert.match(result.output, says);
      assert.doesNotMatch(result.output, /defect in envbuilder/);
    });

  test(`a layer that is hollow, ${damage.name}: registry serve`, async (t) => {
    const { box, dir } = damaged(t, 'cache', damage);
    const registry = await startOwnRegistry(box.dir, dir);
    t.after(() => registry.stop());
    for (const range of [undefined, 'bytes=0-', 'bytes=1000000-1999999']) {
      const response = await fetch(`${registry.url}/v2/local/cache/blobs/sha256:${made.hex}`, {
        ...(range === undefined ? {} : { headers: { range } }),
      });
      await response.body?.cancel();
      assert.equal(response.status, 404);
    }
  });
}
