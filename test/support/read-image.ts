import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { capture } from '../../scripts/lib/shell.ts';
import { flatten } from './flatten.ts';
import type { ImageDescription } from './tree.ts';

interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** An image's parts as bytes, whatever it was stored in; layers are uncompressed tars. */
export interface RawImage {
  readonly manifestDigest?: string;
  readonly config: Buffer;
  readonly layers: readonly Buffer[];
  readonly problems: readonly string[];
}

/** The directory into which `docker save` (or `--output type=docker`) was unpacked: its `manifest.json` names the files. */
export async function readDockerArchive(dir: string): Promise<RawImage> {
  const [image] = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as {
    Config: string;
    Layers: string[];
  }[];
  if (image === undefined) throw new Error('the archive holds no image');
  const layers: Buffer[] = [];
  for (const file of image.Layers) layers.push(await decompress(readFileSync(join(dir, file))));
  return { config: readFileSync(join(dir, image.Config)), layers, problems: [] };
}

/** The first image of an OCI image layout; every digest and size is checked. */
export async function readOciLayout(dir: string): Promise<RawImage> {
  const problems: string[] = [];
  if (!existsSync(join(dir, 'oci-layout'))) problems.push('oci-layout is missing');
  const read = (descriptor: OciDescriptor): Buffer => {
    const bytes = readFileSync(join(dir, 'blobs', ...descriptor.digest.split(':')));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (digest !== descriptor.digest) problems.push(`blob ${descriptor.digest} has the digest ${digest}`);
    if (bytes.length !== descriptor.size)
      problems.push(`blob ${descriptor.digest} has not the size ${descriptor.size}`);
    return bytes;
  };
  const index = JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8')) as { manifests: OciDescriptor[] };
  const first = index.manifests[0];
  if (first === undefined) throw new Error('index.json names no image');
  const manifest = JSON.parse(read(first).toString()) as { config: OciDescriptor; layers: OciDescriptor[] };
  const config = read(manifest.config);
  const layers: Buffer[] = [];
  for (const layer of manifest.layers) layers.push(await decompress(read(layer)));
  const { diff_ids: diffIds } = (JSON.parse(config.toString()) as { rootfs: { diff_ids: string[] } }).rootfs;
  const own = layers.map((layer) => `sha256:${createHash('sha256').update(layer).digest('hex')}`);
  if (own.join() !== diffIds.join())
    problems.push(`diff_ids are ${diffIds.join()}, the layers have ${own.join()}`);
  return { manifestDigest: first.digest, config, layers, problems };
}

async function decompress(blob: Buffer): Promise<Buffer> {
  if (blob[0] === 0x1f && blob[1] === 0x8b) return gunzipSync(blob);
  if (
    blob.length < 4 ||
    (blob.readUInt32LE(0) !== 0xfd2fb528 && (blob.readUInt32LE(0) & 0xfffffff0) !== 0x184d2a50)
  ) {
    return blob;
  }
  const { code, stdout, stderr } = await capture('zstd', ['-dc'], { input: blob });
  if (code !== 0) throw new Error(`zstd: ${stderr}`);
  return stdout;
}

/** Flattens an image and picks what a user can see of its configuration. */
export function describeImage(image: RawImage, madeAfter: number): ImageDescription {
  const { tree, problems } = flatten(image.layers, madeAfter);
  const config = JSON.parse(image.config.toString()) as {
    config?: Record<string, unknown>;
    history?: { created_by?: string; empty_layer?: boolean }[];
    [key: string]: unknown;
  };
  const history = (config.history ?? []).map((line) => ({
    createdBy: line.created_by ?? '',
    empty: line.empty_layer === true,
  }));
  const own = [...image.problems, ...problems];
  const filled = history.filter((line) => !line.empty).length;
  if (history.length > 0 && filled !== image.layers.length) {
    own.push(`history has ${filled} lines with a layer, the image has ${image.layers.length} layers`);
  }
  return { tree, config: visibleConfig(config), history, problems: own };
}

/** Fields that only a Docker engine writes, or that mean the same when they are empty. */
function visibleConfig(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const visible: Record<string, unknown> = {};
  const keep = (prefix: string, fields: Readonly<Record<string, unknown>>, names: readonly string[]) => {
    for (const name of names) {
      const value = fields[name];
      const empty = value === undefined || value === null || value === '' || JSON.stringify(value) === '{}';
      const list = Array.isArray(value) && value.length === 0;
      if (!empty && !list) visible[`${prefix}${name}`] = value;
    }
  };
  keep('', config, ['os', 'architecture', 'variant', 'author']);
  keep('config.', (config.config ?? {}) as Record<string, unknown>, [
    'User',
    'ExposedPorts',
    'Env',
    'Entrypoint',
    'Cmd',
    'Volumes',
    'WorkingDir',
    'Labels',
    'StopSignal',
    'OnBuild',
    'Shell',
    'Healthcheck',
  ]);
  return visible;
}
