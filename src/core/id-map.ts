import { readFileSync } from 'node:fs';
import { once } from './concurrency.ts';

const idMap = once(() => {
  try {
    return readFileSync('/proc/self/uid_map', 'latin1').trim();
  } catch {
    return '0 0 4294967295';
  }
});

/** Whether ids are those of the machine: in a user namespace, mounts and devices obey other rules (user_namespaces(7)). */
export function inInitialNamespace(): boolean {
  return /^0\s+0\s+4294967295$/.test(idMap());
}

/** Whether we are root of a user namespace with one id alone, so that no file can be given to anybody else. */
export function hasOneId(): boolean {
  return /^0\s+\d+\s+1$/.test(idMap());
}
