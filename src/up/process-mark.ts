import { readFileSync, readlinkSync } from 'node:fs';
import { factsOf } from '../sys/descendants.ts';

/** A process that no other one is taken for, whatever was started since. */
export interface ProcessMark {
  readonly pid: number;
  /** When it was started, in ticks since the machine was. */
  readonly started: string;
  readonly boot: string;
  /** The namespace in which it has this number. */
  readonly namespace: string;
}

/** @returns undefined where there is no such process */
export function markOf(pid: number): ProcessMark | undefined {
  const started = startOf(pid);
  return started === undefined ? undefined : { pid, started, boot: bootId(), namespace: ownNamespace() };
}

/** Whether the process is still there, and no zombie. */
export function isThere({ pid, started, boot, namespace }: ProcessMark): boolean {
  return boot === bootId() && namespace === ownNamespace() && startOf(pid) === started;
}

/** When it was started; undefined for one that has ended. */
function startOf(pid: number): string | undefined {
  const facts = factsOf(pid);
  return facts?.isZombie ? undefined : facts?.began;
}

const bootId = (): string => read('/proc/sys/kernel/random/boot_id').trim();

function ownNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
