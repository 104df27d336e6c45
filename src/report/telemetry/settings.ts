import type { Environment } from '../../core/environment.ts';

/** How a signal is sent: the two forms of OTLP over HTTP. */
export type Protocol = 'http/protobuf' | 'http/json';

/** What is to be sent to a collector; where to, the exporters read from the environment themselves. */
export interface TelemetrySettings {
  readonly traces: Protocol | undefined;
  readonly metrics: Protocol | undefined;
  /** What of the environment cannot be done, for people. */
  readonly refused: readonly string[];
}

const PREFIX = 'OTEL_EXPORTER_OTLP';
const PROTOCOLS: readonly string[] = ['http/protobuf', 'http/json'] satisfies Protocol[];
const SIGNALS = ['traces', 'metrics'] as const;

/**
 * Reads the standard variables of OpenTelemetry (its specification, "Environment Variable Specification" and "OpenTelemetry
 * Protocol Exporter").
 * @returns undefined where no endpoint is named, or telemetry is turned off
 */
export function telemetrySettings(env: Environment): TelemetrySettings | undefined {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined;
  const refused: string[] = [];
  const of = (signal: (typeof SIGNALS)[number]): Protocol | undefined => {
    const name = signal.toUpperCase();
    const exporter = env[`OTEL_${name}_EXPORTER`] || 'otlp';
    const endpoint = env[`${PREFIX}_${name}_ENDPOINT`] || env[`${PREFIX}_ENDPOINT`];
    if (!endpoint || exporter === 'none') return undefined;
    const protocol =
      env[`${PREFIX}_${name}_PROTOCOL`] || env[`${PREFIX}_PROTOCOL`] || ('http/protobuf' satisfies Protocol);
    if (exporter !== 'otlp')
      refused.push(`${signal} cannot be sent by the exporter "${exporter}", only by otlp`);
    else if (!PROTOCOLS.includes(protocol))
      refused.push(
        `${signal} cannot be sent by the protocol "${protocol}", only by ${PROTOCOLS.join(' or ')}`,
      );
    else return protocol as Protocol;
    return undefined;
  };
  const [traces, metrics] = [of('traces'), of('metrics')];
  return traces || metrics || refused.length > 0 ? { traces, metrics, refused } : undefined;
}

/** What in the environment of telemetry is secret: values of the headers that exporters send. */
export function telemetrySecrets(env: Environment): readonly string[] {
  const names = ['', ...SIGNALS.map((signal) => `_${signal.toUpperCase()}`)];
  const lists = names.map((signal) => env[`${PREFIX}${signal}_HEADERS`] ?? '');
  return lists
    .flatMap((list) => list.split(','))
    .map((pair) => pair.slice(pair.indexOf('=') + 1).trim())
    .flatMap((value) => [value, decoded(value)]);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
