import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { readJsonIfThere } from '../../core/read-json.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import { PROCESS_FILE, readKeptProcess, writeKept } from '../kept-files.ts';
import type { ProcessMark } from '../process-mark.ts';
import { processOf } from './supervise.ts';

/** What is kept of a service; no value of an environment but those of its image. */
export interface ServiceRecord {
  readonly name: string;
  /** Tells whether what the Compose files say of it has changed. */
  readonly fingerprint: string;
  /** The config of its image; left out while it is being made. */
  readonly image?: ContainerConfig;
  /** Services that have to be there before it, and so end behind it. */
  readonly dependsOn: readonly string[];
  readonly stop: { readonly signal: string; readonly graceMs: number };
}

/** Where a service is kept. */
export interface ServicePlace {
  readonly directory: string;
  readonly rootfs: string;
  readonly log: string;
  /** A line for each time that it has ended. */
  readonly ends: string;
}

/** How a service is at the moment. */
export interface FoundService {
  readonly record: ServiceRecord;
  readonly place: ServicePlace;
  /** What starts it again. */
  readonly loop: ProcessMark | undefined;
  /** Its first process. */
  readonly process: ProcessMark | undefined;
  /** The exit codes since it was started, one for each time. */
  readonly exitCodes: readonly number[];
}

const FOLDER = 'services';
const RECORD_FILE = 'service.json';

const recordShape = v.looseObject({
  name: v.string(),
  fingerprint: v.string(),
  image: v.optional(v.looseObject({})),
  dependsOn: v.array(v.string()),
  stop: v.object({ signal: v.string(), graceMs: v.number() }),
});

/** @param container the directory of the dev container, with which it is deleted */
export function servicePlace(container: string, name: string): ServicePlace {
  // Names of services have no slash, and may begin with a dot.
  const directory = join(container, FOLDER, `s-${name.replaceAll('/', '_')}`);
  return {
    directory,
    rootfs: join(directory, 'rootfs'),
    log: join(directory, 'log'),
    ends: join(directory, 'ends'),
  };
}

/** Writes down what a service is, and makes its directory where it is missing. @throws AppError OUTPUT */
export function writeService(container: string, record: ServiceRecord): void {
  writeKept(servicePlace(container, record.name).directory, RECORD_FILE, record);
}

/** Writes down which process runs a service. @throws AppError OUTPUT */
export function writeLoop({ directory }: ServicePlace, mark: ProcessMark): void {
  writeKept(directory, PROCESS_FILE, mark);
}

/** The services beside a dev container, those that are half-made too, by name. */
export function listServices(container: string): readonly FoundService[] {
  return names(join(container, FOLDER)).flatMap((name) => {
    const found = findService(container, name.slice(2));
    return found === undefined ? [] : [found];
  });
}

/** @returns undefined where nothing is kept of it, or another program wrote it */
export function findService(container: string, name: string): FoundService | undefined {
  const place = servicePlace(container, name);
  const read = v.safeParse(recordShape, readJsonIfThere(join(place.directory, RECORD_FILE)));
  if (!read.success || servicePlace(container, read.output.name).directory !== place.directory)
    return undefined;
  const loop = readKeptProcess(place.directory, PROCESS_FILE);
  return {
    record: read.output as unknown as ServiceRecord,
    place,
    loop,
    process: loop === undefined ? undefined : processOf(loop),
    exitCodes: textOf(place.ends).split('\n').filter(Boolean).map(Number),
  };
}

/** How a service is, in a word. */
export function statusOf({ record, loop, process, exitCodes }: FoundService): string {
  if (process) return 'running';
  if (loop) return 'restarting';
  if (record.image === undefined) return 'incomplete';
  const code = exitCodes.at(-1);
  return code === undefined ? 'stopped' : `exited (${code})`;
}

/** The number or the name of a signal as Compose files and images have it. */
export function signalOf(text: string): NodeJS.Signals | number {
  if (/^\d+$/.test(text)) return Number(text);
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  return Object.hasOwn(constants.signals, name) ? (name as NodeJS.Signals) : 'SIGTERM';
}

/** Which service the dev container is, for the order of ends. */
export function writeOwn(
  container: string,
  own: { readonly name: string; readonly dependsOn: readonly string[] },
): void {
  writeKept(container, OWN_FILE, own);
}

const OWN_FILE = 'own-service.json';
const ownShape = v.object({ name: v.string(), dependsOn: v.array(v.string()) });

/** @returns undefined where the dev container is no service */
export function readOwn(
  container: string,
): { readonly name: string; readonly dependsOn: readonly string[] } | undefined {
  const read = v.safeParse(ownShape, readJsonIfThere(join(container, OWN_FILE)));
  return read.success ? read.output : undefined;
}

/** Forgets how a service has ended before. */
export function forgetEnds({ ends }: ServicePlace): void {
  rmSync(ends, { force: true });
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
