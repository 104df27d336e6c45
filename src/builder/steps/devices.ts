import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import type { DeviceRequest } from '../../dockerfile/types.ts';
import type { RunMount } from '../../sys/types.ts';

/** Where the machine describes devices (Container Device Interface, "Where are CDI specs found"); the later one wins. */
const DIRECTORIES = ['/etc/cdi', '/var/run/cdi'];

const CLASS = 'org.mobyproject.buildkit.device.class';
const ALLOWED = 'org.mobyproject.buildkit.device.autoallow';

/** What a device does to the container that it is given to. */
interface Edits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly { readonly path: string; readonly hostPath?: string }[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
  }[];
  readonly hooks?: readonly unknown[];
}

interface Device {
  /** `vendor.com/class=name`. */
  readonly name: string;
  readonly kind: string;
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly edits: readonly Edits[];
}

/** What a RUN gets of the devices that it asks for. */
export interface GivenDevices {
  readonly mounts: readonly RunMount[];
  readonly env: Readonly<Record<string, string>>;
}

export interface DeviceDeps {
  /** Names of devices, kinds or classes that may be given away; `*` means all. */
  readonly allowed: readonly string[];
  readonly directories?: readonly string[];
  readonly emit: Emit;
}

/**
 * The devices that a RUN asks for, as the files of the machine describe them. One that is not required and is not there, or
 * not allowed, is left out.
 * @throws AppError DOCKERFILE where a required one is not there, PERMISSION where it is not allowed, at the flag
 */
export function giveDevices(requests: readonly DeviceRequest[], deps: DeviceDeps): GivenDevices {
  const { directories = DIRECTORIES } = deps;
  const known = requests.length === 0 ? [] : readDevices(directories);
  const chosen = new Map<string, Device>();
  for (const request of requests) {
    const found = matching(request.name, known);
    if (found.length === 0 && request.required) throw notThere(request, known, directories);
    for (const device of found) {
      if (isAllowed(device, deps.allowed)) chosen.set(device.name, device);
      else if (request.required) throw notAllowed(request, device);
      else
        deps.emit({
          type: 'warning',
          code: 'DEVICE',
          text: `${device.name} is left out: it is not allowed`,
          hint: `allow it with --allow device=${device.name}`,
          range: request.range,
        });
    }
  }
  return together([...chosen.values()], deps.emit);
}

function together(devices: readonly Device[], emit: Emit): GivenDevices {
  const mounts: RunMount[] = [];
  const env: Record<string, string> = {};
  for (const { name, edits } of devices) {
    for (const edit of edits) {
      for (const { path, hostPath = path } of edit.deviceNodes ?? [])
        mounts.push({ type: 'bind', source: hostPath, target: path, readonly: false });
      for (const { hostPath, containerPath, options = [] } of edit.mounts ?? [])
        mounts.push({
          type: 'bind',
          source: hostPath,
          target: containerPath,
          readonly: options.includes('ro'),
        });
      for (const variable of edit.env ?? []) {
        const equals = variable.indexOf('=');
        if (equals > 0) env[variable.slice(0, equals)] = variable.slice(equals + 1);
      }
      if (edit.hooks?.length)
        emit({ type: 'message', level: 'debug', text: `the hooks of the device ${name} are not run` });
    }
  }
  return { mounts, env };
}

/** A device, the first of a kind, all of a kind, or those of a class (BuildKit's documentation of CDI). */
function matching(name: string, known: readonly Device[]): readonly Device[] {
  const [kind = '', which = ''] = splitOnce(name);
  const ofKind = known.filter((device) => device.kind === kind);
  const named =
    which === '*' ? ofKind : which === '' ? ofKind.slice(0, 1) : ofKind.filter((one) => one.name === name);
  return named.length > 0 ? named : known.filter(({ annotations }) => annotations[CLASS] === name);
}

function isAllowed({ name, kind, annotations }: Device, allowed: readonly string[]): boolean {
  const itself = annotations[ALLOWED] === true || annotations[ALLOWED] === 'true';
  const names = ['*', name, kind, annotations[CLASS]];
  return itself || allowed.some((one) => names.includes(one));
}

/** Files that cannot be read as descriptions of devices describe none. */
function readDevices(directories: readonly string[]): readonly Device[] {
  const devices = new Map<string, Device>();
  for (const directory of directories) {
    if (!existsSync(directory)) continue;
    for (const file of readdirSync(directory).sort()) {
      if (!/\.(json|ya?ml)$/.test(file)) continue;
      for (const device of devicesIn(join(directory, file))) devices.set(device.name, device);
    }
  }
  return [...devices.values()];
}

function devicesIn(path: string): readonly Device[] {
  let spec: unknown;
  try {
    spec = parse(readFileSync(path, 'utf8'));
  } catch {
    return [];
  }
  const {
    kind,
    devices,
    containerEdits,
    annotations = {},
  } = (spec ?? {}) as {
    kind?: unknown;
    devices?: unknown;
    containerEdits?: Edits;
    annotations?: Device['annotations'];
  };
  if (typeof kind !== 'string' || !Array.isArray(devices)) return [];
  return devices.map(
    (device: { name?: unknown; containerEdits?: Edits; annotations?: Device['annotations'] }) => ({
      name: `${kind}=${String(device.name)}`,
      kind,
      annotations: { ...annotations, ...device.annotations },
      edits: [containerEdits, device.containerEdits].filter((edits) => edits !== undefined),
    }),
  );
}

function notThere(
  { name, range }: DeviceRequest,
  known: readonly Device[],
  directories: readonly string[],
): AppError {
  const names = known.map((device) => device.name).join(', ');
  return new AppError('DOCKERFILE', `RUN asks for the device ${name}, which this machine does not describe`, {
    where: { range },
    hint:
      names === ''
        ? `devices are described by CDI files in ${directories.join(' and ')}, and there is none`
        : `the devices are ${names}`,
  });
}

function notAllowed({ range }: DeviceRequest, { name }: Device): AppError {
  return new AppError('PERMISSION', `RUN asks for the device ${name}, which is not allowed`, {
    where: { range },
    hint: `allow it with --allow device=${name}, or all with --allow device`,
  });
}

function splitOnce(text: string): readonly string[] {
  const at = text.indexOf('=');
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
