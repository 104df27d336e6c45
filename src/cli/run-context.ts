import type { Environment } from '../core/environment.ts';
import type { Emit } from '../core/events.ts';
import type { BuildObserver } from '../core/observer.ts';
import type { RunOptions } from '../index.ts';
import { createRedactor, dockerConfigSecrets, type Redactor, urlSecrets } from '../report/redact.ts';
import { createReporter } from '../report/reporter.ts';
import { readSourceLine, textIfPossible } from '../report/source-line.ts';
import { telemetrySecrets, telemetrySettings } from '../report/telemetry/settings.ts';
import type { Telemetry } from '../report/telemetry/telemetry.ts';
import type { Reporter, ReporterOptions, Sink } from '../report/types.ts';
import type { Parsed } from './options/parse.ts';
import { OPTIONS } from './options/table.ts';
import type { CommandName } from './options/types.ts';
import { dockerConfigPaths } from './requests/registries.ts';

/** What a command gets to work with; tests hand in their own. */
export interface CommandContext {
  readonly env: Environment;
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly redactor: Redactor;
  /** Is told what builds consist of, where somebody asks for a report. */
  readonly observer?: BuildObserver;
  /** Gives the exit code of a command that has not failed. */
  readonly exitWith?: (code: number) => void;
  /** All of standard input; nothing where it is a terminal. */
  readonly stdin?: () => Promise<string>;
  /** Asks whoever sits at the terminal for a secret; missing where standard input is none. */
  readonly askSecret?: (question: string) => Promise<string>;
}

/** What a build of this command reports to. */
export function runOptions({ signal, observer }: CommandContext, emit: Emit): RunOptions {
  return { onEvent: emit, signal, ...(observer === undefined ? {} : { observer }) };
}

/** A redactor that knows what is secret in an environment. */
export function environmentRedactor(env: Environment): Redactor {
  const redactor = createRedactor();
  const addAll = (secrets: readonly string[]): void => {
    for (const secret of secrets) redactor.add(secret);
  };
  for (const { variable, secret } of OPTIONS) {
    const value = variable && env[variable];
    if (secret && value) redactor.add(value);
  }
  for (const value of Object.values(env)) if (value?.includes('://')) addAll(urlSecrets(value));
  addAll(telemetrySecrets(env));
  if (env.GITHUB_TOKEN) redactor.add(env.GITHUB_TOKEN);
  const key = env.ENVBUILDER_CACHE_SIGN_KEY_BASE64;
  if (key) redactor.add(Buffer.from(key, 'base64').toString('utf8'));
  const config = env.ENVBUILDER_DOCKER_CONFIG_BASE64;
  if (config) addAll(dockerConfigSecrets(Buffer.from(config, 'base64').toString('utf8')));
  for (const path of dockerConfigPaths(env)) addAll(dockerConfigSecrets(textIfPossible(path)));
  return redactor;
}

/** Registers the secrets among the options, however they were given. */
export function addOptionSecrets(redactor: Redactor, { options }: Parsed): void {
  for (const { name, secret } of OPTIONS) {
    const value: unknown = options[name as keyof typeof options];
    if (!secret) continue;
    if (typeof value === 'string') redactor.add(value);
    if (value instanceof Map) for (const item of value.values()) redactor.add(String(item));
  }
  const config = options['docker-config-base64'];
  if (!config) return;
  for (const found of dockerConfigSecrets(Buffer.from(config, 'base64').toString('utf8')))
    redactor.add(found);
}

/** The reporter that the options ask for, on standard error. */
export function reporterFor(
  { options }: Parsed,
  { stderr, env, redactor }: CommandContext,
): Promise<Reporter> {
  const mode = progressMode(options, env);
  const ci = mode === 'auto' && stderr.isTTY !== true ? ciService(env) : undefined;
  return createReporter({
    mode,
    ...(ci && { ci }),
    err: stderr,
    verbose:
      options.verbose ||
      [options.verbosity, options['log-level']].some((level) => level === 'trace' || level === 'debug'),
    color: wantsColor(stderr, env),
    redactor,
    readLine: readSourceLine,
  });
}

/** The commands whose work somebody waits for. */
const TRACED: readonly CommandName[] = ['build', 'probe', 'start', 'warm'];

/**
 * What sends traces and metrics of a command to a collector; undefined where the environment names none. Only then is
 * anything of it loaded.
 * @param emit takes warnings: a run does not fail for its telemetry
 */
export async function telemetryFor(
  command: CommandName,
  { env, redactor }: CommandContext,
  emit: Emit,
): Promise<Telemetry | undefined> {
  const settings = TRACED.includes(command) ? telemetrySettings(env) : undefined;
  if (!settings) return undefined;
  const [{ createTelemetry }, { version }] = await Promise.all([
    import('../report/telemetry/telemetry.ts'),
    import('./version.ts'),
  ]);
  return createTelemetry({ command, settings, env, version: version(), redactor, emit });
}

function progressMode(
  { progress, 'log-format': format }: Parsed['options'],
  { TERM: terminal }: Environment,
): ReporterOptions['mode'] {
  if (progress === 'json' || progress === 'plain') return progress;
  if (format === 'json') return 'json';
  // A terminal that cannot move its cursor gets lines.
  return format === 'text' || terminal === 'dumb' ? 'plain' : 'auto';
}

/** The service that runs us, where it can fold parts of its logs, as its variables say. */
function ciService(env: Environment): ReporterOptions['ci'] {
  if (env.GITHUB_ACTIONS === 'true') return 'github';
  return env.GITLAB_CI === 'true' ? 'gitlab' : undefined;
}

/** Whether to colour what goes to a stream (no-color.org). */
export function wantsColor(sink: Sink, env: Environment): boolean {
  return sink.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
