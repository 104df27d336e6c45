import type { Where } from '../../core/error.ts';
import { AppError } from '../../core/error.ts';
import { splitWords } from '../../core/shell-words.ts';
import { parseDuration, parseSize } from '../../dockerfile/parse/values.ts';
import { isMapping } from './merge-service.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** A port that a service listens on. */
export interface ServicePort {
  readonly target: number;
  readonly protocol: string;
  /** Of the host: a number, or a range that one is taken of. */
  readonly published?: string;
  readonly hostIp?: string;
}

/** How a service is asked whether it is healthy; times are seconds. */
export interface HealthCheck {
  /** Without a shell, which is named where one is wanted. */
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
  readonly startPeriod: number;
  readonly startInterval?: number;
}

/** A secret or config in a container. */
export interface ServiceFile {
  /** The name of the element of the top level. */
  readonly source: string;
  /** An absolute path in the container. */
  readonly target: string;
  /** Of the file, as octal digits say it. */
  readonly mode?: number;
  readonly uid?: string;
  readonly gid?: string;
}

/** A mount of memory. */
export interface ServiceTmpfs {
  readonly target: string;
  /** As mount takes them, as in `size=64m,mode=1777`. */
  readonly options: string;
}

/** What Docker takes where a health check says nothing. */
const HEALTH = { interval: 30, timeout: 30, retries: 3, startPeriod: 0 };
/** Ports that one range may stand for. */
const MOST_PORTS = 1000;
const NS = 1e9;

/** Reads values of one service; what is wrong is an error that points at its line. */
export interface ValueReader {
  readonly service: Mapping;
  /** Where a key of the service stands. */
  whereOf(key: string): Where;
}

/**
 * A command line as a list; an empty one takes that of the image away. Undefined when the image's stays.
 * @throws AppError DEVCONTAINER
 */
export function wordsOf(key: string, reader: ValueReader): readonly string[] | undefined {
  const value = reader.service[key];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map(String);
  try {
    return splitWords(String(value), key);
  } catch (error) {
    throw wrong(key, error instanceof AppError ? error.message : `${key} cannot be read`, reader);
  }
}

/** A list of texts, of a key that may hold one alone; each once. */
export function textsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return [...new Set((Array.isArray(value) ? value : [value]).map(String))];
}

/** The ports of a service, ranges spelt out. @throws AppError DEVCONTAINER */
export function portsOf(reader: ValueReader): readonly ServicePort[] {
  const { ports } = reader.service;
  const all = (Array.isArray(ports) ? ports : []).flatMap((port: unknown) => {
    const found = isMapping(port) ? longPort(port) : shortPort(String(port));
    if (found === undefined || found.length === 0)
      throw wrong('ports', `${JSON.stringify(port)} is no port`, reader);
    return found;
  });
  return [...new Map(all.map((port) => [JSON.stringify(port), port])).values()];
}

/** Ports that a service says it listens on, beside those that it publishes. */
export function exposedOf({ service }: ValueReader): readonly ServicePort[] {
  return textsOf(service.expose).flatMap((text) => {
    const [range = '', protocol = 'tcp'] = text.split('/');
    return rangeOf(range).map((target) => ({ target, protocol }));
  });
}

function longPort({ target, published, protocol, host_ip: hostIp }: Mapping): readonly ServicePort[] {
  return rangeOf(String(target)).map((port) => ({
    target: port,
    protocol: typeof protocol === 'string' ? protocol : 'tcp',
    ...(published === undefined || published === null || published === ''
      ? {}
      : { published: String(published) }),
    ...(typeof hostIp === 'string' && hostIp !== '' ? { hostIp } : {}),
  }));
}

function shortPort(text: string): readonly ServicePort[] | undefined {
  const match = /^(?:(?:(\[[^\]]*\]|[^:]*):)?([\d-]*):)?(\d+(?:-\d+)?)(?:\/(\w+))?$/.exec(text);
  if (!match) return undefined;
  const [, host, published, container = '', protocol = 'tcp'] = match;
  const targets = rangeOf(container);
  const sources = published ? rangeOf(published) : [];
  const each = sources.length === targets.length;
  return targets.map((target, i) => ({
    target,
    protocol,
    ...(published ? { published: each ? String(sources[i]) : published } : {}),
    ...(host ? { hostIp: host.replace(/^\[|\]$/g, '') } : {}),
  }));
}

function rangeOf(text: string): readonly number[] {
  const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === undefined) return [];
  const count = Number(last ?? first) - Number(first) + 1;
  const ports = Array.from({ length: Math.min(Math.max(count, 0), MOST_PORTS) }, (_, i) => Number(first) + i);
  return ports.every((port) => port > 0 && port < 65_536) ? ports : [];
}

