import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../src/core/testing.ts';

const ROOT = '/sys/fs/cgroup';
const PREFIX = 'envbuilder-cluster-';
/** Without these a new group of version 1 takes no process. */
const COPIED = ['cpuset.cpus', 'cpuset.mems'];

/** A group for the pods of a cluster in every hierarchy of this machine, named after our process. */
export async function makeCgroups(): Promise<{
  readonly path: string;
  readonly remove: () => Promise<void>;
}> {
  await removeLeft();
  const name = `${PREFIX}${process.pid}`;
  for (const hierarchy of hierarchies()) {
    mkdirSync(join(hierarchy, name), { recursive: true });
    for (const file of COPIED)
      if (existsSync(join(hierarchy, file)) && !existsSync(join(hierarchy, 'cgroup.controllers')))
        writeFileSync(join(hierarchy, name, file), readFileSync(join(hierarchy, file)));
  }
  return { path: `/${name}`, remove: () => removeGroups(name) };
}

/** The one of version 2, or those of version 1. */
function hierarchies(): readonly string[] {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return [ROOT];
  return readdirSync(ROOT)
    .map((name) => join(ROOT, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/** Groups that runs have left which were killed. */
async function removeLeft(): Promise<void> {
  const names = new Set(hierarchies().flatMap((path) => readdirSync(path)));
  for (const name of names) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : undefined;
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removeGroups(name);
  }
}

/** What runs in them has been killed, and is gone soon. */
async function removeGroups(name: string): Promise<void> {
  await until(`the control groups ${name} are gone`, () =>
    hierarchies().every((hierarchy) => removeTree(join(hierarchy, name))),
  );
}

function removeTree(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(path, entry.name));
    rmdirSync(path);
  } catch {
    // Busy, or gone.
  }
  return !existsSync(path);
}
