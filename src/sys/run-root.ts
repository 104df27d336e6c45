import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { ListedCall } from './call-list.ts';
import { MNT_DETACH, MS, S_IF } from './constants.ts';
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
 * process's root. The mount points exist; only below /dev and other mounts they are made.
 */
export function enterRoot(syscalls: Syscalls, spec: HelperSpec): void {
  const { root } = spec;
  const at = (path: string): string => posix.join(root, path);
  syscalls.mount(root, root, '', MS.BIND | MS.REC);
  mountDev(syscalls, at('/dev'));
  syscalls.mount('sysfs', at('/sys'), 'sysfs', NO_EXTRAS | (spec.privileged ? 0 : MS.RDONLY));
  mountCgroup(syscalls, at('/sys/fs/cgroup'), spec.privileged);
  for (const [at, mount] of spec.mounts.entries()) {
    const fresh = ['/dev', ...spec.mounts.slice(0, at).map(({ target }) => target)];
    if (fresh.some((above) => mount.target.startsWith(`${above}/`)))
      makeMountPoint(mount, posix.join(root, mount.target));
    mountOne(syscalls, root, mount);
  }
  process.chdir(root);
  syscalls.pivotRoot('.', '.');
  syscalls.umount('.', MNT_DETACH);
  process.chdir('/');
  if (!spec.privileged) maskSys(syscalls);
}

function mountDev(syscalls: Syscalls, dev: string): void {
  syscalls.mount('tmpfs', dev, 'tmpfs', MS.NOSUID | MS.STRICTATIME, 'mode=755,size=65536k');
  process.umask(0);
  for (const [name, major, minor] of DEVICES)
    syscalls.mknod(`${dev}/${name}`, S_IF.CHR | 0o666, major, minor);
  for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(`${dev}/${name}`, { mode: 0o755 });
  syscalls.mount(
    'devpts',
    `${dev}/pts`,
    'devpts',
    MS.NOSUID | MS.NOEXEC,
    'newinstance,ptmxmode=0666,mode=0620,gid=5',
  );
  syscalls.mount('shm', `${dev}/shm`, 'tmpfs', NO_EXTRAS, 'mode=1777,size=65536k');
  optional(() => syscalls.mount('mqueue', `${dev}/mqueue`, 'mqueue', NO_EXTRAS));
  symlinkSync('pts/ptmx', `${dev}/ptmx`);
  symlinkSync('/proc/self/fd', `${dev}/fd`);
  for (const [fd, name] of ['stdin', 'stdout', 'stderr'].entries())
    symlinkSync(`/proc/self/fd/${fd}`, `${dev}/${name}`);
  symlinkSync('/proc/kcore', `${dev}/core`);
  process.umask(0o022);
}

function mountCgroup(syscalls: Syscalls, target: string, writable: boolean): void {
  if (!existsSync(target)) return;
  optional(() => syscalls.mount('cgroup', target, 'cgroup2', NO_EXTRAS | (writable ? 0 : MS.RDONLY)));
}

function mountOne(syscalls: Syscalls, root: string, mount: RunMount): void {
  const target = posix.join(root, mount.target);
  if (mount.type === 'tmpfs') {
    const options = [
      `mode=${(mount.mode ?? 0o1777).toString(8)}`,
      ...(mount.size ? [`size=${mount.size}`] : []),
    ];
    syscalls.mount('tmpfs', target, 'tmpfs', NO_EXTRAS, options.join(','));
    return;
  }
  syscalls.mount(mount.source, target, '', MS.BIND | MS.REC);
  if (mount.readonly) syscalls.mount('', target, '', MS.BIND | MS.REMOUNT | MS.RDONLY);
}

function makeMountPoint(mount: RunMount, target: string): void {
  if (existsSync(target)) return;
  const directory = mount.type === 'tmpfs' || statSync(mount.source).isDirectory();
  mkdirSync(directory ? target : posix.dirname(target), { recursive: true });
  if (!directory) writeFileSync(target, '');
}

/**
 * The system calls with which a command mounts its own /proc, since only a process of a namespace can mount what shows it.
 * What is masked there is of the same kind in the /proc that we see.
 */
export function procCalls(privileged: boolean): ListedCall[] {
  const mount = (source: string, target: string, type: string, flags: number, mayFail = 0): ListedCall => ({
    name: 'mount',
    args: [...[source, target, type].map((text) => Buffer.from(`${text}\0`)), flags, 0],
    mayFail,
  });
  const own = mount('proc', '/proc', 'proc', NO_EXTRAS);
  if (privileged) return [own];
  return [
    own,
    ...READONLY_PROC.flatMap((path) => [
      mount(path, path, '', MS.BIND | MS.REC, ENOENT),
      mount('', path, '', MS.BIND | MS.REMOUNT | MS.RDONLY | NO_EXTRAS, ENOENT),
    ]),
    ...MASKED_PROC.map((path) =>
      statSync(path, { throwIfNoEntry: false })?.isDirectory()
        ? mount('tmpfs', path, 'tmpfs', MS.RDONLY, ENOENT)
        : mount('/dev/null', path, '', MS.BIND, ENOENT),
    ),
  ];
}

function maskSys(syscalls: Syscalls): void {
  for (const path of MASKED_SYS) if (existsSync(path)) syscalls.mount('tmpfs', path, 'tmpfs', MS.RDONLY);
}

/** Kernels and containers without the file system do without the mount, as under Docker. */
function optional(mount: () => void): void {
  try {
    mount();
  } catch {
    return;
  }
}
