import { basename } from 'node:path';
import { readNote, storeNote } from '../cache/note.ts';
import { canonicalDigest } from '../core/canonical.ts';
import { once } from '../core/concurrency.ts';
import { hexOf } from '../core/digest.ts';
import type { Store } from '../oci/types.ts';
import type { Plan, Step } from '../plan/types.ts';

/*
 * A trace is what the keys of a build were made of, stored under a tag that stays the same when the Dockerfile changes;
 * it serves only to say why a step is missing, and whether it is worth while to wait for a content key; it is never trusted
 * for anything else.
 */

interface TraceStep {
  readonly text: string;
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  command: 'its command',
  environment: 'a variable it sees (ENV or ARG)',
  user: 'the user',
  workdir: 'the working directory',
  mounts: 'its mounts',
  sources: 'the files it copies',
  destination: 'its destination',
  chown: '--chown',
  chmod: '--chmod',
  path: 'its path',
};

/** The tag of a build's trace: the shape of the Dockerfile and the target, not their details. */
function traceTag(plan: Plan): string {
  const names = [...plan.stages.values()].map(({ name, base }) => [name, base.type]);
  const target = plan.stages.get(plan.target)!;
  const { os, architecture, variant } = plan.platform;
  const file = basename(target.steps[0]?.range.file ?? '');
  // Builds with other times have other keys, which would explain nothing.
  const times = plan.mtime === 'keep' ? {} : { mtime: plan.mtime };
  const shape = { names, file, platform: [os, architecture, variant ?? ''], ...times };
  return `trace-${hexOf(canonicalDigest(shape)).slice(0, 40)}`;
}

/** Stores the trace of a finished build. */
export async function storeTrace(store: Store, plan: Plan, signal: AbortSignal): Promise<void> {
  const steps = allSteps(plan).map(
    ({ text, key, fields }): TraceStep => ({ text: shortText(text), key, fields }),
  );
  await storeNote(store, { kind: 'trace', tag: traceTag(plan), text: JSON.stringify(steps) }, signal);
}

/** Why a step misses, when an earlier build of the same Dockerfile left a trace; undefined when it cannot be told. */
export async function explainMiss(
  store: Store,
  plan: Plan,
  step: Step,
  signal: AbortSignal,
): Promise<string | undefined> {
  const earlier = await readTrace(store, plan, signal);
  if (!earlier) return undefined;
  const index = allSteps(plan).indexOf(step);
  const before = earlier[index];
  if (!before) return 'an earlier build had no such step';
  if (before.key === step.key) return 'it was built before, but its record is gone, too old or not trusted';
  const changed = Object.keys(step.fields).filter((name) => step.fields[name] !== before.fields[name]);
  if (changed.includes('kind')) return 'the last build had another instruction in its place';
  if (changed.length === 0)
    return 'something below it changed: its base image, an earlier stage, or the cache salt';
  return `since the last build ${changed.map((name) => FIELD_NAMES[name] ?? name).join(' and ')} changed`;
}

/**
 * Whether the last build of the same Dockerfile, with the same times, had a step with this text; asked of the store once, at
 * the first call. Where it cannot be told, there was none.
 */
export function createMemory(
  store: Store,
  plan: Plan,
  signal: AbortSignal,
): (step: Step) => Promise<boolean> {
  const texts = once(async () => {
    const earlier = await readTrace(store, plan, signal).catch(() => undefined);
    return new Set((earlier ?? []).map(({ text }) => text));
  });
  return async ({ text }) => (await texts()).has(shortText(text));
}

async function readTrace(store: Store, plan: Plan, signal: AbortSignal): Promise<TraceStep[] | undefined> {
  const steps = await readNote(store, { kind: 'trace', tag: traceTag(plan) }, signal);
  return Array.isArray(steps) ? (steps as TraceStep[]) : undefined;
}

function shortText(text: string): string {
  return text.slice(0, 200);
}

function allSteps(plan: Plan): Step[] {
  return [...plan.stages.values()].flatMap((stage) => [...stage.steps]);
}
