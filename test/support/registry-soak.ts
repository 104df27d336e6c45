import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../src/core/digest.ts';
import { AppError } from '../../src/core/error.ts';
import { freePort, PATIENCE_MS } from '../../src/core/testing.ts';
import { bytesSource } from '../../src/oci/blob-source.ts';
import { canonicalJson } from '../../src/oci/canonical-json.ts';
import { createDirectoryStore } from '../../src/oci/dir-store.ts';
import { createRegistryClient } from '../../src/oci/http/client.ts';
import { answerOf } from '../../src/oci/http/errors.ts';
import { discard } from '../../src/oci/http/redirect.ts';
import type { RegistryClient } from '../../src/oci/http/types.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { createRemoteStore } from '../../src/oci/remote-store.ts';
import { collect } from '../../src/oci/testing/fake-registry.ts';
import type { Descriptor, Store } from '../../src/oci/types.ts';
import { checkRegistry } from '../../src/registry/check.ts';
import { collectGarbage } from '../../src/registry/gc.ts';
import { envbuilder } from './envbuilder.ts';
import { type OwnRegistry, startOwnRegistry } from './own-registry.ts';

export interface SoakOptions {
  readonly dir: string;
  readonly seconds: number;
  readonly clients: number;
}

export interface SoakResult {
  readonly counts: Readonly<Record<string, number>>;
  /** What must not happen; one line each. */
  readonly failures: readonly string[];
}

/** An image that was acknowledged. */
interface Known {
  readonly tag: string;
  readonly manifest: Descriptor;
  readonly blobs: readonly { readonly digest: `sha256:${string}`; readonly size: number }[];
}

/** Everything that is pushed is named within this time, or pushed again. */
const GRACE_MS = 12_000;
const EXTRA_MS = 60_000;
/** What must have happened at least three times. */
export const NEEDED: readonly string[] = ['push', 'pull', 'delete', 'kills', 'collections'];
/** Images that a client has at a time, so that the check at the end does not take longer than the soak. */
const MOST = 60;

/**
 * Clients push, pull and delete at two servers and one layer cache over one directory, and garbage is collected, while
 * the servers are killed all the time. Each client knows what was acknowledged to it, and looks for it.
 */
export async function soak({ dir, seconds, clients }: SoakOptions): Promise<SoakResult> {
  const storage = join(dir, 'storage');
  const end = Date.now() + seconds * 1000;
  const counts: Record<string, number> = {};
  // A slow machine goes on until everything has happened a few times.
  const few = (): boolean => NEEDED.some((what) => (counts[what] ?? 0) < 3);
  const running = (): boolean => Date.now() < end || (few() && Date.now() < end + EXTRA_MS);
  const failures: string[] = [];
  const count = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const ports = [await freePort(), await freePort()];
  const client = createRegistryClient({
    // A server that was killed is there again after as long as a slow machine takes.
    retry: { attempts: PATIENCE_MS / 500, baseDelayMs: 50, maxDelayMs: 500 },
    emit: ({ type }) => {
      if (type === 'retry') count('retries');
    },
  });
  const start = (port: number) => startOwnRegistry(dir, storage, ['--addr', `127.0.0.1:${port}`]);
  const servers: OwnRegistry[] = await Promise.all(ports.map(start));

  const killing = async (): Promise<void> => {
    for (let i = 0; running(); i = (i + 1) % ports.length) {
      // Wait: at any time.
      await sleep(randomInt(500, 2500));
      await servers[i]!.kill();
      count('kills');
      servers[i] = await start(ports[i]!);
    }
  };
  const collecting = async (): Promise<void> => {
    while (running()) {
      // One in three is killed on its way.
      // Wait: at any time.
      const timeoutMs = randomInt(3) === 0 ? randomInt(200, 900) : PATIENCE_MS;
      const args = ['registry', 'gc', '--dir', storage, '--grace', `${GRACE_MS / 1000}s`];
      const { code, output } = await envbuilder(args, { timeoutMs });
      count(code === 0 ? 'collections' : 'killed collections');
      if (code !== 0 && timeoutMs === PATIENCE_MS) failures.push(`gc: ${output}`);
      // Wait: at any time.
      await sleep(300);
    }
  };
  const known = new Map<Store, Known[]>();
  const stores = Array.from({ length: clients }, (_, i) => {
    const repository = `soak/client${i}`;
    if (i === 0) return createDirectoryStore({ root: storage, repository });
    return createRemoteStore({ client, registry: `127.0.0.1:${ports[i % 2]}`, repository });
  });
  const work = stores.map(async (store, i) => {
    const mine: Known[] = [];
    known.set(store, mine);
    const registry = `127.0.0.1:${ports[i % 2]}`;
    for (let turn = 0; running(); turn += 1) {
      const what = mine.length === 0 ? 'push' : mine.length > MOST ? 'delete' : choose();
      try {
        if (what === 'push') await push(store, `t${turn}`, mine);
        else if (what === 'pull') await pull(store, mine[randomInt(mine.length)]!);
        else await remove(client, registry, `soak/client${i}`, mine);
        count(what);
      } catch (error) {
        failures.push(`${what} of client ${i}: ${(error as Error).message}`);
      }
      if (failures.length > 20) return;
    }
  });
  await Promise.all([...work, killing(), collecting()]);

  for (const graceMs of [undefined, 0]) {
    if (graceMs !== undefined) await collectGarbage({ root: storage, graceMs });
    for (const [store, mine] of known) {
      for (const image of mine) {
        await pull(store, image).catch((error: Error) => failures.push(`in the end: ${error.message}`));
        count('checked at the end');
      }
    }
    const { problems } = await checkRegistry({ root: storage });
    failures.push(...problems);
  }
  await Promise.all(servers.map((server) => server.kill()));
  await client.close();
  return { counts, failures };
}

