import type { Containers } from './containers.ts';
import type { Measured, OurRun } from './measure.ts';
import type { Recorder } from './recorder.ts';
import type { Turn } from './rows.ts';
import type { Starter } from './starters.ts';
import type { Work } from './works.ts';

export interface StartSeriesOptions {
  readonly recorder: Recorder;
  readonly containers: Containers;
  readonly ours: Starter<OurRun>;
  readonly peers: readonly Starter[];
  readonly registry: { readonly host: string };
  readonly commands?: number;
}

export const START = {
  uncached: 'start, uncached',
  cached: 'start, cached',
  churned: 'start, cached, on a disk where containers come and go',
  probe: 'probe in a container',
} as const;

/** Containers that filled their root and were removed before anything is measured on a disk where containers come and go. */
const CHURN = 10;

/** A work from `docker run` on: started uncached and cached, and probed, beside programs that do the same. */
export async function startSeries(work: Work, options: StartSeriesOptions): Promise<void> {
  const { recorder, containers, ours, peers, registry, commands } = options;
  const repository = `${registry.host}/start/${work.name}`;
  const turns = (
    of: (starter: Starter) => ((round: number) => Promise<Measured>) | undefined,
  ): Readonly<Record<string, Turn>> =>
    Object.fromEntries(peers.flatMap((peer) => (of(peer) ? [[peer.name, of(peer)!]] : [])));
  const alone = {
    'docker run alone': () => containers.run([work.base, 'echo', 'ready'], { until: /^ready/m }),
  };
  const rounds = work.rounds.cached;
  const slow = { peers: peers.map(({ name }) => name), rounds: work.rounds.slow };
  const common = { withMemory: false, rounds, slow };
  work.write({ early: 'one', late: 'one' });
  await recorder.record(work, {
    ...common,
    what: START.uncached,
    rounds: 1,
    ...(commands !== undefined && { commands }),
    ours: () => ours.start(work, repository, { push: true }),
    peers: turns((peer) => () => peer.start(work, repository, { push: true })),
  });
  await recorder.record(work, {
    ...common,
    what: START.cached,
    ours: () => ours.start(work, repository, { push: false }),
    peers: { ...turns((peer) => () => peer.start(work, repository, { push: false })), ...alone },
  });
  if (work.isLarge) {
    for (let done = 0; done < CHURN; done += 1) await ours.start(work, repository, { push: false });
    await containers.remove();
    await recorder.record(work, {
      ...common,
      what: START.churned,
      ours: () => ours.start(work, repository, { push: false }),
      peers: turns((peer) => () => peer.start(work, repository, { push: false })),
      afterRound: () => containers.remove(),
    });
  }
  await recorder.record(work, {
    ...common,
    what: START.probe,
    ours: () => ours.probe!(work, repository),
    peers: { ...turns(({ probe }) => probe && (() => probe(work, repository))), ...alone },
  });
  await containers.remove();
}
