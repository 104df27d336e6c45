import { type HostileImage, type HostileLayer, json, TYPES } from './images.ts';
import type { HostileRepository } from './registry.ts';
import { sha256 } from './registry.ts';

/** What an honest build stored: its records by tag, with the bytes of all that they name. */
export interface RecordBaseline {
  readonly documents: ReadonlyMap<string, Buffer>;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/** A record's manifest as an object to be changed (src/cache/record.ts describes it). */
export interface RecordManifest {
  schemaVersion: unknown;
  mediaType: unknown;
  config: Record<string, unknown>;
  layers: Record<string, unknown>[];
  annotations: Record<string, unknown>;
  [key: string]: unknown;
}

/** Takes down what a build has put into a repository. */
export function baselineOf(repository: HostileRepository): RecordBaseline {
  const tagged = [...repository.documents].filter(([tag]) => /^[0-9a-f]{64}$/.test(tag));
  if (tagged.length === 0) throw new Error('the honest build stored no record');
  return {
    documents: new Map(tagged.map(([tag, { bytes }]) => [tag, bytes])),
    blobs: new Map(repository.blobs),
  };
}

/** The records again, each with its only layer replaced. */
export function recordsWith(
  baseline: RecordBaseline,
  layer: HostileLayer,
): ReadonlyMap<string, HostileImage> {
  return editRecords(baseline, (manifest) => useLayer(manifest, layer), [layer.bytes]);
}

/** Makes a record name this layer, as if its build had made it. */
function useLayer(manifest: RecordManifest, { bytes, mediaType, diffId, toc }: HostileLayer): void {
  const digest = sha256(bytes);
  manifest.layers = [{ mediaType, digest, size: bytes.length }];
  const position = toc ? [toc.offset, toc.length, toc.digest, 2] : [];
  manifest.annotations['dev.envbuilder.chain'] = JSON.stringify([
    [mediaType, digest, bytes.length, diffId, ...position],
  ]);
  const config = JSON.parse(Buffer.from(String(manifest.config.data), 'base64').toString());
  config.rootfs.diff_ids = [diffId];
  useConfig(manifest, json(config));
}

/** Embeds a config into a record. */
export function useConfig(manifest: RecordManifest, config: Buffer): void {
  manifest.config = {
    ...manifest.config,
    digest: sha256(config),
    size: config.length,
    data: config.toString('base64'),
  };
}

/**
 * The records again, changed.
 * @param edit changes the manifest, or gives the bytes that stand in its place
 * @param blobs further blobs, for what the records now name
 */
export function editRecords(
  baseline: RecordBaseline,
  edit: (manifest: RecordManifest) => unknown,
  blobs: readonly Buffer[] = [],
): ReadonlyMap<string, HostileImage> {
  return new Map(
    [...baseline.documents].map(([tag, bytes]) => {
      const manifest = JSON.parse(bytes.toString()) as RecordManifest;
      const given = edit(manifest);
      const changed = Buffer.isBuffer(given) ? given : json(manifest);
      return [
        tag,
        {
          manifest: changed,
          type: TYPES.manifest,
          blobs: [...baseline.blobs.values(), ...blobs],
          config: Buffer.alloc(0),
          layers: [],
        },
      ];
    }),
  );
}