function choose(): 'push' | 'pull' | 'delete' {
  const dice = randomInt(10);
  return dice < 4 ? 'push' : dice < 8 ? 'pull' : 'delete';
}

/** What counts is the acknowledgement; a push that took longer than the grace period may have lost its first blobs. */
async function push(store: Store, tag: string, mine: Known[]): Promise<void> {
  const begun = Date.now();
  const config = canonicalJson({ architecture: 'amd64', os: 'linux', id: randomBytes(8).toString('hex') });
  const layers = Array.from({ length: randomInt(1, 4) }, () =>
    randomBytes(randomInt(4) === 0 ? randomInt(1 << 22) : randomInt(1 << 16)),
  );
  try {
    for (const bytes of [config, ...layers]) await store.put(bytesSource(bytes));
    const bytes = canonicalJson({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
      layers: layers.map((layer) => ({
        mediaType: MEDIA_TYPES.ociLayer,
        digest: digestOf(layer),
        size: layer.length,
      })),
    });
    const manifest = await store.tag(bytes, MEDIA_TYPES.ociManifest, tag);
    const blobs = [config, ...layers].map((blob) => ({ digest: digestOf(blob), size: blob.length }));
    mine.push({ tag, manifest, blobs });
  } catch (error) {
    if (answerOf(error)?.code === 'MANIFEST_BLOB_UNKNOWN' && Date.now() - begun > GRACE_MS / 2) return;
    throw error;
  }
}

async function pull(store: Store, { tag, manifest, blobs }: Known): Promise<void> {
  const found = await store.resolve(tag);
  if (found?.descriptor.digest !== manifest.digest) throw new Error(`lost ${store.name}:${tag}`);
  for (const { digest, size } of blobs) {
    if ((await store.has(digest)) !== size) throw new Error(`lost ${store.name}@${digest}`);
    const bytes = await collect(await store.get(digest));
    if (digestOf(bytes) !== digest) throw new Error(`corrupt ${store.name}@${digest}`);
  }
}

/** Once a deletion is on its way, nothing is known of the image any more. */
async function remove(
  client: RegistryClient,
  registry: string,
  repository: string,
  mine: Known[],
): Promise<void> {
  const [{ tag, manifest }] = mine.splice(randomInt(mine.length), 1) as [Known];
  const reference = randomInt(2) === 0 ? tag : manifest.digest;
  try {
    const answer = await client.request(registry, {
      method: 'DELETE',
      path: `${repository}/manifests/${reference}`,
      scopes: [],
      accept: [202],
      what: 'delete',
    });
    discard(answer.body);
  } catch (error) {
    // A repeated request finds nothing when the first one arrived.
    if (!(error instanceof AppError) || answerOf(error)?.status !== 404) throw error;
  }
}
