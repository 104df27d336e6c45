import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CountingProxy } from '../../scripts/lib/counting-proxy.ts';
import { envbuilder, type Measured, measure, median, type OurRun } from './measure.ts';
import type { Peer } from './peers.ts';
import type { Work } from './works.ts';

/** One thing that was done, by us and by others. */
export interface Row {
  readonly work: string;
  readonly what: string;
  readonly ours: Taken;
  /** Milliseconds by the name of the peer. */
  readonly peers: Readonly<Record<string, number>>;
}

export interface Taken {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
  readonly phases: Readonly<Record<string, number>>;
  /** As the registry saw it. */
  readonly requests: number;
  readonly receivedMiB: number;
  readonly sentMiB: number;
}

export interface SeriesOptions {
  readonly peers: readonly Peer[];
  /** Before a registry with the base image. */
  readonly proxy: CountingProxy;
  /** The storage directory of that registry. */
  readonly storage: string;
  /** Fresh directories are made here, and deleted by the caller at the end. */
  readonly dir: string;
  readonly say: (row: Row) => void;
  /** A peer cannot do something; it is left out. */
  readonly failed: (what: string) => void;
}

/** The runs whose ratio to another program counts are done by turns; the median of each stands in the row. */
const ROUNDS = 3;

/** A work uncached, cached, with an early and a late change, probed and pushed. */
export async function runSeries(work: Work, options: SeriesOptions): Promise<readonly Row[]> {
  const { peers, proxy, storage, dir, say, failed } = options;
  const repository = `${proxy.host}/bench/${work.name}-${process.pid}`;
  const cache = [work.context, `--cache-repo=${repository}`, `--state-dir=${join(dir, 'state')}`];
  const rows: Row[] = [];
  const add = async (
    what: string,
    args: readonly string[] | ((round: number) => readonly string[]),
    others: Readonly<Record<string, (round: number) => Promise<Measured>>> = {},
    rounds = 1,
  ): Promise<OurRun> => {
    const runs: { readonly run: OurRun; readonly seen: CountingProxy['requests'] }[] = [];
    const taken: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round += 1) {
      const before = proxy.requests.length;
      const run = await envbuilder([...(typeof args === 'function' ? args(round) : args)]);
      runs.push({ run, seen: proxy.requests.slice(before) });
      for (const [name, other] of Object.entries(others)) {
        try {
          taken[name] = [...(taken[name] ?? []), (await other(round)).ms];
        } catch (error) {
          failed(`${name} cannot do "${work.name}, ${what}": ${lastLine(error)}`);
        }
      }
    }
    const times = Object.fromEntries(Object.entries(taken).map(([name, all]) => [name, median(all)]));
    const middle = median(runs.map(({ run }) => run.ms));
    const { run, seen } = runs.find((one) => one.run.ms === middle)!;
    const mib = (of: (one: (typeof seen)[number]) => number): number =>
      seen.reduce((sum, one) => sum + of(one), 0) / 1024 / 1024;
    const ours: Taken = {
      ms: run.ms,
      cpuMs: run.cpuMs,
      peakMiB: run.peakMiB,
      phases: run.phases,
      requests: seen.length,
      receivedMiB: mib((one) => one.received),
      sentMiB: mib((one) => one.sent),
    };
    const row: Row = { work: work.name, what, ours, peers: times };
    rows.push(row);
    say(row);
    return run;
  };
  const build = ['build', ...cache, '--push-image'];

  work.write({ early: 'one', late: 'one' });
  const uncached = peers.map((peer) => [peer.name, () => peer.uncached(work.context)] as const);
  const { stdout } = await add('uncached', build, Object.fromEntries(uncached));
  const digest = stdout.trim();
  const pulls = peers.flatMap(({ name, pull }) =>
    pull ? [[`${name} pull`, () => pull(`${repository}@${digest}`)] as const] : [],
  );
  const layers = await layersOf(repository, digest, storage);
  const rootfs = (round: number): string => join(dir, `rootfs-${work.name}-${round}`);
  const untar = (round: number): Promise<Measured> => {
    const into = join(dir, `untar-${work.name}-${round}`);
    mkdirSync(into);
    return measure('/bin/sh', ['-c', UNTAR, into, ...layers]);
  };
  await add(
    'cached',
    (round) => ['build', ...cache, `--output=${rootfs(round)}`],
    { 'zstd|tar': untar, ...Object.fromEntries(pulls) },
    ROUNDS,
  );
  await add('probe', ['probe', ...cache], {
    'skopeo inspect': () =>
      measure('skopeo', ['inspect', '--tls-verify=false', `docker://${repository}@${digest}`]),
  });
  await add('push to another repository', ['build', ...cache, '--push', `--tag=${repository}-copy:1`]);
  work.write({ early: 'one', late: 'two' });
  await add('late change', build, {
    'find -printf': () =>
      measure('/bin/sh', ['-c', `find "$0" -printf '%p %i %C@ %s %m\\n' > /dev/null`, rootfs(0)]),
  });
  work.write({ early: 'two', late: 'two' });
  await add('early change', build);
  return rows;
}

function lastLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 160);
}

const UNTAR = `for layer do
  case $(head -c 2 "$layer" | od -An -tx1) in *1f*) decode=gzip ;; *) decode=zstd ;; esac
  $decode -dc "$layer" | tar -x --numeric-owner -p -C "$0" || exit
done`;

/** The layers of an image as files of the registry's storage, lowest first. */
async function layersOf(repository: string, digest: string, storage: string): Promise<readonly string[]> {
  const [host, ...name] = repository.split('/');
  const answer = await fetch(`http://${host}/v2/${name.join('/')}/manifests/${digest}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const { layers } = (await answer.json()) as { readonly layers: readonly { readonly digest: string }[] };
  return layers.map((layer) => {
    const hex = layer.digest.slice('sha256:'.length);
    return join(storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  });
}
