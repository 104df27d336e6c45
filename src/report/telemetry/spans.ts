import {
  type Attributes,
  type Context,
  type Span,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Event, StepId } from '../../core/events.ts';
import type { Redactor } from '../redact.ts';
import type { Tally } from '../tally.ts';

export interface SpansOptions {
  readonly tracer: Tracer;
  /** The command, such as `build`. */
  readonly command: string;
  /** What the run is a part of, such as a job of CI. */
  readonly parent: Context;
  readonly redactor: Redactor;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Makes spans of the events of one run. */
export interface Spans {
  take(event: Event): void;
  /** Ends all that is open. */
  end(tally: Tally): void;
}

/** A step that has finished; its span ends with the run, when all its bytes are known, at the time that it has finished. */
interface Ended {
  readonly span: Span;
  readonly time: number;
}

type Planned = Extract<Event, { readonly type: 'step-planned' }>;

/** Characters of an instruction that a span holds. */
const LONGEST_TEXT = 1024;

/**
 * One span for the run, and below it one for each phase and each step that began or was found: with its key, outcome, place
 * and the time that it waited. Output of commands is in none, and all texts have been redacted.
 */
export function createSpans({ tracer, command, parent, redactor, now }: SpansOptions): Spans {
  const root = tracer.startSpan(
    `envbuilder ${command}`,
    { startTime: now(), attributes: { 'envbuilder.command': command } },
    parent,
  );
  const inside = trace.setSpan(parent, root);
  const planned = new Map<string, Planned>();
  const waited = new Map<string, number>();
  const open = new Map<string, Span>();
  const ended: Ended[] = [];
  const spans = new Map<string, Span>();
  /** The sizes of the layers of steps. */
  const layers = new Map<string, number>();
  /** The first step of a layer counts its bytes. */
  const owners = new Map<string, string>();
  const moved = { pull: new Map<string, number>(), push: new Map<string, number>() };

  const stepSpan = (id: StepId, startTime: number): Span => {
    const plan = planned.get(nameOf(id));
    const keyword = plan?.text.trimStart().split(/\s/, 1)[0] ?? 'step';
    return tracer.startSpan(keyword, { startTime, attributes: plan ? placeOf(plan, redactor) : {} }, inside);
  };
  const finish = (event: Extract<Event, { readonly type: 'step-finished' }>): void => {
    const { id, key, outcome, ms, reason } = event;
    const name = nameOf(id);
    if (outcome === 'skipped' && !open.has(name)) return;
    const span = open.get(name) ?? stepSpan(id, now() - ms);
    open.delete(name);
    span.setAttributes({
      'envbuilder.step.key': key,
      'envbuilder.step.outcome': outcome,
      'envbuilder.step.waited_ms': Math.round(waited.get(name) ?? 0),
      ...(reason === undefined ? {} : { 'envbuilder.step.reason': redactor.text(reason) }),
    });
    if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
    spans.set(name, span);
    ended.push({ span, time: now() });
  };
  const countBytes = (): void => {
    for (const [name, bytes] of layers)
      (spans.get(name) ?? open.get(name))?.setAttribute('envbuilder.step.layer.size', bytes);
    for (const [digest, name] of owners) {
      const span = spans.get(name) ?? open.get(name);
      const [pulled, pushed] = [moved.pull.get(digest), moved.push.get(digest)];
      if (pulled !== undefined) span?.setAttribute('envbuilder.bytes.pulled', pulled);
      if (pushed !== undefined) span?.setAttribute('envbuilder.bytes.pushed', pushed);
    }
  };

  return {
    take: (event) => {
      switch (event.type) {
        case 'phase': {
          const end = now();
          tracer.startSpan(event.phase, { startTime: end - event.ms }, inside).end(end);
          break;
        }
        case 'step-planned':
          planned.set(nameOf(event.id), event);
          break;
        case 'step-waiting':
          waited.set(nameOf(event.id), event.ms);
          break;
        case 'step-started':
          open.set(nameOf(event.id), stepSpan(event.id, now()));
          break;
        case 'step-finished':
          finish(event);
          break;
        case 'step-layer': {
          const name = nameOf(event.id);
          layers.set(name, event.bytes);
          if (!owners.has(event.digest)) owners.set(event.digest, name);
          break;
        }
        case 'transfer': {
          const { direction, digest, bytes } = event;
          moved[direction].set(digest, (moved[direction].get(digest) ?? 0) + bytes);
          break;
        }
        case 'retry':
          root.addEvent(
            'retry',
            texts(redactor, { what: event.what, reason: event.reason, attempt: event.attempt }),
            now(),
          );
          break;
        case 'warning':
          root.addEvent('warning', texts(redactor, { code: event.code, text: event.text }), now());
          break;
        case 'error':
          root.setAttribute('error.type', event.error.code);
          root.setStatus({ code: SpanStatusCode.ERROR, message: redactor.text(event.error.message) });
          break;
      }
    },
    end: ({ planned: steps, hit, built, failed, bytesPulled, bytesPushed }) => {
      countBytes();
      for (const { span, time } of ended) span.end(time);
      for (const span of open.values()) span.end(now());
      root.setAttributes({
        'envbuilder.steps.planned': steps,
        'envbuilder.steps.hit': hit,
        'envbuilder.steps.built': built,
        'envbuilder.steps.failed': failed,
        'envbuilder.bytes.pulled': bytesPulled,
        'envbuilder.bytes.pushed': bytesPushed,
      });
      root.end(now());
    },
  };
}

function nameOf({ stage, step }: StepId): string {
  return `${stage}.${step}`;
}

function placeOf({ text, stageName, range }: Planned, redactor: Redactor): Attributes {
  return texts(redactor, {
    'envbuilder.stage': stageName,
    'envbuilder.step.text': redactor.text(text).slice(0, LONGEST_TEXT),
    'code.file.path': range.file,
    'code.line.number': range.start.line,
  });
}

function texts(redactor: Redactor, attributes: Attributes): Attributes {
  return redactor.value(attributes) as Attributes;
}
