import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/core/digest.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const IN_TOTO = 'application/vnd.in-toto+json';

export interface Referrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A repository, or the directory of an OCI layout. */
export interface Place {
  /** The bytes under a tag or digest of a manifest or index; undefined where nothing is. */
  readonly manifest: (name: string) => Promise<string | undefined>;
  readonly blob: (digest: string) => Promise<string>;
  /** The answer of a registry that lists referrers. */
  readonly listed: (subject: string) => Promise<string | undefined>;
}

/** @param repository as `host/name` */
export function repositoryAt(repository: string): Place {
  const base = `http://${repository.replace('/', '/v2/')}`;
  const get = async (path: string): Promise<string | undefined> => {
    const response = await fetch(`${base}/${path}`, { headers: { accept: `${MANIFEST}, ${OCI_INDEX}` } });
    const text = await response.text();
    return response.ok ? text : undefined;
  };
  return {
    manifest: (name) => get(`manifests/${name}`),
    blob: async (digest) => (await get(`blobs/${digest}`))!,
    listed: (subject) => get(`referrers/${subject}`),
  };
}

export function layoutAt(directory: string): Place {
  const blob = (digest: string): string =>
    readFileSync(join(directory, 'blobs', ...digest.split(':')), 'utf8');
  return {
    manifest: async (name) => {
      if (name.startsWith('sha256:')) return blob(name);
      const { manifests } = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as {
        readonly manifests: readonly Referrer[];
      };
      const found = manifests.find(
        ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === name,
      );
      return found && blob(found.digest);
    },
    blob: async (digest) => blob(digest),
    listed: async () => undefined,
  };
}

/** What a reader of the specification finds: the list of the registry, else the index under the fallback tag. */
export async function referrersOf(place: Place, digest: string) {
  const listed = await place.listed(digest);
  const text = listed ?? (await place.manifest(digest.replace(':', '-')));
  if (text === undefined) return { byTag: false, manifests: [] };
  const { mediaType, manifests } = JSON.parse(text) as {
    readonly mediaType: string;
    readonly manifests: readonly Referrer[];
  };
  assert.equal(mediaType, OCI_INDEX);
  for (const one of manifests) assert.deepEqual([one.mediaType, one.artifactType], [MANIFEST, IN_TOTO]);
  return { byTag: listed === undefined, manifests };
}

/** The statement of a referrer, as its bytes. */
export async function statementOf(place: Place, referrer: string, subject: string): Promise<string> {
  const manifest = JSON.parse((await place.manifest(referrer))!) as {
    readonly artifactType: string;
    readonly subject: Referrer;
    readonly layers: readonly Referrer[];
  };
  assert.equal(manifest.artifactType, IN_TOTO);
  assert.equal(manifest.subject.digest, subject);
  const [layer, ...more] = manifest.layers;
  assert.deepEqual(more, []);
  assert.equal(layer!.mediaType, IN_TOTO);
  const text = await place.blob(layer!.digest);
  assert.equal(digestOf(text), layer!.digest);
  const { _type, subject: about, predicateType } = JSON.parse(text);
  assert.equal(_type, 'https://in-toto.io/Statement/v1');
  assert.deepEqual(about[0].digest, { sha256: subject.slice('sha256:'.length) });
  assert.deepEqual(layer!.annotations, { 'in-toto.io/predicate-type': predicateType });
  return text;
}
