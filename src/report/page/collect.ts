import { availableParallelism, release, totalmem } from 'node:os';
import type { AppError, SourceRange } from '../../core/error.ts';
import type { Event, StepId } from '../../core/events.ts';
import type { BuildObserver, ImageContents, ObservedStage } from '../../core/observer.ts';
import { formatBytes } from '../../core/units.ts';
import type { Redactor } from '../redact.ts';
import { sourceFrame } from '../source-frame.ts';
import { createStepBoard, stageLabel } from '../step-board.ts';
import { createTally } from '../tally.ts';
import { coarse } from './spans.ts';
import {
  REPORT_FORM,
  type Report,
  type ReportCause,
  type ReportFact,
  type ReportMessage,
  type ReportPhase,
  type ReportRetry,
  type ReportStage,
  type ReportStep,
  type ReportTransfer,
  type Span,
  type StepSpan,
} from './types.ts';

export interface CollectorOptions {
  readonly command: string;
  /** What is worth knowing of this run besides the machine. */
  readonly facts: readonly ReportFact[];
  readonly redactor: Redactor;
  readonly readLine: (range: SourceRange) => string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Gathers a report while a run goes on. */
export interface ReportCollector {
  readonly emit: (event: Event) => void;
  readonly observer: BuildObserver;
  /** All that is known by now, every secret masked. */
  report(): Report;
}

interface StepNotes {
  readonly id: StepId;
  readonly stageName: string;
  readonly text: string;
  readonly range: SourceRange;
  readonly spans: StepSpan[];
  outcome: ReportStep['outcome'] | undefined;
  key: string | null;
  causes: readonly ReportCause[];
  reason: string | undefined;
  /** What the step does now, since when. */
  now: Omit<StepSpan, 'to'> | undefined;
}

/** Stretches of a phase, a run of a thousand steps has many. */
const MOST_SPANS = 400;

/** Takes the events of a run and what its build says of itself; costs next to nothing while the run goes on. */
export function createReportCollector(options: CollectorOptions): ReportCollector {
  const { command, facts, redactor, readLine, now = Date.now } = options;
  const start = now();
  const tally = createTally();
  const board = createStepBoard({ now, redactor });
  const steps = new Map<string, StepNotes>();
  const phases = new Map<string, { ms: number; spans: Span[] }>();
  const transfers = new Map<string, { -readonly [K in keyof ReportTransfer]: ReportTransfer[K] }>();
  const warnings: ReportMessage[] = [];
  const retries: ReportRetry[] = [];
  let stages: readonly ObservedStage[] = [];
  let images: readonly ImageContents[] = [];
  let error: ReportMessage | null = null;
  const at = (): number => now() - start;
  const notesOf = (id: StepId): StepNotes | undefined => steps.get(keyOf(id));

  const endSpan = (notes: StepNotes, to: number): void => {
    if (notes.now && to > notes.now.from) notes.spans.push({ ...notes.now, to });
    notes.now = undefined;
  };
  const beginSpan = (id: StepId, what: StepSpan['what'], from: number, stage?: string): void => {
    const notes = notesOf(id);
    if (!notes || (notes.now?.what === what && notes.now.stage === stage)) return;
    endSpan(notes, from);
    notes.now = { what, from, ...(stage === undefined ? {} : { stage: stageLabel(stage) }) };
  };
  const onStep = (event: Event): void => {
    switch (event.type) {
      case 'step-planned': {
        const { id, stageName, text, range } = event;
        const fresh = {
          spans: [],
          outcome: undefined,
          key: null,
          causes: [],
          reason: undefined,
          now: undefined,
        };
        steps.set(keyOf(id), { id, stageName: stageLabel(stageName), text, range, ...fresh });
        return;
      }
      case 'step-waiting':
        beginSpan(event.id, event.stage === undefined ? 'build' : 'stage', at() - event.ms, event.stage);
        return;
      case 'step-started':
        beginSpan(event.id, 'ran', at());
        return;
      case 'step-finished': {
        const notes = notesOf(event.id);
        if (!notes) return;
        endSpan(notes, at());
        notes.outcome = event.outcome === 'skipped' ? 'unneeded' : event.outcome;
        notes.key = event.key;
        notes.reason = event.reason;
      }
    }
  };
  const onPhase = (phase: string, ms: number): void => {
    const known = phases.get(phase) ?? { ms: 0, spans: [] };
    const to = at();
    known.ms += ms;
    known.spans.push({ from: Math.max(0, to - ms), to });
    if (known.spans.length > 2 * MOST_SPANS) known.spans = [...coarse(known.spans, to / MOST_SPANS)];
    phases.set(phase, known);
  };
  const onTransfer = ({ direction, digest, bytes }: Extract<Event, { type: 'transfer' }>): void => {
    const key = `${direction} ${digest}`;
    const known = transfers.get(key) ?? { direction, digest, bytes: 0, from: at(), to: at() };
    known.bytes += bytes;
    known.to = at();
    transfers.set(key, known);
  };

  const stepOf = (notes: StepNotes, ended: number): ReportStep => {
    const open = notes.now && notes.now.from < ended ? [{ ...notes.now, to: ended }] : [];
    const spans = [...notes.spans, ...open];
    const total = (ran: boolean): number =>
      spans.reduce((sum, span) => sum + ((span.what === 'ran') === ran ? span.to - span.from : 0), 0);
    const begun = spans.length > 0;
    return {
      text: notes.text,
      file: notes.range.file,
      line: notes.range.start.line,
      outcome: notes.outcome ?? (error && begun ? 'unfinished' : 'unneeded'),
      ms: total(true),
      waitedMs: total(false),
      spans,
      causes: causesOf(notes),
      key: notes.key,
      output: notes.outcome === 'failed' ? board.view(notes.id).tail : [],
    };
  };
  const stagesOf = (ended: number): readonly ReportStage[] => {
    const indices = new Set([
      ...stages.map(({ index }) => index),
      ...[...steps.values()].map(({ id }) => id.stage),
    ]);
    return [...indices].map((index): ReportStage => {
      const notes = [...steps.values()].filter(({ id }) => id.stage === index);
      const seen = stages.find((stage) => stage.index === index);
      return {
        index,
        name: stageLabel(seen?.name ?? notes[0]?.stageName ?? String(index)),
        platform: seen?.platform ?? null,
        target: seen?.target ?? false,
        base: seen?.base ?? null,
        from: seen?.from ?? null,
        reads: seen?.reads ?? [],
        steps: notes.map((one) => stepOf(one, ended)),
      };
    });
  };

  return {
    emit: (event) => {
      tally.take(event);
      board.take(event);
      onStep(event);
      if (event.type === 'phase') onPhase(event.phase, event.ms);
      else if (event.type === 'transfer') onTransfer(event);
      else if (event.type === 'retry') retries.push({ at: at(), what: event.what, reason: event.reason });
      else if (event.type === 'error') error ??= errorMessage(event.error, readLine);
      else if (event.type === 'warning') warnings.push(warningMessage(event, readLine));
    },
    observer: {
      planned: (found) => {
        stages = found;
      },
      missed: (id, causes) => {
        const notes = notesOf(id);
        if (notes) notes.causes = causes.map(({ code, text }) => ({ code, text }));
      },
      made: (found) => {
        images = found;
      },
    },
    report: () => {
      const ended = at();
      const { planned, hit, built, failed, bytesPulled, bytesPushed } = tally.total();
      const report: Report = {
        form: REPORT_FORM,
        started: new Date(start).toISOString(),
        ms: ended,
        command,
        outcome: error ? 'failed' : 'done',
        error,
        totals: { steps: planned, hit, built, failed, bytesPulled, bytesPushed },
        stages: stagesOf(ended),
        phases: [...phases].map(([name, one]) => phaseOf(name, one, ended)),
        transfers: [...transfers.values()],
        images,
        warnings,
        retries,
        environment: [...facts, ...machineFacts()],
      };
      return redactor.value(report) as Report;
    },
  };
}

function keyOf({ stage, step }: StepId): string {
  return `${stage}.${step}`;
}

/** What is known of a miss, the reason of a log where there is nothing better. */
function causesOf({ outcome, causes, reason }: StepNotes): readonly ReportCause[] {
  if (outcome !== 'built' && outcome !== 'failed') return [];
  if (causes.length > 0 || reason === undefined) return causes;
  return [{ code: 'unknown', text: reason }];
}

function phaseOf(
  name: string,
  { ms, spans }: { ms: number; spans: readonly Span[] },
  total: number,
): ReportPhase {
  return { name, ms, spans: coarse(spans, total / MOST_SPANS) };
}

type ReadLine = CollectorOptions['readLine'];

function warningMessage(
  { code, text, hint, range }: Extract<Event, { type: 'warning' }>,
  readLine: ReadLine,
): ReportMessage {
  return { code, text, hint: hint ?? null, frame: range ? frameOf(range, readLine(range)) : [] };
}

function errorMessage({ code, message, hint, where }: AppError, readLine: ReadLine): ReportMessage {
  const range = where?.range;
  const frame = range ? frameOf(range, where.sourceLine ?? readLine(range)) : [];
  return { code, text: message, hint: hint ?? null, frame };
}

function frameOf(range: SourceRange, line: string | undefined): readonly string[] {
  return sourceFrame(range, line).map((text, index) => (index === 0 ? text.trimStart() : text));
}

function machineFacts(): readonly ReportFact[] {
  return [
    { name: 'Node', value: process.versions.node },
    { name: 'System', value: `${process.platform} ${release()}, ${process.arch}` },
    { name: 'Processors', value: String(availableParallelism()) },
    { name: 'Memory', value: formatBytes(totalmem()) },
  ];
}
