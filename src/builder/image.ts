import type { LayerRef } from '../cache/types.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { normalizePlatform } from '../oci/platform.ts';
import type { Descriptor, HistoryEntry, Image, ImageConfig, Index, Manifest } from '../oci/types.ts';
import type { Plan, PlannedStage } from '../plan/types.ts';
import { checkDepth } from './depth.ts';
import { baseDescriptor, layerDescriptor } from './publishing/layer-table.ts';
import { type PreparedRuntime, runtimeConfig } from './publishing/runtime.ts';

/** An image as bytes, and the layers it names, lowest first. */
export interface AssembledImage {
  readonly manifest: Buffer;
  readonly config: Buffer;
  readonly layers: readonly Descriptor[];
  readonly baseLayers: readonly Descriptor[];
  /** Those of the runtime that was put on top, by digest. */
  readonly runtime: PreparedRuntime | undefined;
  /** Of `layers`, in the same order. */
  readonly diffIds: readonly Digest[];
}

/** What the cache or the build knows about the target stage. */
export interface TargetLayers {
  readonly chain: readonly LayerRef[];
  /** As in CacheRecord. */
  readonly made: string;
  /** RFC 3339; undefined when the stage has no step, then the base's own time stands. */
  readonly created: string | undefined;
}

/**
 * The image of the target stage. A pure function of the plan and the target's last record, so a probe that finds the
 * record knows the digest of the image that the build pushed.
 * @param runtime put on top, so that the image starts with us
 * @throws AppError BUILD_FAILED where that makes too many layers
 */
export function assembleImage(plan: Plan, target: TargetLayers, runtime?: PreparedRuntime): AssembledImage {
  const stage = plan.stages.get(plan.target)!;
  const base = baseImage(plan, stage);
  const created = target.created ?? base?.config.created;
  const baseLayers = (base?.parsed.layers ?? []).map(baseDescriptor);
  const own = [...target.chain, ...(runtime?.layers ?? []).map(({ layer }) => layer)];
  const platform = plan.imagePlatform;
  const sameSystem = base?.config.os === platform.os && base?.config.architecture === platform.architecture;
  const config: ImageConfig = {
    ...(created ? { created } : {}),
    ...(stage.author ? { author: stage.author } : {}),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant ? { variant: platform.variant } : {}),
    ...(sameSystem && base?.config['os.version'] ? { 'os.version': base.config['os.version'] } : {}),
    config: runtime ? runtimeConfig(stage.config) : stage.config,
    rootfs: {
      type: 'layers',
      diff_ids: [...(base?.config.rootfs.diff_ids ?? []), ...own.map((layer) => layer.diffId)],
    },
    history: [
      ...baseHistory(base),
      ...historyOf(plan, stage, target),
      ...(runtime?.layers ?? []).map(({ createdBy }) => ({
        ...(created ? { created } : {}),
        created_by: createdBy,
      })),
    ],
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const layers = [...baseLayers, ...own.map(layerDescriptor)];
  checkDepth(layers.length);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(configBytes), size: configBytes.length },
    layers,
  };
  return {
    manifest: Buffer.from(JSON.stringify(manifest)),
    config: configBytes,
    layers,
    baseLayers,
    runtime,
    diffIds: config.rootfs.diff_ids,
  };
}

/**
 * The index of several images, in their order, as BuildKit's exporter writes it (OCI image spec, "Image Index"). A pure
 * function as assembleImage.
 */
export function assembleIndex(
  images: readonly { readonly plan: Plan; readonly image: AssembledImage }[],
): Buffer {
  const manifests = images.map(({ plan, image }) => ({
    ...manifestDescriptor(image),
    platform: normalizePlatform(plan.imagePlatform),
  }));
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
  return Buffer.from(JSON.stringify(index));
}

/** What names an image. */
export function manifestDescriptor({ manifest }: AssembledImage): Descriptor {
  return { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(manifest), size: manifest.length };
}

/** The image that a stage starts from, through any `FROM stage`; undefined for scratch. */
export function baseImage(plan: Plan, stage: PlannedStage): Image | undefined {
  if (stage.base.type === 'scratch') return undefined;
  if (stage.base.type === 'image') return stage.base.image;
  return baseImage(plan, plan.stages.get(stage.base.stage)!);
}

function historyOf(plan: Plan, stage: PlannedStage, target: TargetLayers): HistoryEntry[] {
  const lineage: PlannedStage[] = [];
  for (let at: PlannedStage | undefined = stage; at; ) {
    lineage.unshift(at);
    at = at.base.type === 'stage' ? plan.stages.get(at.base.stage) : undefined;
  }
  let step = 0;
  return lineage.flatMap(({ history }) =>
    history.map((line) => {
      const made = line.step !== undefined && target.made[step] === '1';
      if (line.step !== undefined) step += 1;
      return {
        ...(target.created ? { created: target.created } : {}),
        // Values of build arguments stand in it, and images are for everybody.
        created_by: maskUrlCredentials(line.createdBy),
        comment: 'envbuilder',
        ...(made ? {} : { empty_layer: true }),
      };
    }),
  );
}

/** The base's history with one entry for every layer: engines refuse an image where the two do not match. */
function baseHistory(base: Image | undefined): HistoryEntry[] {
  const history = [...(base?.config.history ?? [])];
  const described = history.filter((entry) => !entry.empty_layer).length;
  const missing = (base?.config.rootfs.diff_ids.length ?? 0) - described;
  for (let i = 0; i < missing; i += 1) history.push({ created_by: 'base layer without history' });
  return history;
}
