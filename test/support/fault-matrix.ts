import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBuild } from '../../src/builder/build.ts';
import { runProbe } from '../../src/builder/probe.ts';
import type { BuildRequest } from '../../src/builder/types.ts';
import { warmCommand } from '../../src/cli/commands/warm.ts';
import { parseOptions } from '../../src/cli/options/parse.ts';
import { makeRequest } from '../../src/cli/requests/build-request.ts';
import { mapLimit } from '../../src/core/concurrency.ts';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { AppError } from '../../src/core/error.ts';
import type { Emit } from '../../src/core/events.ts';
import { PATIENCE_MS } from '../../src/core/testing.ts';
import { openBaseCache } from '../../src/oci/base-cache/base-cache.ts';
import { createRegistryClient } from '../../src/oci/http/client.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { createRemoteStore } from '../../src/oci/remote-store.ts';
import { collect } from '../../src/oci/testing/fake-registry.ts';
import { putImage } from '../../src/oci/testing/images.ts';
import { createRedactor } from '../../src/report/redact.ts';
import {
  FAULTS,
  type Fault,
  KINDS,
  type Kind,
  MORE_FAULTS,
  type Rule,
  startFaultProxy,
} from './fault-proxy.ts';
import { removeDir } from './remove-dir.ts';

/** `build` makes and pushes everything; `start` takes all from the cache; `probe` only asks; `warm` fetches the base. */
const WORKS = ['build', 'start', 'probe', 'warm'] as const;
/** The same with a base image that can be had: only the cache is faulty, and a push that fails is a warning. */
const CACHE_WORKS = ['cached build', 'cached start', 'cached probe'] as const;
export type Work = (typeof WORKS)[number] | (typeof CACHE_WORKS)[number];

export interface Cell {
  readonly work: Work;
  readonly kind: Kind;
  readonly fault: Fault;
  readonly often: 'once' | 'always';
  readonly injected: number;
  /** Of all requests that were made. */
  readonly kinds: ReadonlySet<Kind>;
  /** Of all requests together. */
  readonly retries: number;
  /** Of the request that was tried most often. */
  readonly attempts: number;
  readonly ms: number;
  /** Undefined when the work completed. */
  readonly error?: AppError;
  /** What must not happen: a wrong result, an error that is none of ours, work that hangs. */
  readonly defect?: string;
}

const PARALLEL = 16;
/** Faults that last as well: of those that end in the same way, one. */
const LASTING: readonly Fault[] = [
  '401',
  '404',
  '429',
  '502',
  'reset',
  'wrong digest',
  'redirect loop',
  'no such host',
  'full disk',
  'immutable tag',
];
const CONTENT = 'the content of the layer\n'.repeat(2000);

/** The context, the base image and a full cache, for every cell to use. */
export interface MatrixSetup {
  readonly dir: string;
  /** `host:port` of the registry itself. */
  readonly registry: string;
}

/** Fills the registry; the first build through a proxy without faults. */
export async function prepare({ dir, registry }: MatrixSetup): Promise<void> {
  mkdirSync(join(dir, 'context'));
  writeFileSync(join(dir, 'context/file'), CONTENT);
  const client = createRegistryClient();
  await putImage(
    createRemoteStore({ client, registry, repository: 'base' }),
    '1',
    process.arch === 'arm64' ? 'arm64' : 'amd64',
  );
  await client.close();
  for (const repository of ['cache/start', 'cache/probe']) {
    const cell = await runCell({ dir, registry }, 'build', repository);
    if (cell.error !== undefined) throw cell.error;
  }
}

