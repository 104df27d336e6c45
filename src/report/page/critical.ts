import { united } from './spans.ts';
import type { Report, ReportStage, ReportStep, Span } from './types.ts';

/** A part of the time that a run took. */
export interface Part extends Span {
  readonly what: 'step' | 'build' | 'phase' | 'other';
  /** The name of a phase. */
  readonly phase?: string;
  readonly step?: ReportStep;
  readonly stage?: ReportStage;
}

interface Place {
  readonly stage: ReportStage;
  readonly index: number;
}

/** Phases that are parts of a step's own time. */
const OF_STEPS = ['run'];
/** A phase that begins this soon after a step is what the step needs first, in parts of the run. */
const SOON = 0.02;

/**
 * What the run waited for, from its beginning to its end without gaps or overlaps: the last step of the target, what that
 * waited for, and so on back; in between and around it the phases that went on. What went on beside it cost no time.
 */
export function criticalParts(report: Report): readonly Part[] {
  const parts: Part[] = [];
  let until = report.ms;
  let place: Place | undefined = lastPlace(report);
  const seen = new Set<ReportStep>();
  while (place) {
    const { stage, index }: Place = place;
    const step: ReportStep = stage.steps[index]!;
    if (seen.has(step)) break;
    seen.add(step);
    const own = step.spans.filter(({ what, from }) => what !== 'stage' && from < until);
    for (const span of own.toSorted((a, b) => b.from - a.from)) {
      const to = Math.min(span.to, until);
      parts.unshift(...between(report, to, until));
      parts.unshift(...partsOfSpan(report, { ...span, to }, { stage, step }));
      until = span.from;
    }
    place = placeBefore(report, { stage, index }, until);
  }
  return [...between(report, 0, until), ...parts].filter(({ from, to }) => to > from);
}

/**
 * Parts that are of the same, such as one step before and after it waited, as one with their time together, the longest
 * first.
 */
export function longestParts(
  parts: readonly Part[],
): readonly { readonly part: Part; readonly ms: number }[] {
  const found = new Map<unknown, { part: Part; ms: number }>();
  for (const part of parts) {
    const key =
      part.what === 'step' ? part.step : `${part.what} ${part.phase ?? ''} ${part.step?.text ?? ''}`;
    const ms = part.to - part.from + (found.get(key)?.ms ?? 0);
    found.set(key, { part, ms });
  }
  return [...found.values()].toSorted((a, b) => b.ms - a.ms);
}

/** The step that the run ended with: of the target, else the one that ended last. */
function lastPlace({ stages }: Report): Place | undefined {
  const places = stages.flatMap((stage) => stage.steps.map((_, index) => ({ stage, index })));
  const ends = places.filter(({ stage, index }) => stage.steps[index]!.spans.length > 0);
  const ofTarget = ends.filter(({ stage }) => stage.target);
  return (ofTarget.length > 0 ? ofTarget : ends).toSorted((a, b) => endOf(b) - endOf(a))[0];
}

function placeBefore({ stages }: Report, { stage, index }: Place, until: number): Place | undefined {
  const step = stage.steps[index]!;
  const waited = step.spans.filter(({ what }) => what === 'stage').map(({ stage: name }) => name);
  const others = stages.filter(({ name, index: number }) => waited.includes(name) || stage.from === number);
  const candidates = [
    ...stage.steps.slice(0, index).map((_, before) => ({ stage, index: before })),
    ...others.flatMap((other) => other.steps.map((_, before) => ({ stage: other, index: before }))),
  ].filter((place) => stepAt(place).spans.length > 0 && beginOf(place) < until);
  return candidates.toSorted((a, b) => endOf(b) - endOf(a))[0];
}

const stepAt = ({ stage, index }: Place): ReportStep => stage.steps[index]!;
const endOf = (place: Place): number => Math.max(...stepAt(place).spans.map(({ to }) => to));
const beginOf = (place: Place): number => Math.min(...stepAt(place).spans.map(({ from }) => from));

/** A step's stretch; where layers are unpacked for it at first, that is a part of its own. */
function partsOfSpan(
  report: Report,
  span: ReportStep['spans'][number],
  of: { readonly stage: ReportStage; readonly step: ReportStep },
): readonly Part[] {
  const { from, to } = span;
  const what = span.what === 'build' ? 'build' : 'step';
  const unpacked = what === 'build' ? undefined : unpackedUntil(report, span);
  if (unpacked === undefined) return [{ what, from, to, ...of }];
  return [
    { what: 'phase', phase: 'extract', from, to: unpacked, ...of },
    { what, from: unpacked, to, ...of },
  ];
}

/** Until when layers were unpacked for a step that began to run; undefined where there was nothing to unpack. */
export function unpackedUntil({ phases, ms }: Report, { from, to }: Span): number | undefined {
  const extract = phases.find(({ name }) => name === 'extract')?.spans ?? [];
  const soon = from + SOON * ms;
  return extract.findLast((one) => one.from < soon && one.to > from && one.to < to)?.to;
}

/** The phases between two moments, and what is left of the time. */
function between({ phases }: Report, from: number, to: number): readonly Part[] {
  const parts: Part[] = [];
  let at = from;
  const spans = phases
    .filter(({ name }) => !OF_STEPS.includes(name))
    .flatMap(({ name, spans: some }) => united(some).map((span) => ({ ...span, name })))
    .filter((span) => span.to > from && span.from < to)
    .toSorted((a, b) => a.from - b.from || b.to - a.to);
  for (const span of spans) {
    const end = Math.min(span.to, to);
    if (end <= at) continue;
    const begin = Math.max(span.from, at);
    if (begin > at) parts.push({ what: 'other', from: at, to: begin });
    parts.push({ what: 'phase', phase: span.name, from: begin, to: end });
    at = end;
  }
  if (at < to) parts.push({ what: 'other', from: at, to });
  return parts;
}
