import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pushBaseImages } from '../../scripts/lib/base-images.ts';
import { type CleanUp, createCleanUp } from '../../scripts/lib/cleanup.ts';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import { type DockerEngine, startDockerEngine } from '../../scripts/lib/docker-engine.ts';
import { type RegistryServer, startRegistry } from '../../scripts/lib/registry-server.ts';
import { step } from '../../scripts/lib/shell.ts';
import { commandsAlone } from './alone.ts';
import { type Containers, createContainers } from './containers.ts';
import { herdSeries } from './herd-series.ts';
import { hostSeries } from './host-series.ts';
import { load, machine, startCpu, versionLines } from './machine.ts';
import { median, type OurRun } from './measure.ts';
import { peerPaths } from './peer-paths.ts';
import { openPeers } from './peers.ts';
import { createRecorder } from './recorder.ts';
import { lineOf } from './report.ts';
import type { Measurements } from './results.ts';
import { startSeries } from './start-series.ts';
import { ownStarter, peerStarters, type Starter } from './starters.ts';
import { walkSeries } from './walk-series.ts';
import { fewerRounds, WORKS, type Work } from './works.ts';

export interface RunOptions {
  /** Everything is made below it, and deleted at the end. */
  readonly out: string;
  readonly scale: number;
  /** Names of works in the order in which they are done; undefined is all of them. */
  readonly only: readonly string[] | undefined;
  /** How often anything is measured at most. */
  readonly rounds: number;
  /** Whether eight starts at once are measured. */
  readonly herds: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Is given all that was measured so far after each work. */
  readonly keep: (measured: Measurements) => void;
}

/** The works that are started in containers too; the others say nothing about a start that these do not. */
const STARTED = ['demo', 'steps', 'stages'];

/** Starts the services and runs the works one after the other; a peer that this machine does not have is left out. */
export async function runWorks(options: RunOptions): Promise<void> {
  const { out, scale, rounds, herds, env, only = Object.keys(WORKS), keep } = options;
  const cleanUp = createCleanUp();
  const dir = mkdtempSync(join(out, 'run-'));
  cleanUp.add(() => rmSync(dir, { recursive: true, force: true }));
  const missing: string[] = [];
  const loads = [load()];
  const leftOut = (what: string): void => {
    missing.push(what);
    tell(what);
  };
  try {
    await ensurePackages(['zstd', 'skopeo', 'tar', 'findutils']);
    const { registry, stop } = await startRegistry(dir, undefined, { metrics: true });
    cleanUp.add(stop);
    await step('Filling the registry with base images', () => pushBaseImages(registry.host));
    const engine = await openEngine(dir, cleanUp, leftOut);
    const { peers, reasons } = await openPeers(engine, dir, cleanUp);
    for (const reason of reasons) leftOut(reason);
    const starting = engine && (await openStarters(engine, dir, registry, env, leftOut));
    const recorder = createRecorder({
      metrics: registry.metrics!,
      say: (row) => {
        loads.push(load());
        tell(lineOf(row));
      },
      failed: leftOut,
    });
    const works: { readonly name: string; readonly about: string }[] = [];
    for (const name of only) {
      const make = WORKS[name];
      if (!make) throw new Error(`there is no work ${name}, only ${Object.keys(WORKS).join(', ')}`);
      // The engine mounts only what lies in its directory.
      const made = make({ dir: join(dir, 'docker/works'), registry: registry.host, scale });
      const work = { ...made, rounds: fewerRounds(made.rounds, rounds) };
      works.push({ name, about: work.about });
      tell(`\n== ${name}: ${work.about}`);
      work.write({ early: 'one', late: 'one' });
      const commands = work.alone && { commands: await commandsTime(work, registry, dir) };
      const { rootfs } = await hostSeries(work, { recorder, peers, registry, dir, ...commands });
      if (name === 'files') await walkSeries(work, recorder, rootfs);
      if (starting && STARTED.includes(name)) {
        await startSeries(work, { ...starting, recorder, registry, ...commands });
        if (herds) await herdSeries(work, { ...starting, recorder, registry });
      }
      keep({
        machine: machine(),
        versions: [
          `Node ${process.versions.node}`,
          ...[...peers, ...(starting?.peers ?? [])].map((peer) => `${peer.name} ${peer.version}`),
          ...versionLines(['tar', 'zstd', 'find']),
        ],
        works,
        missing,
        rows: recorder.rows,
        load: [Math.min(...loads), Math.max(...loads)],
        startCpu: await startCpu(),
      });
    }
  } finally {
    await cleanUp.run();
  }
}

/** The median of as many runs as an uncached build gets. */
async function commandsTime(work: Work, { storage }: RegistryServer, dir: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < work.rounds.uncached; round += 1)
    times.push(await commandsAlone(work, storage, join(dir, `alone-${work.name}-${round}`)));
  return median(times);
}

async function openEngine(
  dir: string,
  cleanUp: CleanUp,
  leftOut: (what: string) => void,
): Promise<DockerEngine | undefined> {
  try {
    const { engine, stop } = await startDockerEngine(dir);
    cleanUp.add(stop);
    return engine;
  } catch (error) {
    leftOut(`docker, and all that runs in containers: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}

async function openStarters(
  engine: DockerEngine,
  dir: string,
  registry: RegistryServer,
  env: RunOptions['env'],
  leftOut: (what: string) => void,
): Promise<{
  readonly containers: Containers;
  readonly ours: Starter<OurRun>;
  readonly peers: readonly Starter[];
}> {
  const containers = createContainers(engine, join(dir, 'images'));
  const { paths, reasons } = peerPaths(env);
  for (const reason of reasons) leftOut(reason);
  return {
    containers,
    ours: await ownStarter(containers, registry),
    peers: await peerStarters(containers, paths),
  };
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