/** Every fault at every kind of request, for each kind of work. */
export async function faultMatrix(setup: MatrixSetup): Promise<readonly Cell[]> {
  const made = await kindsOf(setup, WORKS);
  const cells = WORKS.flatMap((work) =>
    KINDS.filter((kind) => made.get(work)!.has(kind)).flatMap((kind) =>
      FAULTS.filter((fault) => fault !== 'immutable tag' || kind === 'push a manifest').flatMap((fault) =>
        (LASTING.includes(fault) ? (['once', 'always'] as const) : (['once'] as const)).map((often) => ({
          work,
          kind,
          fault,
          often,
        })),
      ),
    ),
  );
  let started = 0;
  return mapLimit(cells, PARALLEL, ({ work, kind, fault, often }) => {
    started += 1;
    const repository = work === 'build' ? `cache/n${started}` : `cache/${work}`;
    const times = often === 'once' ? 1 : Number.POSITIVE_INFINITY;
    return runCell(setup, work, repository, { kind, fault, times }, often);
  });
}

/** Every fault at every kind of request to the cache, where nothing else is faulty. */
export async function cacheMatrix(setup: MatrixSetup): Promise<readonly Cell[]> {
  const made = await kindsOf(setup, CACHE_WORKS);
  const cells = CACHE_WORKS.flatMap((work) =>
    [...made.get(work)!].flatMap((kind) =>
      [...FAULTS, ...MORE_FAULTS].flatMap((fault) =>
        (work === 'cached start' && !isMore(fault)
          ? (['once', 'always'] as const)
          : (['always'] as const)
        ).map((often) => ({
          work,
          kind,
          fault,
          often,
        })),
      ),
    ),
  );
  let started = 0;
  return mapLimit(cells, PARALLEL, ({ work, kind, fault, often }) => {
    started += 1;
    const repository = work === 'cached build' ? `cache/c${started}` : `cache/${work.replace('cached ', '')}`;
    const times = often === 'once' ? 1 : Number.POSITIVE_INFINITY;
    return runCell(setup, work, repository, { kind, fault, times }, often);
  });
}

/** The kinds of requests that each work makes where nothing fails. */
async function kindsOf(
  setup: MatrixSetup,
  works: readonly Work[],
): Promise<ReadonlyMap<Work, ReadonlySet<Kind>>> {
  const made = new Map<Work, ReadonlySet<Kind>>();
  for (const work of works) {
    const repository = work.endsWith('build') ? `kinds/${made.size}` : `cache/${work.replace('cached ', '')}`;
    const cell = await runCell(setup, work, repository);
    if (cell.error !== undefined) throw cell.error;
    made.set(work, cell.kinds);
  }
  return made;
}

const isMore = (fault: Fault): boolean => MORE_FAULTS.some((each) => each === fault);

/** One piece of work with one fault. */
async function runCell(
  { dir, registry }: MatrixSetup,
  work: Work,
  repository: string,
  rule?: Rule,
  often: Cell['often'] = 'once',
): Promise<Cell> {
  const proxy = await startFaultProxy(registry, rule);
  const own = join(dir, `cell-${proxy.host.split(':')[1]}`);
  mkdirSync(own);
  const abort = new AbortController();
  // Wait: it hangs when even that is over.
  const patience = setTimeout(() => abort.abort(new Error('it hangs')), PATIENCE_MS);
  const start = performance.now();
  let retries = 0;
  let attempts = 1;
  const emit: Emit = (event) => {
    if (event.type !== 'retry') return;
    retries += 1;
    attempts = Math.max(attempts, event.attempt + 1);
  };
  let error: unknown;
  let defect: string | undefined;
  try {
    const clean = work.startsWith('cached');
    const kindOfWork = work.replace('cached ', '') as (typeof WORKS)[number];
    const request = requestFor(dir, own, proxy.host, repository, kindOfWork, clean ? registry : proxy.host);
    if (work === 'warm') {
      await warm(own, proxy.host, { emit, signal: abort.signal });
      defect = await missingBase(own, proxy.host);
    } else if (kindOfWork === 'probe') await runProbe(request, { emit, signal: abort.signal });
    else {
      const { imageDigest } = await runBuild(clean ? { ...request, failOnPushError: false } : request, {
        emit,
        signal: abort.signal,
      });
      if (work === 'build') defect = await wrongImage(registry, repository, imageDigest);
      else if (kindOfWork === 'start' && readFileSync(join(own, 'root/file'), 'utf8') !== CONTENT)
        defect = 'the file has other content';
    }
  } catch (thrown) {
    error = thrown;
  } finally {
    clearTimeout(patience);
    await proxy.stop();
    defect ??= damagedBlob(own);
    removeDir(own);
  }
  if (abort.signal.aborted) defect = 'it hangs';
  else if (error !== undefined && !(error instanceof AppError)) defect = `${error}`;
  else if (error instanceof AppError && error.code === 'INTERNAL') defect = error.message;
  return {
    work,
    kind: rule?.kind ?? 'log in',
    fault: rule?.fault ?? 'slow',
    often,
    injected: proxy.injected(),
    kinds: proxy.kinds(),
    retries,
    attempts,
    ms: performance.now() - start,
    ...(error instanceof AppError ? { error } : {}),
    ...(defect === undefined ? {} : { defect }),
  };
}