/** The health check of a service; `none` where it takes that of the image away. @throws AppError DEVCONTAINER */
export function healthCheckOf(reader: ValueReader): HealthCheck | 'none' | undefined {
  const { healthcheck: value } = reader.service;
  if (!isMapping(value)) return undefined;
  const test = Array.isArray(value.test) ? value.test.map(String) : value.test;
  if (value.disable === true || (Array.isArray(test) && test[0] === 'NONE')) return 'none';
  if (test === undefined || test === null) return undefined;
  const [kind, ...words] = Array.isArray(test) ? test : ['CMD-SHELL', String(test)];
  if ((kind !== 'CMD' && kind !== 'CMD-SHELL') || words.length === 0)
    throw wrong('healthcheck', 'the test of a health check begins with CMD, CMD-SHELL or NONE', reader);
  const time = (key: string): number | undefined => secondsOf(value[key], `healthcheck.${key}`, reader);
  const retries = Number(value.retries ?? HEALTH.retries);
  const startInterval = time('start_interval');
  return {
    command: kind === 'CMD' ? words : ['/bin/sh', '-c', words.join(' ')],
    interval: time('interval') ?? HEALTH.interval,
    timeout: time('timeout') ?? HEALTH.timeout,
    retries: Number.isInteger(retries) && retries > 0 ? retries : HEALTH.retries,
    startPeriod: time('start_period') ?? HEALTH.startPeriod,
    ...(startInterval === undefined ? {} : { startInterval }),
  };
}

/** Seconds of a duration such as `1m30s`; undefined where nothing is said. @throws AppError DEVCONTAINER */
export function secondsOf(value: unknown, key: string, reader: ValueReader): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const ns = parseDuration(String(value));
  if (ns === undefined || ns < 0)
    throw wrong(key, `${key} is "${String(value)}", which is no duration`, reader);
  return ns === 0 ? undefined : ns / NS;
}

/** Bytes of a size such as `512m`; undefined where nothing is said. @throws AppError DEVCONTAINER */
export function bytesOf(value: unknown, key: string, reader: ValueReader): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const bytes = parseSize(String(value));
  if (bytes === undefined) throw wrong(key, `${key} is "${String(value)}", which is no size`, reader);
  return bytes === 0 ? undefined : bytes;
}

/** A number of processors; undefined where nothing is said. @throws AppError DEVCONTAINER */
export function cpusOf(value: unknown, key: string, reader: ValueReader): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const cpus = Number(value);
  if (!(cpus >= 0))
    throw wrong(key, `${key} is "${String(value)}", which is no number of processors`, reader);
  return cpus === 0 ? undefined : cpus;
}

/** The secrets or configs of a service, with the places where Compose puts them. */
export function filesOf(kind: 'secrets' | 'configs', { service }: ValueReader): readonly ServiceFile[] {
  const listed: readonly unknown[] = Array.isArray(service[kind]) ? (service[kind] as unknown[]) : [];
  const folder = kind === 'secrets' ? '/run/secrets/' : '/';
  return listed.map((one) => {
    const { source, target, mode, uid, gid } = isMapping(one) ? one : { source: one };
    const place = String(target ?? source);
    return {
      source: String(source),
      target: place.startsWith('/') ? place : folder + place,
      ...(mode === undefined ? {} : { mode: modeOf(mode) }),
      ...(uid === undefined ? {} : { uid: String(uid) }),
      ...(gid === undefined ? {} : { gid: String(gid) }),
    };
  });
}

/** A number that YAML read has its value already; digits in quotes are octal. */
function modeOf(mode: unknown): number {
  return typeof mode === 'number' ? mode : Number.parseInt(String(mode), 8);
}

/** The mounts of memory that `tmpfs` asks for. */
export function tmpfsOf({ service }: ValueReader): readonly ServiceTmpfs[] {
  return textsOf(service.tmpfs).map((text) => {
    const [target = '', options = ''] = text.split(':');
    return { target, options };
  });
}

/** Names and addresses of `extra_hosts`, in either of its forms. */
export function extraHostsOf({ service }: ValueReader): readonly (readonly [string, string])[] {
  const { extra_hosts: hosts } = service;
  if (isMapping(hosts))
    return Object.entries(hosts).flatMap(([name, to]) => textsOf(to).map((ip) => [name, ip] as const));
  return textsOf(hosts).flatMap((text) => {
    const [, name, ip] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
    return name === undefined || ip === undefined ? [] : [[name, ip.replace(/^\[|\]$/g, '')] as const];
  });
}

function wrong(key: string, what: string, reader: ValueReader): AppError {
  return new AppError('DEVCONTAINER', what, { where: reader.whereOf(key) });
}
