import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { AppError } from '../../core/error.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { descendants } from '../../sys/descendants.ts';

/** A TCP port of the machine that somebody listens on. */
export interface Listener {
  readonly port: number;
  /** Whether others than this machine reach it. */
  readonly everywhere: boolean;
  /** Of its socket. */
  readonly inode: string;
}

/** Where the state of a socket is written (proc_pid_net(5)): that it listens. */
const LISTEN = '0A';
/** Addresses of the machine to itself, as the kernel writes them: 127.0.0.0/8, ::1, and the first in the form of the second. */
const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/;

/** All TCP ports that are listened on in our network. */
export function listeners(): readonly Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
    textOf(path)
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        const [address = '', port = ''] = local.split(':');
        if (state !== LISTEN) return [];
        return { port: Number.parseInt(port, 16), everywhere: !LOOPBACK.test(address), inode };
      }),
  );
}

/** Those that processes below one, and that itself, have open. */
export function listenersBelow(pid: number, all: readonly Listener[] = listeners()): readonly Listener[] {
  const open = new Set([pid, ...descendants(pid)].flatMap(socketsOf));
  return all.filter(({ inode }) => open.has(inode));
}

/** A process that has a socket open, as far as we may look. */
export function holderOf({
  inode,
}: Listener): { readonly pid: number; readonly program: string } | undefined {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 0) || !socketsOf(pid).includes(inode)) continue;
    return { pid, program: textOf(`/proc/${pid}/comm`).trim() };
  }
  return undefined;
}

function socketsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    // It has ended, or is none of ours.
    return [];
  }
}

/** The ports, as `5432/tcp`, that a service says it listens on. */
export function declaredPorts({
  ports,
  exposed,
}: Pick<ProjectService, 'ports' | 'exposed'>): readonly string[] {
  return [
    ...new Set([...ports, ...exposed].map(({ target, protocol }) => `${target}/${protocol.toLowerCase()}`)),
  ];
}

/** @throws AppError DEVCONTAINER where two services say that they listen on one port */
export function checkDeclaredPorts(services: readonly ProjectService[]): void {
  const users = new Map<string, ProjectService>();
  for (const service of services)
    for (const port of declaredPorts(service)) {
      const other = users.get(port);
      if (other) throw portConflict(port.replace(/\/tcp$/, ''), [other.name, service.name], service);
      users.set(port, service);
    }
}

/** The error of two services that want one port. */
export function portConflict(
  port: string | number,
  [first, second]: readonly [string, string],
  service: ProjectService,
): AppError {
  return new AppError('DEVCONTAINER', `the services ${first} and ${second} both listen on port ${port}`, {
    where: service.whereOf(service.ports.length > 0 ? 'ports' : 'expose'),
    hint: 'all containers have the network of this machine: have one of them listen on another port',
  });
}

/** Numbers in a text that can be ports. */
export function portsIn(text: string): readonly number[] {
  return [...text.matchAll(/(?<![\d.])\d{1,5}(?![\d.]*\d)/g)]
    .map(([digits]) => Number(digits))
    .filter((port) => port > 0 && port < 65_536);
}

/** Whether what a program said is about a port that is taken. */
export function saysTaken(text: string): boolean {
  return /EADDRINUSE|address (?:is )?(?:already )?in use|port .{0,40}(?:in use|already used|is taken|not available)/i.test(
    text,
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
