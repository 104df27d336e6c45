import { createReadStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../scripts/lib/shell.ts';
import { type Measured, measure } from './measure.ts';

const UNTAR = `for layer do
  case $(head -c 2 "$layer" | od -An -tx1) in *1f*) decode=gzip ;; *) decode=zstd ;; esac
  $decode -dc "$layer" | tar -x --numeric-owner -p -C "$0" || exit
done`;

/** The layers of an image as files of a registry's storage, lowest first. */
export async function layersOf(reference: string, storage: string): Promise<readonly string[]> {
  const raw = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`]);
  const { layers } = JSON.parse(raw) as { readonly layers: readonly { readonly digest: string }[] };
  return layers.map((layer) => {
    const hex = layer.digest.slice('sha256:'.length);
    return join(storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  });
}

/** `zstd -dc | tar x`, or gzip where a layer is that, of one layer after the other into a new directory. */
export async function untar(layers: readonly string[], into: string): Promise<Measured> {
  mkdirSync(into, { recursive: true });
  return measure('/bin/sh', ['-c', UNTAR, into, ...layers]);
}

/**
 * Reads files once, so that they lie in memory. A kernel may drop what nobody has read for a minute, and then whoever comes
 * first would read for all others from the disk.
 */
export async function readAhead(files: readonly string[]): Promise<void> {
  for (const file of files) for await (const _ of createReadStream(file, { highWaterMark: 1 << 20 }));
}
