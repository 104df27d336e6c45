import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import {
  both,
  counts,
  fixed,
  ignored,
  type KeySamples,
  object,
  type Sampled,
  wrongPairs,
} from '../core/key-samples.ts';
import { scratchDir } from '../core/testing.ts';
import type { Image } from '../oci/types.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { makePlan } from './make-plan.ts';
import type { Session } from './session.ts';
import type { BuildRequest, NamedContext } from './types.ts';

const scratch = scratchDir('request-keys');

function directory(name: string, content: string, mode = 0o644): string {
  const path = join(scratch, name);
  mkdirSync(join(path, 'dir'), { recursive: true });
  writeFileSync(join(path, 'dir/file'), content);
  chmodSync(join(path, 'dir/file'), mode);
  return path;
}

const [context, same, other] = [directory('one', '1'), directory('two', '1'), directory('three', '2')];
const odd = directory('odd', '1', 0o600);
const lib = (path: string): ReadonlyMap<string, NamedContext> => new Map([['lib', { type: 'dir', path }]]);

const TEXT = `FROM base AS one
ARG A
RUN make
FROM one AS two
COPY . /app
COPY --from=lib dir /lib
RUN --mount=type=secret,id=s --mount=type=ssh --mount=type=cache,target=/c true
`;

/** Values of which a key holds nothing, whatever they are. */
const of = <T>(...values: readonly [unknown, unknown]): Sampled<T> =>
  ignored<T>(values[0] as T, values[1] as T);

/**
 * Everything that a build is asked for, and whether the keys of its steps hold it. What they do not hold must not change what
 * a step makes: whoever adds something says here which of the two it is.
 */
const REQUEST: KeySamples<BuildRequest> = {
  // What is built, and of what.
  context: both(counts(context, other), ignored(context, same)),
  // What is fetched is told by its content, as a directory is.
  contextSource: fixed<BuildRequest['contextSource']>(undefined),
  // Of a checkout one bit of each mode counts.
  checkout: ignored<string | undefined>(undefined, '/elsewhere'),
  dockerfile: ignored(join(scratch, 'a'), join(scratch, 'b')),
  dockerfileText: both(
    counts<string | undefined>(TEXT, TEXT.replace('make', 'make all')),
    ignored<string | undefined>(TEXT, TEXT.replace('FROM one', '# why\nFROM one')),
  ),
  // Whether there is a build at all.
  ignoreSyntax: ignored<boolean | undefined>(undefined, true),
  contexts: both(counts(lib(context), lib(other)), ignored(lib(context), lib(same))),
  target: counts<string | undefined>('two', 'one'),
  buildArgs: both(
    counts<ReadonlyMap<string, string>>(new Map(), new Map([['A', '1']]), new Map([['A', '2']])),
    ignored<ReadonlyMap<string, string>>(new Map(), new Map([['http_proxy', 'http://p:1']])),
  ),
  reproducible: counts<boolean | undefined>(undefined, true),
  platform: counts<string | undefined>('linux/amd64', 'linux/arm64', 'linux/arm/v7'),
  cacheSalt: counts<string | undefined>(undefined, 'a', 'b'),
  // What may be read at all; what is read is told by its content.
  repository: ignored<string | undefined>(undefined, scratch),
  allowOutside: ignored<readonly string[] | undefined>(undefined, [scratch]),
  // Base images are told by their layers; the session that resolves them is the same one here.
  resolvedImages: fixed<BuildRequest['resolvedImages']>(undefined),
  registries: of({ mirrors: [] }, { mirrors: ['mirror:1'] }),
  // Secrets, agents and proxies may differ from build to build.
  secrets: of([], [{ id: 's', value: async () => Buffer.from('x') }]),
  ssh: of([], [{ id: 'default', socket: '/s' }]),
  allowedDevices: ignored<readonly string[] | undefined>(undefined, ['*']),
  proxyEnv: ignored<Readonly<Record<string, string>>>({}, { http_proxy: 'http://p:1' }),
  // Only the image's config.
  labels: ignored<ReadonlyMap<string, string>>(new Map(), new Map([['a', 'b']])),
  imageEnv: ignored<ReadonlyMap<string, string> | undefined>(undefined, new Map([['a', 'b']])),
  // Where steps are carried out, and what becomes of their result.
  backend: of({ kind: 'copies' }, { kind: 'inplace', root: '/', ownDir: '/.envbuilder', keep: ['/w'] }),
  workDir: ignored(join(scratch, 'w1'), join(scratch, 'w2')),
  stateDir: ignored(join(scratch, 's1'), join(scratch, 's2')),
  compression: ignored<BuildRequest['compression']>('zstd', 'gzip'),
  outputs: of([], [{ type: 'oci', path: '/o' }]),
  tags: ignored<readonly string[]>([], ['a:b']),
  cacheTags: ignored<readonly string[] | undefined>(undefined, ['latest']),
  push: ignored(false, true),
  failOnPushError: ignored(false, true),
  provenance: of(undefined, { mode: 'max', builderId: 'urn:a', version: '1' }),
  sbom: of(undefined, { version: '1' }),
  runtime: of(undefined, {}),
  // Where results are looked for, and which of them count.
  cache: of(undefined, { type: 'directory', path: '/c' }),
  trustedCaches: ignored<readonly string[] | undefined>(undefined, ['r:1/c']),
  trust: of(undefined, {}),
  cacheTtlDays: ignored(1, 2),
  cacheWaitMs: ignored(0, 1000),
  noCache: ignored(false, true),
  onlyCached: ignored<boolean | undefined>(undefined, true),
};

const image = (reference: string): Image =>
  ({
    reference,
    config: { os: 'linux', architecture: 'amd64', config: {}, rootfs: { diff_ids: [digestOf(reference)] } },
  }) as unknown as Image;

const session = {
  syscalls: createSyscalls,
  resolveImage: async (reference: string) => image(reference),
} as unknown as Session;

async function keyOf(request: BuildRequest): Promise<string> {
  const deps = { emit: () => {}, signal: new AbortController().signal, readOnly: true };
  const { stages, target } = await makePlan(request, session, deps);
  return stages.get(target)!.lastKey;
}

test('keys hold of a request what reaches files, and nothing else', async () => {
  assert.deepEqual(await wrongPairs(object(REQUEST).pairs, keyOf), []);
});

test('of a checkout, and of nothing else, keys hold modes as git has them', async () => {
  const { first } = object(REQUEST);
  const plain = await keyOf({ ...first, checkout: context });
  assert.equal(plain, await keyOf(first));
  assert.notEqual(await keyOf({ ...first, context: odd }), plain);
  assert.equal(await keyOf({ ...first, context: odd, checkout: odd }), plain);
  const named = { ...first, contexts: lib(odd) };
  assert.notEqual(await keyOf(named), plain);
  assert.equal(await keyOf({ ...named, checkout: scratch }), plain);
});
