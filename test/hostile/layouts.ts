import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type HostileImage, json, TYPES } from './images.ts';
import { sha256 } from './registry.ts';
import { file, tarOf } from './tar-bytes.ts';

/** Writes one file, with its directories. */
export function put(path: string, bytes: Buffer | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

/** An image as the image warmer of kaniko keeps it: an archive named after the digest, and the manifest beside it. */
export function writeKaniko(dir: string, image: HostileImage): void {
  const digest = sha256(image.manifest);
  put(join(dir, digest), kanikoArchive(image));
  put(join(dir, `${digest}.json`), image.manifest);
}

/** That archive (docker-save's older form: manifest.json names the files). */
function kanikoArchive({ config, layers }: HostileImage): Buffer {
  const names = layers.map(({ bytes }) => `${hexOf(sha256(bytes)).slice(0, 40)}.tar.gz`);
  return tarOf([
    file('config.json', config),
    ...layers.map(({ bytes }, at) => file(names[at]!, bytes)),
    file('manifest.json', json([{ Config: 'config.json', RepoTags: null, Layers: names }])),
  ]);
}

/** An image as an OCI layout. */
export function writeLayout(dir: string, image: HostileImage): void {
  put(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  for (const blob of [image.manifest, ...image.blobs])
    put(join(dir, 'blobs/sha256', hexOf(sha256(blob))), blob);
  const digest = sha256(image.manifest);
  const manifests = [{ mediaType: image.type, digest, size: image.manifest.length }];
  put(join(dir, 'index.json'), json({ schemaVersion: 2, mediaType: TYPES.index, manifests }));
}

/** Images by tag as a layer cache directory: CNCF Distribution's layout of files. */
export function writeCacheDir(dir: string, images: ReadonlyMap<string, HostileImage>): void {
  const base = join(dir, 'docker/registry/v2');
  const own = join(base, 'repositories/local/cache');
  const blob = (bytes: Buffer): string => {
    const digest = sha256(bytes);
    const hex = hexOf(digest);
    put(join(base, 'blobs/sha256', hex.slice(0, 2), hex, 'data'), bytes);
    return digest;
  };
  for (const [tag, image] of images) {
    for (const each of image.blobs) {
      const digest = blob(each);
      put(join(own, '_layers/sha256', hexOf(digest), 'link'), digest);
    }
    const digest = blob(image.manifest);
    put(join(own, '_manifests/revisions/sha256', hexOf(digest), 'link'), digest);
    put(join(own, '_manifests/tags', tag, 'current/link'), digest);
    put(join(own, '_manifests/tags', tag, 'index/sha256', hexOf(digest), 'link'), digest);
  }
}
