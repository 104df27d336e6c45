import { chmodSync } from 'node:fs';
import { once } from '../../core/concurrency.ts';
import type { Digest } from '../../core/digest.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import { extractOnTop, type StackDeps } from './stack.ts';

export interface OverlayBasesDeps extends StackDeps {
  readonly signal: AbortSignal;
  /** Makes a new directory. */
  readonly nextDir: () => string;
  /** Mounts directories on top of each other, lowest first, to be read. */
  readonly view: (lowers: readonly string[]) => Promise<string>;
  /** Layers, by layersKey, that several others will be put on top of. */
  readonly shared?: ReadonlySet<string>;
}

/** Layers as directories. */
export interface OverlayBases {
  /**
   * Directories, lowest first, that hold these layers when an overlay mount has them on top of each other. Written once;
   * what lies on layers that are there already is put on top of those.
   */
  lowersOf(layers: readonly LayerBlob[]): Promise<readonly string[]>;
  /** Directories that hold what these layers would make; others are put on top of them. */
  add(diffIds: readonly Digest[], lowers: readonly string[]): void;
  /** Waits until nothing is written any more. */
  settled(): Promise<void>;
}

/** Layers that others are put on top of, and how they are had. */
interface Below {
  readonly count: number;
  readonly lowers: () => Promise<readonly string[]>;
}

/** Writes layers into directories for overlay mounts. */
export function createOverlayBases(deps: OverlayBasesDeps): OverlayBases {
  const bases = new Map<string, Promise<readonly string[]>>();
  /** Layers without a table of contents that a base was made of together with others above them, or soon will be. */
  const met = new Set(deps.shared);

  const lowersOf = (layers: readonly LayerBlob[]): Promise<readonly string[]> => {
    const key = keyOf(layers);
    let lowers = bases.get(key);
    if (!lowers) {
      lowers = materialise(layers);
      lowers.catch(() => bases.delete(key));
      bases.set(key, lowers);
    }
    return lowers;
  };

  const materialise = async (layers: readonly LayerBlob[]): Promise<readonly string[]> => {
    const target = deps.nextDir();
    try {
      chmodSync(target, 0o755);
      return await materialiseAt(target, layers);
    } catch (error) {
      // What is not whole is of no use to anybody, and takes room from those that go on without it. A build that was ended
      // waits for nothing: what it leaves is swept by another process.
      if (!deps.signal.aborted) removeTree(target);
      throw error;
    }
  };

  const materialiseAt = async (target: string, layers: readonly LayerBlob[]): Promise<readonly string[]> => {
    const below = findBelow(layers);
    if (below) {
      const lowers = once(below.lowers);
      const view = async (): Promise<string> => deps.view(await lowers());
      if (await extractOnTop(layers.slice(below.count), view, target, deps))
        return [...(await lowers()), target];
    }
    if (layers.length > 0) await deps.extract(layers, target);
    return [target];
  };

  /** What holds the most of the lowest layers; layers without tables of contents are worth a base when they come again. */
  const findBelow = (layers: readonly LayerBlob[]): Below | undefined => {
    for (let count = layers.length - 1; count > 0; count -= 1) {
      const lowers = bases.get(keyOf(layers.slice(0, count)));
      if (lowers) return { count, lowers: () => lowers };
    }
    const count = layers.findLastIndex(({ toc }) => !toc) + 1;
    if (count === 0 || count === layers.length) return undefined;
    const below = layers.slice(0, count);
    if (met.has(keyOf(below))) return { count, lowers: () => lowersOf(below) };
    met.add(keyOf(below));
    return undefined;
  };

  return {
    lowersOf,
    add: (diffIds, lowers) => {
      const key = layersKey(diffIds);
      if (!bases.has(key)) bases.set(key, Promise.resolve(lowers));
    },
    settled: async () => {
      await Promise.allSettled(bases.values());
    },
  };
}

function keyOf(layers: readonly LayerBlob[]): string {
  return layersKey(layers.map(({ diffId }) => diffId));
}

/** A name for what layers hold, lowest first. */
export function layersKey(diffIds: readonly Digest[]): string {
  return diffIds.join(' ');
}
