import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RegistryServer } from '../../scripts/lib/registry-server.ts';
import { find } from './find.ts';
import { layersOf, readAhead, untar } from './layers.ts';
import { envbuilder, measure, type OurRun, program } from './measure.ts';
import type { Peer } from './peers.ts';
import type { Recorder } from './recorder.ts';
import type { Turn } from './rows.ts';
import type { Work } from './works.ts';

/** The rows, by what they are called. */
export const HOST = {
  uncached: 'build, uncached',
  cached: 'build, cached',
  directory: 'build, cached in a directory',
  probe: 'probe',
  plan: 'plan of an unchanged context',
  push: 'push to another repository',
  late: 'build, late change',
  early: 'build, early change',
} as const;

export interface HostSeriesOptions {
  readonly recorder: Recorder;
  readonly peers: readonly Peer[];
  readonly registry: RegistryServer;
  /** Fresh directories are made here, and deleted by the caller at the end. */
  readonly dir: string;
  readonly commands?: number;
}

const PLANS = 5;

/** What a series leaves behind. */
export interface Unpacked {
  /** A root directory that the first cached build has written. */
  readonly rootfs: string;
}

/** A work uncached, cached, probed, pushed, with a late and an early change; on this machine, beside its other builders. */
export async function hostSeries(work: Work, options: HostSeriesOptions): Promise<Unpacked> {
  const { recorder, peers, registry, dir, commands } = options;
  const repository = (round: number): string => `${registry.host}/host/${work.name}-${round}`;
  const into = (name: string, round: number): string => join(dir, `${name}-${work.name}-${round}`);
  const cache = (round: number): string[] => [
    work.context,
    `--cache-repo=${repository(round)}`,
    `--state-dir=${into('state', round)}`,
  ];
  const { uncached, cached } = work.rounds;
  work.write({ early: 'one', late: 'one' });
  let digest = '';
  const base = await layersOf(work.base, registry.storage);
  await recorder.record(work, {
    what: HOST.uncached,
    rounds: uncached,
    ...(commands !== undefined && { commands }),
    beforeTurn: () => readAhead(base),
    ours: async (round) => {
      const run = await envbuilder(['build', ...cache(round), '--push-image']);
      if (round === 0) digest = run.stdout.trim();
      return run;
    },
    peers: Object.fromEntries(peers.map((peer) => [peer.name, () => peer.uncached(work.context)])),
  });
  for (const peer of peers) await peer.forget();

  const image = `${repository(0)}@${digest}`;
  const layers = await layersOf(image, registry.storage);
  await recorder.record(work, {
    what: HOST.cached,
    rounds: cached,
    beforeTurn: () => readAhead(layers),
    ours: (round) => envbuilder(['build', ...cache(0), `--output=${into('rootfs', round)}`]),
    slow: { peers: Object.keys(pulls(peers, image)), rounds: work.rounds.slow },
    peers: {
      ...(work.isLarge && { 'zstd|tar': (round) => untar(layers, into('untar', round)) }),
      ...pulls(peers, image),
    },
    // Many small files are left until the end, since deleting them slows down whoever makes some next.
    afterRound: async (round) => {
      if (work.name !== 'huge') return;
      for (const name of ['rootfs', 'untar']) rmSync(into(name, round), { recursive: true, force: true });
    },
  });
  if (work.name === 'demo') {
    const directory = into('cache', 0);
    await measure(await program(), ['cache', 'copy', `--cache-repo=${repository(0)}`, directory]);
    await recorder.record(work, {
      what: HOST.directory,
      rounds: cached,
      beforeTurn: () => readAhead(layers),
      ours: (round) =>
        envbuilder([
          ...['build', work.context, `--layer-cache-dir=${directory}`, `--state-dir=${into('state', 0)}`],
          `--output=${into('from-directory', round)}`,
        ]),
      peers: { 'zstd|tar': (round) => untar(layers, into('untar-again', round)) },
    });
  }
  await recorder.record(work, {
    what: HOST.probe,
    rounds: cached,
    ours: () => envbuilder(['probe', ...cache(0)]),
  });
  if (work.name === 'files')
    await recorder.record(work, {
      what: HOST.plan,
      rounds: PLANS,
      withMemory: false,
      ours: async () => onlyPlan(await envbuilder(['probe', ...cache(0)])),
      peers: { 'find -printf': () => find(work.context) },
    });
  await recorder.record(work, {
    what: HOST.push,
    ours: () => envbuilder(['build', ...cache(0), '--push', `--tag=${repository(0)}-copy:1`]),
  });
  work.write({ early: 'one', late: 'two' });
  await recorder.record(work, {
    what: HOST.late,
    ours: () => envbuilder(['build', ...cache(0), '--push-image']),
  });
  work.write({ early: 'two', late: 'two' });
  await recorder.record(work, {
    what: HOST.early,
    ours: () => envbuilder(['build', ...cache(0), '--push-image']),
  });
  return { rootfs: into('rootfs', 0) };
}

/** The part of a run that lists and hashes the context, with no work from another one. */
function onlyPlan(run: OurRun): OurRun {
  const plan = run.phases.plan ?? 0;
  return { ...run, ms: plan, phases: { plan } };
}

function pulls(peers: readonly Peer[], image: string): Readonly<Record<string, Turn>> {
  return Object.fromEntries(
    peers.flatMap(({ name, pull }) => (pull ? [[`${name} pull`, () => pull(image)] as const] : [])),
  );
}
