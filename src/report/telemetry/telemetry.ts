import { type DiagLogger, DiagLogLevel, diag, ROOT_CONTEXT } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Environment } from '../../core/environment.ts';
import type { Emit, Event } from '../../core/events.ts';
import type { Redactor } from '../redact.ts';
import { createTally } from '../tally.ts';
import { createRunMetrics, type RunMetrics } from './metrics.ts';
import type { Protocol, TelemetrySettings } from './settings.ts';
import { createSpans, type Spans } from './spans.ts';

export interface TelemetryOptions {
  readonly command: string;
  readonly settings: TelemetrySettings;
  readonly env: Environment;
  /** Of the program. */
  readonly version: string;
  readonly redactor: Redactor;
  /** Takes warnings about what cannot be sent; a run never fails for it. */
  readonly emit: Emit;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Sends traces and metrics of a run to a collector. */
export interface Telemetry {
  take(event: Event): void;
  /** Sends the rest, for MOST_MS at most; never fails. */
  end(): Promise<void>;
}

/** The longest time in milliseconds that a run waits at its end for a collector. */
const MOST_MS = 3000;
/** Spans that wait for being sent; a build of 300 steps has some 2,000 phases. */
const MOST_SPANS = 16_384;
/** Milliseconds between sendings of metrics, which is more than almost every run takes; the end sends them anyway. */
const METRICS_MS = 60_000;

/**
 * Traces by the context of `TRACEPARENT`, so that a build is part of the job that runs it, and metrics, over OTLP.
 * Where to and how is told by the standard variables; `service.name` is envbuilder unless OTEL_SERVICE_NAME says another.
 */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { command, settings, env, version, redactor, emit, now = Date.now } = options;
  const failures = new Set<string>();
  diag.setLogger(failureLogger(failures), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'envbuilder', 'service.version': version }))
    .merge(detectResources({ detectors: [envDetector] }));
  const scope = ['envbuilder', version] as const;
  const providers: { shutdown(): Promise<void> }[] = [];
  let spans: Spans | undefined;
  let metrics: RunMetrics | undefined;
  if (settings.traces) {
    const provider = tracerProvider(resource, await spanExporter(settings.traces));
    providers.push(provider);
    const parent = new W3CTraceContextPropagator().extract(
      ROOT_CONTEXT,
      { traceparent: env.TRACEPARENT, tracestate: env.TRACESTATE },
      { get: (carrier, key) => carrier[key as keyof typeof carrier], keys: Object.keys },
    );
    spans = createSpans({ tracer: provider.getTracer(...scope), command, parent, redactor, now });
  }
  if (settings.metrics) {
    const exporter = await metricExporter(settings.metrics);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: METRICS_MS });
    const provider = new MeterProvider({ resource, readers: [reader] });
    providers.push(provider);
    metrics = createRunMetrics(provider.getMeter(...scope), command);
  }

  const warn = (text: string): void =>
    emit({
      type: 'warning',
      code: 'TELEMETRY',
      text: redactor.text(text),
      hint: 'the variables OTEL_EXPORTER_OTLP_… say where to and how; OTEL_SDK_DISABLED=true turns it off',
    });
  for (const text of settings.refused) warn(text);
  const begin = now();
  const tally = createTally();
  let outcome = 'ok';
  return {
    take: (event) => {
      tally.take(event);
      if (event.type === 'error') outcome = event.error.code;
      spans?.take(event);
      metrics?.take(event);
    },
    end: async () => {
      const total = tally.total();
      spans?.end(total);
      metrics?.end(total, now() - begin, outcome);
      const sent = Promise.allSettled(providers.map((provider) => provider.shutdown()));
      if (!(await within(MOST_MS, sent)))
        failures.add(`the collector did not answer within ${MOST_MS / 1000} s`);
      diag.disable();
      const [first] = failures;
      if (first !== undefined) warn(`traces or metrics were not sent: ${first}`);
    },
  };
}

function tracerProvider(resource: Resource, exporter: SpanExporter): TracerProvider {
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: MOST_SPANS });
  return new TracerProvider({ resource, spanProcessors: [processor] });
}

async function spanExporter(protocol: Protocol): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter();
}

async function metricExporter(protocol: Protocol): Promise<PushMetricExporter> {
  const { OTLPMetricExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-metrics-otlp-http')
      : await import('@opentelemetry/exporter-metrics-otlp-proto');
  return new OTLPMetricExporter();
}

function failureLogger(failures: Set<string>): DiagLogger {
  const add = (...parts: readonly unknown[]): void => {
    failures.add(parts.map(readable).filter(Boolean).join(': '));
  };
  const nothing = (): void => {};
  return { error: add, warn: add, info: nothing, debug: nothing, verbose: nothing };
}

/** The SDK hands over names of its parts, texts, errors, and errors as JSON with their stack. */
function readable(part: unknown): string {
  if (part instanceof Error) return part.message;
  if (typeof part !== 'string') return '';
  try {
    const { message, name } = JSON.parse(part) as { readonly message?: string; readonly name?: string };
    return message || name || part;
  } catch {
    return part;
  }
}

/** Whether work ends in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  void work.then(() => resolve(true));
  const inTime = await promise;
  clearTimeout(timer);
  return inTime;
}