/** What a work asks for; its files are in `own`. */
export function requestFor(
  dir: string,
  own: string,
  host: string,
  repository: string,
  work: (typeof WORKS)[number],
  baseHost = host,
): BuildRequest {
  const dockerfile = join(own, 'Dockerfile');
  writeFileSync(dockerfile, `FROM ${baseHost}/base:1\nCOPY file /file\nWORKDIR /made\n`);
  const root = join(own, 'root');
  const args = [
    ...[
      '--cache-repo',
      `${host}/${repository}`,
      '--work-dir',
      join(own, 'work'),
      '--state-dir',
      join(own, 'state'),
    ],
    ...(work === 'build' ? ['--push', '--exit-on-push-failure'] : []),
    ...(work === 'start' ? ['--output', root] : []),
  ];
  const parsed = parseOptions(work === 'probe' ? 'probe' : 'build', args, {});
  const files = { context: join(dir, 'context'), dockerfile };
  return makeRequest(parsed, files, { env: {}, cwd: own, redactor: createRedactor() });
}

/** Fetches the base image into the directory `bases`. */
export async function warm(
  own: string,
  host: string,
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
  more: readonly string[] = [],
): Promise<void> {
  const args = ['--cache-dir', join(own, 'bases'), '--image', `${host}/base:1`, ...more];
  const parsed = parseOptions('warm', args, {});
  const sink = { write: () => true };
  const context = { env: {}, cwd: own, signal, stdout: sink, stderr: sink, redactor: createRedactor() };
  await warmCommand(parsed, context, emit);
}

/** What the cache of base images lacks of the image that was warmed. */
async function missingBase(own: string, host: string): Promise<string | undefined> {
  const { store, tagged } = openBaseCache(join(own, 'bases'));
  const digest = await tagged(parseReference(`${host}/base:1`));
  const manifest = digest && (await store.resolve(digest));
  if (!manifest) return 'the base image is not there';
  const { config, layers } = JSON.parse(manifest.bytes.toString());
  for (const blob of [config, ...layers])
    if ((await store.has(blob.digest)) !== blob.size) return `the blob ${blob.digest} is not there`;
  return undefined;
}

/** A blob in the cache of base images whose bytes are not what its name says; none may be there, however it ended. */
function damagedBlob(own: string): string | undefined {
  const blobs = join(own, 'bases/blobs/sha256');
  if (!existsSync(blobs)) return undefined;
  const wrong = readdirSync(blobs).find((name) => hexOf(digestOf(readFileSync(join(blobs, name)))) !== name);
  return wrong && `the blob ${wrong} of the base images is damaged`;
}

/** Reads the image that was pushed from the registry itself; undefined when all of it is there and right. */
async function wrongImage(registry: string, repository: string, digest: string): Promise<string | undefined> {
  const client = createRegistryClient();
  try {
    const store = createRemoteStore({ client, registry, repository });
    const manifest = await store.resolve(digest);
    if (manifest === undefined) return 'the image is not there';
    const { config, layers } = JSON.parse(manifest.bytes.toString());
    for (const blob of [config, ...layers]) {
      const bytes = await collect(await store.get(blob.digest));
      if (digestOf(bytes) !== blob.digest) return `the blob ${blob.digest} is wrong`;
    }
    return undefined;
  } finally {
    await client.close();
  }
}
