import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { ImageContents, LayerContents, LayerFiles, SizedFile, WastedFile } from '../core/observer.ts';
import { readLayer } from '../layer/read-layer.ts';
import { readToc } from '../layer/toc.ts';
import type { LayerBlob } from '../layer/types.ts';
import { WHITEOUT_PREFIX } from '../layer/whiteout.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { ImageConfig } from '../oci/types.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { createUnion, type Union } from '../rootfs/extract/union.ts';
import { walkTree } from '../rootfs/extract/union-tree.ts';
import type { ExtractRequest } from '../rootfs/types.ts';
import type { LayerEntry } from '../tar/types.ts';
import type { AssembledImage } from './image.ts';

/** Files that are named of each layer, and of those that are wasted. */
const MOST_FILES = 10;
const MOST_WASTED = 30;
/** Entries that are kept in memory until the end of a build; a layer beyond it counts as not known. */
const MOST_ENTRIES = 2_000_000;

type Entries = readonly LayerEntry[];

/** What is needed of a build to look into its image. */
export interface LookedInto {
  readonly plan: Plan;
  readonly image: AssembledImage;
  /** Layers of this machine: those that were made here, and those of a cache in a directory. */
  readonly local: (digest: Digest) => LayerBlob | undefined;
  readonly made: (digest: Digest) => boolean;
  /** As in CacheRecord, of the target. */
  readonly bits: string;
}

/** Remembers what goes by, and tells in the end what lies in an image. */
export interface Contents {
  readonly seen: NonNullable<ExtractRequest['seen']>;
  /** Nothing is downloaded. @throws what the signal says */
  describe(images: readonly LookedInto[], signal: AbortSignal): Promise<readonly ImageContents[]>;
}

/** For builds that somebody observes. */
export function createContents(): Contents {
  const known = new Map<string, LayerEntry[] | undefined>();
  let count = 0;
  const entriesOf = async (blob: LayerBlob | undefined, digest: string): Promise<Entries | undefined> => {
    const entries = known.get(digest) ?? (blob && (await readEntries(blob)));
    known.set(digest, entries as LayerEntry[] | undefined);
    return entries;
  };
  return {
    seen: (digest) => {
      const entries: LayerEntry[] = [];
      known.set(digest, entries);
      return (entry) => {
        count += 1;
        if (count > MOST_ENTRIES) known.set(digest, undefined);
        else entries.push(entry);
      };
    },
    describe: async (images, signal) => {
      const described: ImageContents[] = [];
      for (const one of images) {
        const layers: (Entries | undefined)[] = [];
        for (const { digest } of one.image.layers) {
          signal.throwIfAborted();
          layers.push(await entriesOf(one.local(digest), digest));
        }
        described.push(imageContents(one, layers));
      }
      return described;
    },
  };
}

/** The entries of a layer that can be read here; undefined where it turns out to be damaged or gone. */
async function readEntries(blob: LayerBlob): Promise<Entries | undefined> {
  try {
    if (blob.toc) {
      const { count, get } = (await readToc({ ...blob, toc: blob.toc })).entries;
      return count > MOST_ENTRIES ? undefined : Array.from({ length: count }, (_, index) => get(index));
    }
    const entries: LayerEntry[] = [];
    const stream = await blob.open();
    try {
      for await (const { entry } of readLayer(stream, blob.mediaType, blob.digest, { brief: true }))
        if (entries.push(entry) > MOST_ENTRIES) return undefined;
    } finally {
      stream.destroy();
    }
    return entries;
  } catch {
    // Nothing but the description of an image that is done depends on it.
    return undefined;
  }
}

function imageContents(one: LookedInto, entries: readonly (Entries | undefined)[]): ImageContents {
  const { image, plan } = one;
  const titles = titlesOf(one);
  const own = image.layers.length - (image.runtime?.layers.length ?? 0);
  const layers = image.layers.map(({ digest, size }, index): LayerContents => {
    const listed = entries[index];
    const cached = one.made(digest) ? 'built' : 'cache';
    const origin = index < image.baseLayers.length ? 'base' : index >= own ? 'runtime' : cached;
    return { digest, size, origin, createdBy: titles[index] ?? null, files: listed ? filesOf(listed) : null };
  });
  return {
    platform: formatPlatform(plan.imagePlatform),
    digest: digestOf(image.manifest),
    size: layers.reduce((sum, { size }) => sum + size, 0),
    layers,
    waste: wasteOf(entries),
  };
}

/** What made each layer: instructions as the Dockerfile has them, without values; of a base image what its history says. */
function titlesOf({ image, plan, bits }: LookedInto): readonly (string | undefined)[] {
  const { history = [] } = JSON.parse(image.config.toString('utf8')) as ImageConfig;
  const said = history.filter((entry) => !entry.empty_layer).map((entry) => entry.created_by);
  const made = lineage(plan).filter((_, index) => bits[index] === '1');
  const base = image.baseLayers.length;
  return image.layers.map((_, index) => made[index - base]?.text ?? said[index]);
}

/** The steps of the target, those of the stages that it goes on from first. */
function lineage({ stages, target }: Plan): readonly Step[] {
  const steps: Step[] = [];
  for (let at: PlannedStage | undefined = stages.get(target); at; ) {
    steps.unshift(...at.steps);
    at = at.base.type === 'stage' ? stages.get(at.base.stage) : undefined;
  }
  return steps;
}

function filesOf(entries: Entries): LayerFiles {
  const files = entries.filter(({ type, size, path }) => type === 'file' && (size > 0 || !isWhiteout(path)));
  return {
    count: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    largest: largest(
      files.map(({ path, size }): SizedFile => ({ path, bytes: size })),
      MOST_FILES,
    ),
  };
}

function isWhiteout(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(WHITEOUT_PREFIX);
}

/** Files that a layer holds and a later one replaces or removes. */
function wasteOf(layers: readonly (Entries | undefined)[]): ImageContents['waste'] {
  const wasted: WastedFile[] = [];
  let by = 0;
  let what: WastedFile['what'] | undefined;
  const union: Union = createUnion({
    partial: true,
    removed: (top) => {
      if (!what) return;
      const { tree } = union;
      walkTree(tree, top, (node) => {
        if (tree.isDir(node) || tree.type(node) !== 'file' || tree.firstName(tree.inode(node)) !== node)
          return;
        const bytes = tree.entry(node).size;
        if (bytes > 0)
          wasted.push({ path: tree.path(node), bytes, what: what!, layer: tree.inodeLayer(node), by });
      });
    },
  });
  for (const [index, entries = []] of layers.entries()) {
    by = index;
    union.beginLayer();
    for (const entry of entries) {
      what = isWhiteout(entry.path) ? 'removed' : 'replaced';
      try {
        union.apply(entry);
      } catch (error) {
        // Nobody has unpacked the layer; whoever does is told.
        if (!(error instanceof AppError)) throw error;
      }
    }
    what = undefined;
    union.endLayer();
  }
  return {
    bytes: wasted.reduce((sum, { bytes }) => sum + bytes, 0),
    count: wasted.length,
    largest: largest(wasted, MOST_WASTED),
    complete: layers.every((entries) => entries !== undefined),
  };
}

function largest<T extends SizedFile>(files: readonly T[], most: number): readonly T[] {
  return files.toSorted((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).slice(0, most);
}
