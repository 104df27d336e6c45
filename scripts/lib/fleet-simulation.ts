/*
 * A day of a fleet of workspaces: who waits how long, and what goes over the network. Starts arrive by chance from a fixed
 * seed, so that the same plan always gives the same day. Time passes from event to event; between two of them each transfer
 * has its fair share of the registry and of its node.
 */

/** One environment of a repository; sizes are those of its layers as they are sent, in MB. */
export interface FleetEnvironment {
  readonly name: string;
  readonly megabytes: number;
  /** Share of the bytes that a commit to the repository makes anew. */
  readonly changed: number;
  /** Seconds that the commands of a build take, all of them and those that a commit makes run again. */
  readonly buildSeconds: number;
  readonly rebuildSeconds: number;
}

/** How workspaces come by their environment. */
export interface Strategy {
  readonly name: string;
  /** Whether layers are shared at all; without, each start builds everything. */
  readonly cache: boolean;
  /** Whether each commit is built once, before anybody starts it. */
  readonly prebuild: boolean;
  /** Whether a node keeps what its workspaces have fetched. */
  readonly nodeCache: boolean;
  /** Whether nodes fetch from each other what one of them has. */
  readonly peers: boolean;
}

export interface FleetPlan {
  readonly environment: FleetEnvironment;
  readonly strategy: Strategy;
  readonly starts: number;
  readonly nodes: number;
  readonly repositories: number;
  /** Commits to each repository in the day. */
  readonly commits: number;
  /** MB a second that the registry sends, and that a node takes. */
  readonly registryRate: number;
  readonly nodeRate: number;
}

export interface FleetDay {
  /** Seconds from the start of a container to its workspace. */
  readonly median: number;
  readonly p95: number;
  /** What the registry has sent, in GB. */
  readonly registryGigabytes: number;
  /** What ran commands of builds, in hours of one core. */
  readonly buildHours: number;
  /** Starts that waited for a build, their own or another's. */
  readonly waited: number;
}

/** Measured, see docs/benchmarks.md: what a start takes besides fetching and unpacking, and MB a second that it unpacks. */
export const START_SECONDS = 0.5;
export const UNPACK_RATE = 127;
/** The day: hours of work, and the share of all starts that fall into its first hour. */
export const DAY_HOURS = 10;
export const MORNING = 0.5;

const HOUR = 3600;

interface Transfer {
  left: number;
  readonly node: number;
  readonly fromRegistry: boolean;
  readonly done: () => void;
  rate: number;
}

/** More transfers at once than this mean that the registry falls behind; what then happens is no matter of this model. */
const MOST_TRANSFERS = 400;

