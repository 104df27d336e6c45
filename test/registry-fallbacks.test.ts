import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { runBuild } from '../src/builder/build.ts';
import type { BuildRequest, BuildResult } from '../src/builder/types.ts';
import type { Event } from '../src/core/events.ts';
import { type RegistryServer, startRegistryServer } from '../src/registry/server.ts';
import { prepare, requestFor } from './support/fault-matrix.ts';
import { startFaultProxy, type Taste } from './support/fault-proxy.ts';

let dir: string;
let server: RegistryServer;
let registry: string;
before(async () => {
  dir = temporaryDir('fallbacks');
  server = await startRegistryServer({ root: join(dir, 'registry'), host: '127.0.0.1', port: 0 });
  registry = new URL(server.url).host;
  await prepare({ dir, registry });
});
after(async () => {
  await server?.close(0);
  rmSync(dir, { recursive: true, force: true });
});

interface Built {
  readonly result: BuildResult;
  readonly warnings: readonly string[];
  readonly refused: number;
}

let runs = 0;
async function build(
  repository: string,
  taste: Taste,
  change: (request: BuildRequest) => BuildRequest = (request) => request,
): Promise<Built> {
  const proxy = await startFaultProxy(registry, undefined, taste);
  runs += 1;
  const own = join(dir, `run-${runs}`);
  mkdirSync(own);
  const events: Event[] = [];
  try {
    const request = change({ ...requestFor(dir, own, proxy.host, repository, 'build'), push: false });
    const signal = new AbortController().signal;
    const result = await runBuild(request, { emit: (event) => events.push(event), signal });
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));
    return { result, warnings, refused: proxy.injected() };
  } finally {
    await proxy.stop();
  }
}

type Parts = {
  artifactType?: string;
  config: { data?: string };
  layers: { mediaType: string }[];
  annotations?: object;
};

const tastes: Readonly<Record<string, (manifest: Parts) => boolean>> = {
  'embedded data': ({ config }) => config.data !== undefined,
  'long annotations': ({ annotations }) => JSON.stringify(annotations ?? {}).length > 600,
  'artifacts that are no images': ({ artifactType }) => artifactType !== undefined,
  'zstd layers': ({ layers }) => layers.some(({ mediaType }) => mediaType.endsWith('zstd')),
};

const reproducible = (request: BuildRequest): BuildRequest => ({ ...request, reproducible: true });
const kinds = { 'that keeps times': undefined, 'that is reproducible': reproducible } as const;
const combinations = Object.entries(tastes).flatMap(([what, dislikes]) =>
  Object.entries(kinds).map(([kind, change]) => ({ what, dislikes, kind, change })),
);

for (const { what, dislikes, kind, change } of combinations) {
  test(`a registry that refuses ${what} is a cache all the same, for a build ${kind}`, async () => {
    const repository = `picky/${`${what} ${kind}`.replaceAll(' ', '-')}`;
    const taste: Taste = async (manifest) =>
      dislikes(manifest as unknown as Parts) ? [400, 'MANIFEST_INVALID'] : undefined;
    const first = await build(repository, taste, change);
    assert.ok(first.refused > 0, 'something was refused');
    assert.deepEqual(first.warnings, []);
    const second = await build(repository, taste, change);
    const { stepsHit, stepsTotal, stepsBuilt } = second.result.summary;
    assert.deepEqual([stepsBuilt, stepsHit], [0, stepsTotal]);
    assert.equal(second.result.imageDigest, first.result.imageDigest);
  });
}

test('an image whose layers a registry does not know is an error that says what to do', async () => {
  const taste: Taste = async (manifest) =>
    tastes['zstd layers']!(manifest as unknown as Parts) ? [400, 'MANIFEST_INVALID'] : undefined;
  const push = (request: BuildRequest): BuildRequest => ({ ...request, push: true, failOnPushError: true });
  await assert.rejects(build('picky/image', taste, push), (error: Error & { hint?: string }) => {
    const hints = [error.hint, (error.cause as { hint?: string } | undefined)?.hint].join(' ');
    assert.match(hints, /--compression gzip/);
    return true;
  });
  const gzip = (request: BuildRequest): BuildRequest => ({
    ...push(request),
    compression: 'gzip',
    noCache: true,
  });
  await build('picky/image-gzip', taste, gzip);
});

for (const [kind, change] of Object.entries(kinds))
  test(`tags that cannot be replaced are one warning, for a build ${kind}`, async () => {
    const repository = `picky/immutable-${kind.replaceAll(' ', '-')}`;
    const taste: Taste = async (_manifest, name) => {
      const there = await fetch(`http://${registry}/v2/${repository}/manifests/${name}`, { method: 'HEAD' });
      return there.ok ? [409, 'TAG_INVALID'] : undefined;
    };
    await build(repository, taste, change);
    const again = await build(repository, taste, (request) => ({
      ...(change?.(request) ?? request),
      noCache: true,
    }));
    assert.ok(again.refused > 1, `${again.refused}`);
    assert.equal(again.warnings.length, 1, again.warnings.join('\n'));
  });
