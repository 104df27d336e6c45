import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CAPABILITY_NAMES } from './capabilities.ts';
import { cgroupFiles } from './cgroup-files.ts';
import { type MountEntry, parseMountTable } from './mount-table.ts';
import { diskOf } from './room.ts';

/** What a container has been given. Everything is looked up when it is asked for; what cannot be found out is not there. */
export interface Machine {
  /** @param name with or without CAP_, in any case; ALL stands for every one that the kernel knows */
  hasCapability(name: string): boolean;
  /** Whether something is mounted at a path, links in it followed. */
  isMounted(path: string): boolean;
  /** Whether a security option as docker run takes it (`seccomp=unconfined`) is in force, or its opposite is not. */
  hasSecurityOption(option: string): boolean;
  /** Whether /etc/hosts has a host. */
  knowsHost(name: string): boolean;
  /** Whether the first process is another one than ours. */
  hasInit(): boolean;
  hasGpu(): boolean;
  /** Processors that may be used at the same time; not always a whole number. */
  cpus(): number;
  /** Bytes of memory that the container may use. */
  memory(): number;
  /** Bytes that may be written below a directory, which need not be there yet. */
  storage(directory: string): number;
}

/** Where the kernel tells about a machine; other places are for tests. */
export interface MachinePlaces {
  /** The root of the file system in which /proc, /dev and cgroups lie. */
  readonly root: string;
  readonly pid: number;
  readonly parallelism: number;
}

const THIS: Pick<MachinePlaces, 'root' | 'pid'> = { root: '/', pid: process.pid };

/** The machine that this process runs on. */
export function probeMachine(
  { root, pid, parallelism }: MachinePlaces = { ...THIS, parallelism: availableParallelism() },
): Machine {
  const read = (path: string): string => {
    try {
      return readFileSync(join(root, path), 'latin1');
    } catch {
      return '';
    }
  };
  const mounts = (): readonly MountEntry[] =>
    parseMountTable(Buffer.from(read('proc/self/mountinfo'), 'latin1'));
  const status = (name: string): string =>
    new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(read('proc/self/status'))?.[1] ?? '';
  const limits = (controller: string, files: Parameters<typeof cgroupFiles>[0]['files']): string[] =>
    cgroupFiles({ controller, files, cgroups: read('proc/self/cgroup'), mounts: mounts(), read });
  return {
    hasCapability: (name) => {
      const effective = BigInt(`0x${status('CapEff') || '0'}`);
      const plain = name.toUpperCase().replace(/^CAP_/, '');
      if (plain === 'ALL') {
        const known = (2n << BigInt(Number(read('proc/sys/kernel/cap_last_cap')) || 63)) - 1n;
        return (effective & known) === known;
      }
      const number = CAPABILITY_NAMES.indexOf(plain);
      return number >= 0 && ((effective >> BigInt(number)) & 1n) === 1n;
    },
    isMounted: (path) => {
      const wanted = [withoutSlash(path), realPath(root, path)];
      return mounts().some(({ mountPoint }) => wanted.includes(mountPoint));
    },
    hasSecurityOption: (option) => {
      const [name = '', value] = option.split(/[=:]/);
      switch (name) {
        case 'seccomp':
          return value === 'unconfined' ? status('Seccomp') === '0' : false;
        case 'apparmor':
          return value === 'unconfined' && /^(unconfined\b.*)?$/.test(read('proc/self/attr/current').trim());
        case 'label':
          return !existsSync(join(root, 'sys/fs/selinux'));
        case 'no-new-privileges':
          return (status('NoNewPrivs') === '1') === (value !== 'false');
        default:
          return false;
      }
    },
    knowsHost: (name) =>
      read('etc/hosts')
        .split('\n')
        .some((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1).includes(name)),
    hasInit: () => pid !== 1,
    hasGpu: () =>
      globSync(['nvidia[0-9]*', 'dri/renderD*', 'kfd', 'dxg'], { cwd: join(root, 'dev') }).length > 0,
    cpus: () => {
      const quotas = [
        ...limits('cpu', ['cpu.max']).map((text) => text.split(/\s+/)),
        ...limits('cpu', ['cpu.cfs_quota_us', 'cpu.cfs_period_us']).map((text) => text.split(/\s+/)),
      ].map(([quota, period]) => Number(quota) / Number(period));
      return Math.min(parallelism, ...quotas.filter((cpus) => cpus > 0));
    },
    memory: () => {
      const [, total] = /^MemTotal:\s+(\d+) kB/m.exec(read('proc/meminfo')) ?? [];
      const most = [...limits('memory', ['memory.max']), ...limits('memory', ['memory.limit_in_bytes'])].map(
        (text) => Number(text.trim() || 'NaN'),
      );
      return Math.min(total === undefined ? Infinity : Number(total) * 1024, ...most.filter((n) => n >= 0));
    },
    storage: (directory) => diskOf(join(root, directory)).free,
  };
}

/** Where a path leads, as far as it is there. */
function realPath(root: string, path: string): string {
  try {
    const real = realpathSync(join(root, path));
    return root === '/' ? real : real.slice(root.length);
  } catch {
    return withoutSlash(path);
  }
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
