import type { LookupOptions, Refusal } from '../../cache/lookup.ts';
import type { CacheRecord } from '../../cache/types.ts';
import type { Digest } from '../../core/digest.ts';
import type { Plan, Step } from '../../plan/types.ts';
import type { UsableRecords } from '../usable-records.ts';
import { type MissCause, missCause, timeText } from './causes.ts';
import { createComparison, stepBefore } from './compare.ts';
import type { Trace } from './trace.ts';

/** What is known when the causes of misses are asked for. */
export interface MissFacts {
  readonly plan: Plan;
  /** Of an earlier build, where there is one. */
  readonly trace: Trace | undefined;
  /** Every record that was found. */
  readonly found: ReadonlyMap<Digest, CacheRecord>;
  readonly usable: Pick<UsableRecords, 'hits'> & Partial<Pick<UsableRecords, 'unusable'>>;
  /** Undefined where nothing was looked up. */
  readonly lookup: Pick<LookupOptions, 'refused' | 'ttlMs'> | undefined;
}

/** A function that gives the causes of a step's miss, the nearest first: at least one. */
export function createExplainer(facts: MissFacts): (step: Step) => Promise<readonly MissCause[]> {
  const { plan, trace, found, usable, lookup } = facts;
  const compare = trace && createComparison(plan, trace);
  const ofRecord = (step: Step): MissCause | undefined => {
    if (!lookup) return missCause('no-cache');
    const refusal = lookup.refused?.get(step.key);
    if (refusal && !found.has(step.key)) return refusalCause(refusal, lookup.ttlMs);
    const record = found.get(step.key);
    const gone = record?.chain.filter(({ digest }) => usable.unusable?.has(digest)) ?? [];
    if (gone.length > 0)
      return missCause('layer-gone', { names: gone.map(({ digest }) => digest.slice(0, 19)) });
    return record && missCause('other-build');
  };
  return async (step) => {
    const own = ofRecord(step);
    if (own) return [own];
    if (compare) return compare(step);
    const below = plan.stages.get(step.stage)!.steps[step.index - 1];
    const depth = usable.hits.get(step.stage)?.depth ?? 0;
    return [missCause('never-built'), ...(below && below.index >= depth ? [stepBefore(below)] : [])];
  };
}

function refusalCause(refusal: Refusal, ttlMs: number): MissCause {
  switch (refusal.code) {
    case 'expired': {
      const days = Math.round(ttlMs / 86_400_000);
      return missCause('expired', { what: timeText(refusal.created), is: `${days} days` });
    }
    case 'unsigned':
      return missCause('unsigned');
    case 'unknown-key':
    case 'wrong-signature':
      return missCause(refusal.code, { names: refusal.ids });
    case 'record-unreadable':
    case 'cache-unreachable':
      return missCause(refusal.code, { what: refusal.message });
  }
}

/** Causes as one sentence. */
export function causesText(causes: readonly MissCause[]): string {
  const [first, ...more] = causes.map(({ text }) => text);
  // The time of the earlier build is said once.
  const since = / since the build of [\d: -]+$/.exec(first ?? '')?.[0];
  if (since === undefined || more.length === 0) return [first, ...more].join('; ');
  const texts = [first!, ...more].map((text) => (text.endsWith(since) ? text.slice(0, -since.length) : text));
  return `${texts.join('; ')}${since}`;
}