/** @returns undefined where the registry cannot send what is asked of it */
export function simulateDay(plan: FleetPlan): FleetDay | undefined {
  const { environment, strategy, registryRate, nodeRate } = plan;
  const random = createRandom(1);
  const timers = createTimers();
  const transfers = new Set<Transfer>();
  const waits: number[] = [];
  /** Environments of commits that are built, or when they will be, by repository and commit. */
  const built = new Map<string, { ready: boolean; readonly waiting: (() => void)[] }>();
  /** Parts of environments that a node has: the base of a repository, and what a commit adds. */
  const onNode = Array.from({ length: plan.nodes }, () => new Set<string>());
  const anywhere = new Set<string>();
  let now = 0;
  let sent = 0;
  let buildSeconds = 0;
  let waited = 0;

  const fetch = (node: number, parts: readonly (readonly [string, number])[], done: () => void): void => {
    const missing = parts.filter(([part]) => !(strategy.nodeCache && onNode[node]!.has(part)));
    const next = (at: number): void => {
      const part = missing[at];
      if (!part) return done();
      const [name, megabytes] = part;
      const fromRegistry = !(strategy.peers && anywhere.has(name));
      if (fromRegistry) sent += megabytes;
      const finished = (): void => {
        onNode[node]!.add(name);
        anywhere.add(name);
        next(at + 1);
      };
      transfers.add({ left: megabytes, node, fromRegistry, done: finished, rate: 0 });
    };
    // What is there already is unpacked all the same.
    const present = parts.filter((part) => !missing.includes(part)).reduce((sum, [, size]) => sum + size, 0);
    timers.add(now + present / UNPACK_RATE, () => next(0));
  };

  const build = (key: string, seconds: number, done: () => void): void => {
    const known = built.get(key);
    if (known?.ready) return done();
    if (known) {
      known.waiting.push(done);
      return;
    }
    const entry = { ready: false, waiting: [done] };
    built.set(key, entry);
    buildSeconds += seconds;
    timers.add(now + seconds, () => {
      entry.ready = true;
      for (const each of entry.waiting) each();
    });
  };

  const start = (): void => {
    const begin = now;
    const repository = Math.floor(random() ** 2 * plan.repositories);
    const node = Math.floor(random() * plan.nodes);
    const commit = Math.min(plan.commits, Math.floor((now / (DAY_HOURS * HOUR)) * plan.commits) + 1);
    const key = `${repository}.${commit}`;
    const finish = (): void => {
      timers.add(now + START_SECONDS, () => waits.push(now - begin));
    };
    const kept = environment.megabytes * (1 - environment.changed);
    const base = [`${repository}`, kept] as const;
    if (!strategy.cache) {
      waited += 1;
      buildSeconds += environment.buildSeconds;
      timers.add(now + environment.buildSeconds, finish);
      return;
    }
    if (!built.get(key)?.ready) waited += 1;
    // Whoever builds fetches what has not changed, and needs not fetch what it has made itself.
    build(key, environment.rebuildSeconds, () =>
      fetch(node, [base, [key, environment.megabytes - kept]], finish),
    );
  };

  for (let i = 0; i < plan.starts; i += 1) {
    const morning = random() < MORNING;
    const hour = morning ? random() : 1 + random() * (DAY_HOURS - 1);
    timers.add(hour * HOUR, start);
  }
  if (strategy.prebuild)
    for (let repository = 0; repository < plan.repositories; repository += 1)
      for (let commit = 1; commit <= plan.commits; commit += 1) {
        const at = ((commit - 1) / plan.commits) * DAY_HOURS * HOUR;
        // The first one was built in the evening before.
        timers.add(commit === 1 ? -1 : at, () =>
          build(`${repository}.${commit}`, commit === 1 ? 0 : environment.rebuildSeconds, () => {}),
        );
      }

  for (;;) {
    if (transfers.size > MOST_TRANSFERS) return undefined;
    share(transfers, registryRate, nodeRate);
    let next = timers.next();
    for (const { left, rate } of transfers) next = Math.min(next, now + left / rate);
    if (next === Number.POSITIVE_INFINITY) break;
    const passed = Math.max(0, next - now);
    now = next;
    const done: Transfer[] = [];
    for (const transfer of transfers) {
      transfer.left -= transfer.rate * passed;
      if (transfer.left < 1e-6) done.push(transfer);
    }
    for (const transfer of done) transfers.delete(transfer);
    for (const transfer of done) transfer.done();
    timers.run(now);
  }
  waits.sort((a, b) => a - b);
  return {
    median: waits[Math.floor(waits.length / 2)]!,
    p95: waits[Math.floor(waits.length * 0.95)]!,
    registryGigabytes: sent / 1000,
    buildHours: buildSeconds / HOUR,
    waited,
  };
}

/** Gives every transfer its fair share: of its node, and of the registry, none faster than a start unpacks. */
function share(transfers: ReadonlySet<Transfer>, registryRate: number, nodeRate: number): void {
  const onNode = new Map<number, number>();
  for (const { node } of transfers) onNode.set(node, (onNode.get(node) ?? 0) + 1);
  const limited = [...transfers].map((transfer) => ({
    transfer,
    most: Math.min(UNPACK_RATE, nodeRate / onNode.get(transfer.node)!),
  }));
  // The least demanding first, so that what they leave is shared by the others.
  limited.sort((a, b) => a.most - b.most);
  let left = registryRate;
  let sharing = limited.filter(({ transfer }) => transfer.fromRegistry).length;
  for (const { transfer, most } of limited) {
    transfer.rate = transfer.fromRegistry ? Math.min(most, left / sharing) : most;
    if (!transfer.fromRegistry) continue;
    left -= transfer.rate;
    sharing -= 1;
  }
}

interface Timers {
  add(at: number, work: () => void): void;
  /** When the first one is due; Infinity where there is none. */
  next(): number;
  /** Runs those that are due, and what they add for the same moment. */
  run(now: number): void;
}

function createTimers(): Timers {
  const heap: { readonly at: number; readonly order: number; readonly work: () => void }[] = [];
  let order = 0;
  const before = (a: number, b: number): boolean =>
    (heap[a]!.at - heap[b]!.at || heap[a]!.order - heap[b]!.order) < 0;
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  };
  const take = (): (() => void) => {
    const { work } = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      for (let at = 0; ; ) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2])
          if (child < heap.length && before(child, least)) least = child;
        if (least === at) break;
        swap(at, least);
        at = least;
      }
    }
    return work;
  };
  return {
    add: (at, work) => {
      heap.push({ at, order, work });
      order += 1;
      for (let child = heap.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1;
        if (!before(child, parent)) break;
        swap(child, parent);
        child = parent;
      }
    },
    next: () => heap[0]?.at ?? Number.POSITIVE_INFINITY,
    run: (now) => {
      while (heap.length > 0 && heap[0]!.at <= now) take()();
    },
  };
}

/** mulberry32 (Tommy Ettinger): the same numbers from 0 to 1 for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
