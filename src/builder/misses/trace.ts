import { basename } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import * as v from 'valibot';
import { readNote, storeNote } from '../../cache/note.ts';
import { canonicalDigest } from '../../core/canonical.ts';
import { mapLimit } from '../../core/concurrency.ts';
import { type Digest, hexOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { maskUrlCredentials } from '../../core/url-credentials.ts';
import type { Store } from '../../oci/types.ts';
import { KEY_SCHEMA } from '../../plan/keys.ts';
import type { Plan, PlannedStage, Step } from '../../plan/types.ts';
import { baseParts, createMark, type FileMarks, fileMarks, type Mark, stepParts } from './parts.ts';

/*
 * A trace is what the keys of a build were made of, stored under a tag that stays the same when the Dockerfile changes;
 * it serves only to say why a step is missing, and whether it is worth while to wait for a content key; it is never trusted
 * for anything else (decision 86).
 */

const VERSION = 2;
/** Of a trace in the cache, in bytes; one that would be longer leaves out the names of files. */
const MOST_BYTES = 96 * 1024;
/** Of the JSON that it is packed from. */
const MOST_JSON = 2 * 1024 * 1024;
const MOST_TEXT = 200;
/** Traces that are asked for at once. */
const PARALLEL = 64;
/** How much of a digest of an image stands in a trace. */
const SHORT_DIGEST = 12;

const text = v.pipe(v.string(), v.maxLength(4096));
const parts = v.record(text, v.pipe(v.string(), v.maxLength(64)));
const STEP = v.object({
  text,
  key: text,
  parts,
  files: v.optional(v.object({ files: parts, depth: v.pipe(v.number(), v.integer(), v.minValue(0)) })),
});
const STAGE = v.object({
  name: text,
  base: v.object({ name: text, layers: text, parts }),
  steps: v.array(STEP),
});
const TRACE = v.object({
  at: v.pipe(text, v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)),
  schema: v.number(),
  /** The mark of nothing: another one where the cache salt is another one. */
  salt: text,
  stages: v.array(STAGE),
});
const PACKED = v.object({ trace: v.literal(VERSION), packed: v.string() });

export type Trace = v.InferOutput<typeof TRACE>;
export type TraceStage = Trace['stages'][number];
export type TraceStep = TraceStage['steps'][number];

/** The tag of a build's trace: the shape of the Dockerfile and the target, not their details. */
export function traceTag(plan: Plan): string {
  const names = [...plan.stages.values()].map(({ name, base }) => [name, base.type]);
  const target = plan.stages.get(plan.target)!;
  const { os, architecture, variant } = plan.platform;
  const file = basename(target.steps[0]?.range.file ?? '');
  // Builds with other times have other keys, which would explain nothing.
  const times = plan.mtime === 'keep' ? {} : { mtime: plan.mtime };
  const shape = { names, file, platform: [os, architecture, variant ?? ''], ...times };
  return `trace-${hexOf(canonicalDigest(shape)).slice(0, 40)}`;
}

/** What marks the parts of a plan. */
export function markOf(plan: Plan): Mark {
  return createMark(traceTag(plan), plan.stages.get(plan.target)!.baseInput.salt);
}

/** The mark of nothing. */
export const saltMark = (mark: Mark): string => mark('salt', null);

/** What a stage starts from, as traces name it. */
export function baseOf(plan: Plan, stage: PlannedStage, mark: Mark): TraceStage['base'] {
  const { base, baseInput } = stage;
  const name =
    base.type === 'image'
      ? maskUrlCredentials(base.image.reference)
      : base.type === 'stage'
        ? plan.stages.get(base.stage)!.name
        : base.type;
  const layers = hexOf(canonicalDigest(baseInput.diffIds)).slice(0, SHORT_DIGEST);
  return { name, layers, parts: base.type === 'stage' ? {} : baseParts(stage, mark) };
}

export interface TraceDeps {
  /** Of the build, RFC 3339 with whole seconds. */
  readonly at: string;
  /** What the last build left: of steps that are the same, their files are taken from it. */
  readonly earlier: Trace | undefined;
  /** Whether this build has made a step, so that its files were listed. */
  readonly made: (key: Digest) => boolean;
}

