import { imageBlobs } from '../builder/publishing/layer-blobs.ts';
import type { Emit } from '../core/events.ts';
import { formatBytes } from '../core/units.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { Image } from '../oci/types.ts';
import { diffFiles } from './diff-files.ts';
import type { ConfigChange, DiffImage, DiffLayer, ImageDiff } from './types.ts';

/**
 * What two images do not have in common: layers, parts of the config, files. Where they have the same layers, none is read.
 * @throws AppError as diffFiles
 */
export async function diffOf(
  first: Image,
  second: Image,
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<ImageDiff> {
  const [before, after] = [imageBlobs(first), imageBlobs(second)];
  const layers = diffLayers(layersOf(first), layersOf(second));
  const bytes = bytesOf(new Map([...before, ...after].map((blob) => [blob.digest, blob])).values());
  if (layers.onlyFirst.length + layers.onlySecond.length > 0)
    emit({ type: 'message', level: 'info', text: `reading layers of ${formatBytes(bytes)}` });
  return {
    first: imageOf(first),
    second: imageOf(second),
    layers,
    config: diffConfig(first, second),
    files: await diffFiles(before, after, signal),
  };
}

function imageOf({ reference, manifest, parsed, config }: Image): DiffImage {
  return {
    reference,
    digest: manifest.descriptor.digest,
    platform: formatPlatform(config),
    layers: parsed.layers.length,
    bytes: bytesOf(parsed.layers),
  };
}

function bytesOf(layers: Iterable<{ readonly size: number }>): number {
  let bytes = 0;
  for (const { size } of layers) bytes += size;
  return bytes;
}

/** The layers, lowest first, with the entries of the history that made them, where it has as many. */
function layersOf({ parsed, config }: Image): readonly DiffLayer[] {
  const made = (config.history ?? []).filter(({ empty_layer: isEmpty }) => isEmpty !== true);
  const known = made.length === parsed.layers.length;
  return parsed.layers.map(({ digest, size }, index) => ({
    digest,
    size,
    diffId: config.rootfs.diff_ids[index]!,
    createdBy: (known ? made[index]!.created_by : undefined) ?? null,
  }));
}

/** A layer that an image has twice is shared as often as the other one has it. */
function diffLayers(first: readonly DiffLayer[], second: readonly DiffLayer[]): ImageDiff['layers'] {
  const left = [...second];
  const shared: DiffLayer[] = [];
  const onlyFirst: DiffLayer[] = [];
  for (const layer of first) {
    const at = left.findIndex(({ diffId }) => diffId === layer.diffId);
    if (at < 0) onlyFirst.push(layer);
    else shared.push(...left.splice(at, 1));
  }
  return { shared, onlyFirst, onlySecond: left };
}

/** The parts of the config of two images that are not the same, each with its name. */
function diffConfig(first: Image, second: Image): readonly ConfigChange[] {
  const [before, after] = [configParts(first), configParts(second)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => ({ name, before: before.get(name) ?? null, after: after.get(name) ?? null }));
}

function configParts({ config: image }: Image): ReadonlyMap<string, string> {
  const { config = {} } = image;
  const json = (value: unknown): string | undefined =>
    value === undefined ? undefined : JSON.stringify(value);
  const parts: [string, string | undefined][] = [
    ['platform', formatPlatform(image)],
    ['created', image.created],
    ['author', image.author],
    ['user', config.User || undefined],
    ['working directory', config.WorkingDir || undefined],
    ['entrypoint', json(config.Entrypoint)],
    ['command', json(config.Cmd)],
    ['shell', json(config.Shell)],
    ['stop signal', config.StopSignal],
    ['health check', json(config.Healthcheck)],
    ['onbuild', json(config.OnBuild)],
  ];
  for (const port of Object.keys(config.ExposedPorts ?? {})) parts.push([`port ${port}`, 'exposed']);
  for (const path of Object.keys(config.Volumes ?? {})) parts.push([`volume ${path}`, 'declared']);
  for (const entry of config.Env ?? []) {
    const [name, ...value] = entry.split('=');
    parts.push([`env ${name}`, value.join('=')]);
  }
  for (const [name, value] of Object.entries(config.Labels ?? {})) parts.push([`label ${name}`, value]);
  return new Map(parts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}
