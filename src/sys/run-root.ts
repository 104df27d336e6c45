import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { posix } from 'node:path';
import { hasOneId, inInitialNamespace } from '../core/id-map.ts';
import { type BeneathDirectory, createBeneath, type OpenBeneath } from './beneath.ts';
import type { ListedCall } from './call-list.ts';
import { MNT_DETACH, MS, S_IF } from './constants.ts';
import { O_PATH } from './descriptor.ts';
import { withMountSource } from './mount-source.ts';
import type { HelperSpec } from './run-types.ts';
import type { RunMount, Syscalls } from './types.ts';

const NO_EXTRAS = MS.NOSUID | MS.NODEV | MS.NOEXEC;

/** Paths that Docker hides from a container (moby, default OCI spec: MaskedPaths). */
const MASKED_PROC = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
];
const MASKED_SYS = ['/sys/devices/virtual/powercap', '/sys/firmware'];
/** Paths that it makes read-only (ReadonlyPaths). */
const READONLY_PROC = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
const ENOENT = 2;

const DEVICES: readonly (readonly [string, number, number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
];

/**
 * Mounts what Docker mounts into a container below `spec.root`, but for /proc, then the RUN's own mounts, and makes it this
 * process's root. The mount points exist; only below /dev and other mounts they are made. Every mount point is found inside
 * the root, whatever links the image or an earlier mount has on the way, and mounted on as it was found.
 */
export function enterRoot(syscalls: Syscalls, spec: HelperSpec): void {
  const { root } = spec;
  const openBeneath = createBeneath(syscalls);
  syscalls.mount(root, root, '', MS.BIND | MS.REC);
  const directory = openBeneath(root);
  try {
    const place: MountPlace = { syscalls, openBeneath, directory };
    mountDev(place);
    const sys = NO_EXTRAS | (spec.privileged ? 0 : MS.RDONLY);
    if (inInitialNamespace())
      mountAt(place, '/sys', (target) => syscalls.mount('sysfs', target, 'sysfs', sys));
    else {
      bindSys(place);
      // Who may see all of a proc here may mount another one, which then covers it (mount_too_revealing of the kernel).
      mountAt(place, '/proc', (target) => syscalls.mount('/proc', target, '', MS.BIND));
    }
    mountCgroup(place, spec.privileged);
    for (const [at, mount] of spec.mounts.entries()) {
      const fresh = ['/dev', ...spec.mounts.slice(0, at).map(({ target }) => target)];
      if (fresh.some((above) => mount.target.startsWith(`${above}/`))) makeMountPoint(place, mount);
      mountOne(place, mount);
    }
    // A mount may cover it; where it cannot be made, entering it says so.
    optional(() => directory.makeDirectory(spec.cwd));
  } finally {
    directory.close();
  }
  process.chdir(root);
  syscalls.pivotRoot('.', '.');
  syscalls.umount('.', MNT_DETACH);
  process.chdir('/');
  if (!spec.privileged) maskSys(syscalls);
}

/** The root that is being made. */
interface MountPlace {
  readonly syscalls: Syscalls;
  readonly openBeneath: OpenBeneath;
  readonly directory: BeneathDirectory;
}

/** Gives a text for what a path inside the root leads to, which is right while `mount` runs. */
function mountAt({ directory }: MountPlace, path: string, mount: (target: string) => void): void {
  const fd = directory.open(path, O_PATH);
  try {
    mount(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function mountDev(place: MountPlace): void {
  const { syscalls } = place;
  mountAt(place, '/dev', (target) =>
    syscalls.mount('tmpfs', target, 'tmpfs', MS.NOSUID | MS.STRICTATIME, 'mode=755,size=65536k'),
  );
  mountAt(place, '/dev', (dev) => {
    process.umask(0);
    for (const [name, major, minor] of DEVICES) {
      if (inInitialNamespace()) syscalls.mknod(`${dev}/${name}`, S_IF.CHR | 0o666, major, minor);
      else bindDevice(syscalls, name, dev);
    }
    for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(`${dev}/${name}`, { mode: 0o755 });
    syscalls.mount(
      'devpts',
      `${dev}/pts`,
      'devpts',
      MS.NOSUID | MS.NOEXEC,
      `newinstance,ptmxmode=0666,mode=0620${hasOneId() ? '' : ',gid=5'}`,
    );
    syscalls.mount('shm', `${dev}/shm`, 'tmpfs', NO_EXTRAS, 'mode=1777,size=65536k');
    optional(() => syscalls.mount('mqueue', `${dev}/mqueue`, 'mqueue', NO_EXTRAS));
    symlinkSync('pts/ptmx', `${dev}/ptmx`);
    symlinkSync('/proc/self/fd', `${dev}/fd`);
    for (const [fd, name] of ['stdin', 'stdout', 'stderr'].entries())
      symlinkSync(`/proc/self/fd/${fd}`, `${dev}/${name}`);
    symlinkSync('/proc/kcore', `${dev}/core`);
    process.umask(0o022);
  });
}

function mountCgroup(place: MountPlace, writable: boolean): void {
  const { syscalls, directory } = place;
  if (!directory.stat('/sys/fs/cgroup')) return;
  const flags = NO_EXTRAS | (writable ? 0 : MS.RDONLY);
  mountAt(place, '/sys/fs/cgroup', (target) =>
    optional(() => syscalls.mount('cgroup', target, 'cgroup2', flags)),
  );
}

function mountOne(place: MountPlace, mount: RunMount): void {
  const { syscalls, openBeneath } = place;
  if (mount.type === 'tmpfs') {
    const options = [
      `mode=${(mount.mode ?? 0o1777).toString(8)}`,
      ...(mount.size ? [`size=${mount.size}`] : []),
    ];
    mountAt(place, mount.target, (target) =>
      syscalls.mount('tmpfs', target, 'tmpfs', NO_EXTRAS, options.join(',')),
    );
    return;
  }
  withMountSource(openBeneath, mount, (source) =>
    mountAt(place, mount.target, (target) =>
      syscalls.mount(`/proc/self/fd/${source}`, target, '', MS.BIND | MS.REC),
    ),
  );
  if (mount.readonly) mountAt(place, mount.target, (target) => makeReadOnly(syscalls, target));
}

function makeMountPoint({ openBeneath, directory }: MountPlace, mount: RunMount): void {
  const target = directory.realPath(mount.target);
  if (directory.stat(target)) return;
  const isDirectory =
    mount.type === 'tmpfs' ||
    withMountSource(openBeneath, mount, (source) => fstatSync(source).isDirectory());
  directory.makeDirectory(isDirectory ? target : posix.dirname(target));
  if (!isDirectory) closeSync(directory.open(target, constants.O_WRONLY | constants.O_CREAT));
}

interface ProcMount {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags: number;
  /** The one errno with which it may fail. */
  readonly mayFail?: number;
}

const OWN_PROC: ProcMount = { source: 'proc', target: '/proc', type: 'proc', flags: NO_EXTRAS };

/** What is masked in a /proc is of the same kind in the one that we see. */
function procMasks(): readonly ProcMount[] {
  const mayFail = ENOENT;
  return [
    ...READONLY_PROC.flatMap((target) => [
      { source: target, target, type: '', flags: MS.BIND | MS.REC, mayFail },
      { source: '', target, type: '', flags: MS.BIND | MS.REMOUNT | MS.RDONLY | NO_EXTRAS, mayFail },
    ]),
    ...MASKED_PROC.map((target) =>
      statSync(target, { throwIfNoEntry: false })?.isDirectory()
        ? { source: 'tmpfs', target, type: 'tmpfs', flags: MS.RDONLY, mayFail }
        : { source: '/dev/null', target, type: '', flags: MS.BIND, mayFail },
    ),
  ];
}

/** The system calls with which a command mounts its own /proc, since only a process of a namespace can mount what shows it. */
export function procCalls(privileged: boolean): ListedCall[] {
  return [OWN_PROC, ...(privileged ? [] : procMasks())].map(
    ({ source, target, type, flags, mayFail = 0 }) => ({
      name: 'mount',
      args: [...[source, target, type].map((text) => Buffer.from(`${text}\0`)), flags, 0],
      mayFail,
    }),
  );
}

/** Mounts the /proc of our own namespace of processes, as a container sees it. */
export function mountProc(syscalls: Pick<Syscalls, 'mount'>, privileged: boolean): void {
  const mount = ({ source, target, type, flags, mayFail = 0 }: ProcMount): void => {
    try {
      syscalls.mount(source, target, type, flags);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno !== -mayFail) throw error;
    }
  };
  mount(OWN_PROC);
  if (!privileged) for (const mask of procMasks()) mount(mask);
}

function maskSys(syscalls: Syscalls): void {
  for (const path of MASKED_SYS) if (existsSync(path)) syscalls.mount('tmpfs', path, 'tmpfs', MS.RDONLY);
}

/** Nobody makes a device node in a user namespace; the machine's own one does as well. */
function bindDevice(syscalls: Syscalls, name: string, dev: string): void {
  writeFileSync(`${dev}/${name}`, '');
  syscalls.mount(`/dev/${name}`, `${dev}/${name}`, '', MS.BIND);
}

/** A sysfs belongs to the network, which is the machine's; its own one is shown instead. */
function bindSys(place: MountPlace): void {
  const { syscalls } = place;
  mountAt(place, '/sys', (target) => syscalls.mount('/sys', target, '', MS.BIND | MS.REC));
  mountAt(place, '/sys', (target) => makeReadOnly(syscalls, target));
}

/** What the machine forbids of a mount must stay forbidden in a user namespace (mount_namespaces(7)). */
function makeReadOnly(syscalls: Syscalls, target: string): void {
  const flags = MS.BIND | MS.REMOUNT | MS.RDONLY;
  const tries = inInitialNamespace() ? [0] : [0, MS.NOSUID | MS.NODEV, NO_EXTRAS];
  for (const [at, locked] of tries.entries()) {
    try {
      return syscalls.mount('', target, '', flags | locked);
    } catch (error) {
      if (at === tries.length - 1) throw error;
    }
  }
}

/** Kernels and containers without the file system do without the mount, as under Docker. */
function optional(mount: () => void): void {
  try {
    mount();
  } catch {
    return;
  }
}