/** The trace of a finished build. */
export async function makeTrace(plan: Plan, { at, earlier, made }: TraceDeps): Promise<Trace> {
  const mark = markOf(plan);
  const known = new Map(
    earlier?.stages.flatMap(({ steps }) => steps.map((step) => [step.key, step.files] as const)),
  );
  const filesOf = async (step: Step): Promise<FileMarks | undefined> => {
    if (!made(step.key)) return known.get(step.key);
    // The build is done; what has changed since then is no failure of it.
    return fileMarks(step, mark).catch(() => undefined);
  };
  const stages = [...plan.stages.values()].map(async (stage) => ({
    name: stage.name,
    base: baseOf(plan, stage, mark),
    steps: await Promise.all(
      stage.steps.map(async (step): Promise<TraceStep> => {
        const files = await filesOf(step);
        return {
          text: shortText(step.text),
          key: step.key,
          parts: stepParts(plan, step, mark),
          ...(files ? { files } : {}),
        };
      }),
    ),
  }));
  return { at, schema: KEY_SCHEMA, salt: saltMark(mark), stages: await Promise.all(stages) };
}

/** As it is stored; undefined where it is too long even without the names of files. */
export function packTrace(trace: Trace): string | undefined {
  const stages = trace.stages.map((stage) => ({
    ...stage,
    steps: stage.steps.map(({ files: _, ...step }) => step),
  }));
  return pack(trace) ?? pack({ ...trace, stages });
}

function pack(trace: Trace): string | undefined {
  const json = JSON.stringify(trace);
  if (Buffer.byteLength(json) > MOST_JSON) return undefined;
  const packed = JSON.stringify({ trace: VERSION, packed: deflateRawSync(json).toString('base64') });
  return packed.length > MOST_BYTES ? undefined : packed;
}

/** The trace in a note; undefined for whatever is none, or one of another version. */
export function unpackTrace(note: unknown): Trace | undefined {
  try {
    const { packed } = v.parse(PACKED, note);
    if (packed.length > MOST_BYTES) return undefined;
    const json = inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: MOST_JSON });
    return v.parse(TRACE, JSON.parse(json.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Stores a trace as that of the last build, and as that of its day of the week. */
export async function storeTrace(store: Store, plan: Plan, trace: Trace, signal: AbortSignal): Promise<void> {
  const packed = packTrace(trace);
  if (packed === undefined) return;
  const tag = traceTag(plan);
  for (const each of [tag, dayTag(tag, new Date(trace.at).getUTCDay())])
    await storeNote(store, { kind: 'trace', tag: each, text: packed }, signal);
}

const DAYS = 7;
const dayTag = (tag: string, day: number): string => `${tag}-${day}`;

/** What the last build of the same stages left. Never fails: a trace that cannot be read is not there. */
export async function readTrace(store: Store, plan: Plan, signal: AbortSignal): Promise<Trace | undefined> {
  return unpackTrace(await readNote(store, { kind: 'trace', tag: traceTag(plan) }, signal));
}

/** The traces under these tags of a cache. */
export async function readTraceNotes(
  store: Store,
  tags: readonly string[],
  signal: AbortSignal,
): Promise<readonly Trace[]> {
  const found = await mapLimit(tags, PARALLEL, (tag) => readNote(store, { kind: 'trace', tag }, signal));
  return found.map(unpackTrace).filter((trace) => trace !== undefined);
}

/**
 * The trace of an earlier build: the last one that began at a time that starts like `from`.
 * @throws AppError REFERENCE naming those that there are
 */
export async function readTraceFrom(
  store: Store,
  plan: Plan,
  from: string,
  signal: AbortSignal,
): Promise<Trace> {
  const tag = traceTag(plan);
  const tags = [tag, ...Array.from({ length: DAYS }, (_, day) => dayTag(tag, day))];
  const found = await readTraceNotes(store, tags, signal);
  const traces = found.toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const wanted = from.trim().replace(' ', 'T');
  const trace = traces.find(({ at }) => at.startsWith(wanted));
  if (trace) return trace;
  const times = [...new Set(traces.map(({ at }) => at))];
  throw new AppError('REFERENCE', `no build of ${from} has left a trace`, {
    hint:
      times.length === 0
        ? 'the cache holds none of these stages'
        : `there are traces of ${times.join(', ')}: of the last build, and of the last one of each day of the week`,
  });
}

/**
 * Whether the last build of the same Dockerfile, with the same times, had a step with this text. Where it cannot be told,
 * there was none.
 */
export function remembers(trace: Trace | undefined, step: Step): boolean {
  const wanted = shortText(step.text);
  return trace?.stages.some(({ steps }) => steps.some((one) => one.text === wanted)) ?? false;
}

/** A step's text as traces have it. */
export function shortText(full: string): string {
  return full.slice(0, MOST_TEXT);
}
