import type { Digest } from '../core/digest.ts';
import type { InventoryEntry, Usage } from './types.ts';

/** What the layers of records take by stage and by instruction, the largest first. */
export interface UsageReport {
  readonly stages: readonly Usage[];
  readonly instructions: readonly Usage[];
  /** Layers that images bring and no record does: those of their bases. */
  readonly otherBytes: number;
}

/** Of records that no trace names. */
const UNKNOWN = '(unknown)';

/** Each layer is counted once, for the first record that brings it. */
export function usageOf(entries: readonly InventoryEntry[]): UsageReport {
  const counted = new Set<Digest>();
  const stages = new Map<string, Usage>();
  const instructions = new Map<string, Usage>();
  const add = (usage: Map<string, Usage>, name: string, bytes: number): void => {
    const { records = 0, bytes: before = 0 } = usage.get(name) ?? {};
    usage.set(name, { name, records: records + 1, bytes: before + bytes });
  };
  const take = ({ layers }: InventoryEntry): number => {
    const own = layers.filter(({ digest }) => !counted.has(digest));
    for (const { digest } of own) counted.add(digest);
    return own.reduce((sum, { size }) => sum + size, 0);
  };
  for (const entry of entries) {
    if (entry.kind !== 'record') continue;
    const bytes = take(entry);
    add(stages, entry.step?.stage ?? UNKNOWN, bytes);
    add(instructions, entry.step?.instruction ?? UNKNOWN, bytes);
  }
  const otherBytes = entries.filter(({ kind }) => kind === 'image').reduce((sum, one) => sum + take(one), 0);
  const sorted = (usage: ReadonlyMap<string, Usage>): readonly Usage[] =>
    [...usage.values()].sort((a, b) => b.bytes - a.bytes);
  return { stages: sorted(stages), instructions: sorted(instructions), otherBytes };
}
