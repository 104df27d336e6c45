import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { ImageContents, LayerContents, LayerFiles, SizedFile, WastedFile } from '../core/observer.ts';
import { readLayer } from '../layer/read-layer.ts';
import { readToc } from '../layer/toc.ts';
import { createTocEntries } from '../layer/toc-entries.ts';
import type { LayerBlob, TocEntries } from '../layer/types.ts';
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
/** Files that are sorted into the largest ones at once. */
const PENDING = 1000;
/** Entries that are kept in memory until the end of a build; a layer beyond it counts as not known. */
const MOST_ENTRIES = 2_000_000;

/** Packed, some 70 bytes for each. */
type Entries = Pick<TocEntries, 'count' | 'get'>;

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
  const known = new Map<string, Entries | undefined>();
  let count = 0;
  const entriesOf = async (blob: LayerBlob | undefined, digest: string): Promise<Entries | undefined> => {
    const kept = known.get(digest);
    if (kept || !blob) return kept;
    const entries = await readEntries(blob, MOST_ENTRIES - count);
    count += entries?.count ?? 0;
    known.set(digest, entries);
    return entries;
  };
  return {
    seen: (digest) => {
      const entries = createTocEntries();
      known.set(digest, entries);
      return (entry) => {
        count += 1;
        if (count > MOST_ENTRIES) known.set(digest, undefined);
        else entries.add(packable(entry));
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

/** What is told of an entry: not its attributes, and not where its content is. */
function packable(entry: LayerEntry): LayerEntry {
  const { xattrs: _, ...rest } = entry;
  return rest;
}

/** The entries of a layer that can be read here; undefined where there are more, or it turns out to be damaged or gone. */
async function readEntries(blob: LayerBlob, most: number): Promise<Entries | undefined> {
  try {
    if (blob.toc) {
      const { entries } = await readToc({ ...blob, toc: blob.toc });
      return entries.count > most ? undefined : entries;
    }
    const entries = createTocEntries();
    const stream = await blob.open();
    try {
      for await (const { entry } of readLayer(stream, blob.mediaType, blob.digest, { brief: true })) {
        entries.add(packable(entry));
        if (entries.count > most) return undefined;
      }
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
  const files = createLargest<SizedFile>(MOST_FILES);
  for (let index = 0; index < entries.count; index += 1) {
    const { type, size, path } = entries.get(index);
    if (type === 'file' && (size > 0 || !isWhiteout(path))) files.add({ path, bytes: size });
  }
  return files.result();
}

function isWhiteout(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(WHITEOUT_PREFIX);
}

/** Files that a layer holds and a later one replaces or removes. */
function wasteOf(layers: readonly (Entries | undefined)[]): ImageContents['waste'] {
  const wasted = createLargest<WastedFile>(MOST_WASTED);
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
          wasted.add({ path: tree.path(node), bytes, what: what!, layer: tree.inodeLayer(node), by });
      });
    },
  });
  for (const [index, entries] of layers.entries()) {
    by = index;
    union.beginLayer();
    for (let at = 0; at < (entries?.count ?? 0); at += 1) {
      const entry = entries!.get(at);
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
  return { ...wasted.result(), complete: layers.every((entries) => entries !== undefined) };
}

/** Counts files and keeps the largest of them, whose order goes by their paths where they have the same size. */
function createLargest<T extends SizedFile>(most: number) {
  let kept: readonly T[] = [];
  let added: T[] = [];
  let [count, bytes] = [0, 0];
  const settle = (): void => {
    const all = [...kept, ...added];
    kept = all.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).slice(0, most);
    added = [];
  };
  return {
    add: (file: T): void => {
      count += 1;
      bytes += file.bytes;
      if (kept.length === most && file.bytes < kept.at(-1)!.bytes) return;
      if (added.push(file) > PENDING) settle();
    },
    result: (): { readonly count: number; readonly bytes: number; readonly largest: readonly T[] } => {
      settle();
      return { count, bytes, largest: kept };
    },
  };
}
