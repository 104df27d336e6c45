import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { awakeTimeout } from '../core/awake-timeout.ts';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { refusesManifest } from '../oci/http/errors.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Store } from '../oci/types.ts';
import { artifactManifest, EMPTY_CONFIG } from './note.ts';

/*
 * A lease says that somebody makes the step of a key. It is a tag beside the record's, whose manifest changes while its
 * holder lives. Leases save work and never decide what a build does with a step: any of them may be lost at any time.
 */

/** The tag of the lease on the step whose record has a tag. */
export const leaseTag = (recordTag: string): string => `lease-${recordTag}`;

/** The tag of the record that a tag is the lease on; undefined for other tags. */
export const leasedTag = (tag: string): string | undefined => /^lease-([0-9a-f]{64})$/.exec(tag)?.[1];

/**
 * The tags of the records of all steps that a lease is for.
 *
 * @param tag the lease's own
 * @param manifest what lies under it; one that is no lease of ours is taken for one on its tag's record
 */
export function leasedTags(tag: string, manifest: Buffer): readonly string[] {
  return stepsIn(tag, factsIn(manifest).steps).flatMap((step) => leasedTag(step) ?? []);
}

/** In milliseconds. */
export interface LeaseTimes {
  /** Between two signs of life. */
  readonly beat: number;
  /** A holder that gave no sign for so long, as its observers see it, is dead; their clocks need not agree. */
  readonly dead: number;
  /** The most that counts between two looks of an observer: who gets to look so seldom may see signs as seldom. */
  readonly look: number;
  /** Registries that do not answer within this time are left alone. */
  readonly request: number;
  /** Where a tag is written without a condition, how long others may take from their look to their write, at least. */
  readonly settle: number;
}

export const LEASE_TIMES: LeaseTimes = { beat: 6000, dead: 22_000, look: 4000, request: 10_000, settle: 60 };

/** What came of the attempt to take a lease. */
export type Taken =
  | {
      readonly kind: 'taken';
      /** There was no record of the key when it was taken. */
      readonly missing: boolean;
    }
  /** Somebody makes the step, who was alive when last seen. */
  | { readonly kind: 'held' }
  /** Leases cannot be taken here. */
  | { readonly kind: 'none' };

/** The leases of one build. */
export interface Leases {
  /**
   * @param keys the first is that of the step which is to run now, the others are those of the steps behind it, in their
   *   order: some of them are taken with it
   * @param before the steps before it, in their order: another's lease on one may hold for this step as well
   * @param onFree called where it takes a pause to know who has it, once nobody else was seen
   */
  take(keys: readonly Digest[], before?: readonly Digest[], onFree?: () => void): Promise<Taken>;
  /**
   * Begins to take the leases of steps that run soon, the first few of them, where each takes time of its own: a later
   * `take` or `end` of one waits until that is done. They give no signs of life before their turn; nobody comes to them
   * but past the step before.
   *
   * @param keys those of the steps behind the one that is made now, in their order
   */
  prepare(keys: readonly Digest[]): void;
  /** Whether nobody can have taken the lease over meanwhile: it is held, and the last sign of life is recent. */
  holds(key: Digest): boolean;
  /**
   * The same, and where two can pass each other who take a lease: whether it was still ours when a step that it was taken for
   * besides had its turn. Never fails.
   */
  confirms(key: Digest): Promise<boolean>;
  /** Gives a lease back. @param stored a record is there now */
  end(key: Digest, stored: boolean): Promise<void>;
  /** Gives everything back; never fails. */
  close(): Promise<void>;
}

export interface LeasesDeps {
  /** Its requests fail soon. */
  readonly store: Store;
  /** The registry removes a lease when the record is stored, and refuses one where there is a record. */
  readonly endsWithRecord: () => boolean;
  /** Told once why leases are not used. */
  readonly onOff?: (reason: string) => void;
  readonly times?: LeaseTimes;
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** Another's lease, or one of ours, as it was read. */
interface Seen {
  readonly tag: string;
  readonly digest: Digest;
  readonly holder: string;
  readonly ended: boolean;
  /** Tags of the steps that it is for. */
  readonly steps: ReadonlySet<string>;
  /** When it was asked for. */
  readonly asked: number;
}

/** How a lease is taken. */
interface Taking {
  /** For a step whose turn it is. */
  readonly active: boolean;
  readonly onFree?: (() => void) | undefined;
}

/** What an observer has seen of another's lease. */
interface Sight {
  readonly digest: Digest;
  readonly holder: string;
  /** How long it has not changed, at least, in milliseconds. */
  readonly still: number;
  /** When the last answer came. */
  readonly at: number;
}

interface Held {
  readonly tag: string;
  /** Tags of the steps that it is for. */
  readonly steps: readonly string[];
  /** When it was taken. */
  readonly since: number;
  digest: Digest;
  /** Those that have had their turn. From the first on it gives signs of life. */
  readonly turns: Set<string>;
  /** It was taken for a step that others may have come to as well. */
  readonly raced: boolean;
  beats: number;
  busy: Promise<void>;
}

/** Tags that one request may make (`MAX_TAGS` in registry/manifests.ts). */
const MOST_TAGS = 10;
const ANNOTATION = 'dev.envbuilder.lease';
/** Steps that one lease is for where each takes requests of its own. Who comes to a step looks at as many tags. */
const MOST_STEPS = 4;
/** Steps whose leases are taken before their turn: steps of some milliseconds do not wait for a registry that takes tens. */
const MOST_AHEAD = 6 * MOST_STEPS;
/** Signs of life come again, so that few manifests are left behind; nobody sleeps for as long as all of them take. */
const SIGNS = 4;
/** Says that tags can be replaced in this repository. */
const MARK = 'lease-check';

/** Opens leases; nothing is asked or written before the first is taken. */
export function createLeases(deps: LeasesDeps): Leases {
  const {
    store,
    endsWithRecord,
    onOff = () => {},
    times = LEASE_TIMES,
    clock = () => performance.now(),
    pause = sleep,
  } = deps;
  const holder = randomUUID();
  /** By the tag of the step. */
  const held = new Map<string, Held>();
  /** By tag, of others' leases. */
  const sights = new Map<string, Sight>();
  /** By the tag of a step, the tag of the lease on it that was seen last. */
  const covers = new Map<string, string>();
  const dead = new Set<string>();
  const ending = new Set<Promise<void>>();
  let [off, canDrop, asImage, closed] = [false, true, false, false];
  let replaceable: Promise<boolean> | undefined;
  /** When it was last known that others see a sign of life of ours. */
  let lastSign = Number.NEGATIVE_INFINITY;
  /** When it was found that somebody believed us dead: whatever was held by then may be theirs. */
  let doubted = Number.NEGATIVE_INFINITY;

  const limit = (): AbortSignal => awakeTimeout(times.request);
  const tagOf = (key: Digest): string => leaseTag(hexOf(key));

  /** As an index of nothing, which needs no blob; as an image where that is refused. */
  const manifestOf = async (facts: object): Promise<{ bytes: Buffer; mediaType: string }> => {
    const annotations = { [ANNOTATION]: JSON.stringify({ holder, ...facts }) };
    if (!asImage) {
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [], annotations };
      return { bytes: Buffer.from(JSON.stringify(index)), mediaType: index.mediaType };
    }
    await store.put(bytesSource(EMPTY_CONFIG), limit());
    return { bytes: artifactManifest('lease', annotations), mediaType: MEDIA_TYPES.ociManifest };
  };
  const write = async <T>(
    facts: object,
    put: (bytes: Buffer, mediaType: string, signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly digest: Digest; readonly result: T }> => {
    const { bytes, mediaType } = await manifestOf(facts);
    try {
      return { digest: digestOf(bytes), result: await put(bytes, mediaType, limit()) };
    } catch (error) {
      if (asImage || !refusesManifest(error)) throw error;
      asImage = true;
      return write(facts, put);
    }
  };
  const overwrite = (tag: string, facts: object = {}) =>
    write({ tag, ...facts }, (bytes, mediaType, signal) => store.tag(bytes, mediaType, tag, signal));
  /** What a lease says of its steps: nothing where that is the one of its tag. */
  const forSteps = (tag: string, steps: readonly string[]): object =>
    steps.every((step) => step === tag) ? {} : { steps };

  const read = async (tag: string): Promise<Seen | undefined> => {
    const asked = clock();
    const raw = await store.resolve(tag, limit());
    if (!raw) return undefined;
    const { holder: named, ended, steps } = factsIn(raw.bytes);
    // Who answers with anything else does not keep leases; nobody waits for such a holder.
    if (typeof named !== 'string')
      throw new AppError('CORRUPT', `what ${store.name} has under ${tag} is no lease`);
    const { digest } = raw.descriptor;
    return { tag, digest, holder: named, ended: ended === true, steps: new Set(stepsIn(tag, steps)), asked };
  };

  /** Leases that are for a step, those that have ended among them. @param before tags of the steps before it */
  const leasesOn = async (step: string, before: readonly string[]): Promise<readonly Seen[]> => {
    const look = async (tags: readonly string[]): Promise<readonly Seen[]> => {
      const found = (await Promise.all(tags.map(read))).flatMap((seen) => seen ?? []);
      for (const { tag, ended } of found) if (ended) sights.delete(tag);
      return found.filter(({ steps }) => steps.has(step));
    };
    const last = covers.get(step);
    const known = last === undefined ? [] : await look([last]);
    const found = known.some(({ ended }) => !ended) ? known : await look([step, ...before]);
    covers.delete(step);
    for (const { tag, steps, ended } of found) if (!ended) for (const one of steps) covers.set(one, tag);
    return found;
  };

  /** Whether a lease binds anybody: by the observer's own clock, as long as it has not changed. */
  const isAlive = ({ tag, digest, holder: other, asked }: Seen): boolean => {
    const last = sights.get(tag);
    const same = last?.digest === digest;
    const still = same ? last.still + Math.min(times.look, asked - last.at) : 0;
    sights.set(tag, { digest, holder: other, still, at: clock() });
    if (still > times.dead) dead.add(other);
    // It was only slow.
    else if (last && !same) dead.delete(other);
    return !dead.has(other);
  };

  /** Whether somebody made the step when that was last seen, not long ago: nothing says that they have ended. */
  const isLately = (step: string): boolean => {
    const last = sights.get(covers.get(step) ?? step);
    return last !== undefined && !dead.has(last.holder) && clock() - last.at < times.dead;
  };

  const isSure = (step: string): boolean => {
    const lease = held.get(step);
    return lease !== undefined && lease.since > doubted && clock() - lastSign < times.dead;
  };

  const hold = (tag: string, steps: readonly string[], digest: Digest, active: boolean): void => {
    lastSign = clock();
    const turns = new Set(active ? steps.slice(0, 1) : []);
    const busy = Promise.resolve();
    const lease = { tag, steps, turns, raced: active, since: lastSign, digest, beats: 0, busy };
    for (const [step, other] of held) if (other.tag === tag) held.delete(step);
    for (const step of steps) held.set(step, lease);
  };
  const create = async (tags: readonly string[], steps: readonly string[], active: boolean) => {
    const facts = { tag: tags[0], ...forSteps(tags[0]!, steps) };
    const { digest, result } = await write(facts, (bytes, mediaType, signal) =>
      store.create!(bytes, mediaType, tags, signal),
    );
    if (result !== 'created') return false;
    for (const tag of tags) hold(tag, tags.length > 1 ? [tag] : steps, digest, active && tag === tags[0]);
    return true;
  };

  /** Where tags cannot be replaced, a lease would never end. */
  const isReplaceable = async (): Promise<boolean> => {
    const raw = await store.resolve(MARK, limit());
    const known = raw && factsIn(raw.bytes);
    if (known?.replaceable === true) return true;
    if (!known) await overwrite(MARK, { replaceable: false });
    await overwrite(MARK, { replaceable: true });
    return true;
  };

  const isExact = (): boolean => store.creates?.() === true && store.create !== undefined;
  const bindsUs = (seen: Seen): boolean => !seen.ended && seen.holder !== holder && isAlive(seen);

  /** @param before tags of steps before, whose leases may be for this one as well */
  const takeOne = async (
    steps: readonly string[],
    before: readonly string[],
    { active, onFree }: Taking,
  ): Promise<Taken> => {
    const step = steps[0]!;
    const conditional = isExact();
    if (!conditional) {
      replaceable ??= isReplaceable();
      await replaceable;
    }
    const started = clock();
    const seen = await leasesOn(step, before);
    // Others may be as busy as we are, so what this thread did itself meanwhile counts too.
    const trip = clock() - started;
    if (seen.filter(bindsUs).length > 0) return { kind: 'held' };
    // A dead holder that goes on looks under its own tag, and so do those who come to one of its steps.
    const old = seen.find(({ ended }) => !ended) ?? seen.find(({ tag }) => tag === step);
    const tag = old?.tag ?? step;
    const several = tag === step ? steps : steps.filter((one) => old!.steps.has(one));
    if (conditional) {
      if (old && store.drop) await store.drop(tag, old.digest, limit());
      if (await create([tag], several, active)) return { kind: 'taken', missing: endsWithRecord() };
      const other = await read(tag);
      if (other && bindsUs(other)) return { kind: 'held' };
    }
    onFree?.();
    const { digest } = await overwrite(tag, forSteps(tag, several));
    // Nobody else comes to a step whose turn is later but past the one before, which is ours.
    await pause(active ? times.settle + 4 * trip : times.settle);
    const mine = await read(tag);
    if (mine?.holder !== holder) return { kind: mine ? 'held' : 'none' };
    hold(tag, several, digest, active);
    return { kind: 'taken', missing: false };
  };

  const isHeld = (lease: Held): boolean => lease.steps.some((step) => held.get(step) === lease);
  /** Whether a lease is ours where it lies; if it is not, it is given up. */
  const isOurs = async (lease: Held): Promise<boolean> => {
    const seen = await read(lease.tag);
    if (seen?.holder === holder) return true;
    // Without a trace it has ended with its record; else somebody believed us dead, or came at the same moment.
    if (seen && isHeld(lease)) doubted = clock();
    for (const [step, other] of held) if (other === lease) held.delete(step);
    return false;
  };

  const beat = async (lease: Held): Promise<void> => {
    const { tag, steps } = lease;
    try {
      if (!(await isOurs(lease)) || !isHeld(lease)) return;
      const beat = (lease.beats + 1) % SIGNS;
      lease.digest = (await overwrite(tag, { beat, ...forSteps(tag, steps) })).digest;
      lease.beats += 1;
      lastSign = clock();
    } catch {
      // The next one may get through; if none does, others take the step.
    }
  };
  const timer = setInterval(() => {
    for (const lease of new Set(held.values()))
      if (lease.turns.size > 0) lease.busy = lease.busy.then(() => (isHeld(lease) ? beat(lease) : undefined));
  }, times.beat);
  timer.unref();

  const giveBack = async (lease: Held, stored: boolean): Promise<void> => {
    await lease.busy;
    if (stored && lease.beats === 0 && endsWithRecord()) return;
    canDrop &&= store.drop !== undefined && (await store.drop(lease.tag, lease.digest, limit()));
    // A manifest may have the tags of several leases, which end with it.
    if (canDrop) for (const [other, { digest }] of held) if (digest === lease.digest) held.delete(other);
    // Nobody can have believed us dead so soon.
    const ours = clock() - lease.since < times.dead || (await read(lease.tag))?.holder === holder;
    if (!canDrop && ours) await overwrite(lease.tag, { ended: true });
  };
  const end = async (step: string, stored: boolean): Promise<void> => {
    const lease = held.get(step);
    held.delete(step);
    if (!lease || isHeld(lease)) return;
    const task = giveBack(lease, stored).catch(() => {});
    ending.add(task);
    await task;
    ending.delete(task);
  };

  /** By the tag of a step that had its turn: whether its lease was ours then. */
  const checks = new Map<string, Promise<boolean>>();

  const takings = new Set<Promise<unknown>>();
  /** By tag, of steps whose turn is later. */
  const coming = new Map<string, Promise<unknown>>();
  const isTaken = (step: string): boolean => held.has(step) || coming.has(step);
  const take = async (
    steps: readonly string[],
    before: readonly string[],
    taking: Taking,
  ): Promise<Taken> => {
    const { active } = taking;
    const step = steps[0]!;
    const own = held.get(step);
    if (own && isSure(step)) {
      if (!active) return { kind: 'taken', missing: true };
      // Those before it that had no turn were found elsewhere.
      for (const passed of own.steps.slice(0, own.steps.indexOf(step)))
        if (!own.turns.has(passed)) held.delete(passed);
      const turns = own.turns.size;
      own.turns.add(step);
      if (isExact() || own.turns.size === turns) return { kind: 'taken', missing: true };
      // Whatever is not known is no reason to give it up.
      const checked = isOurs(own).catch(() => false);
      checks.set(step, checked);
      // Later ones need not wait: two who took it at once know by then.
      if (own.raced && turns === 1) await checked;
      if (held.get(step) === own) return { kind: 'taken', missing: true };
    }
    if (off || closed) return { kind: 'none' };
    try {
      const quick = isExact() && !covers.has(step);
      if (endsWithRecord()) {
        const tags = steps.slice(0, MOST_TAGS);
        if (quick && (await create(tags, [step], active))) return { kind: 'taken', missing: true };
        return await takeOne([step], [], taking);
      }
      const several = steps.slice(0, MOST_STEPS);
      const alone = quick && before.length === 0;
      if (alone && (await create([step], several, active))) return { kind: 'taken', missing: false };
      return await takeOne(several, before.slice(1 - MOST_STEPS), taking);
    } catch (error) {
      if (!(error instanceof AppError) && !isTimeout(error)) throw error;
      if (isAway(error) && isLately(step)) return { kind: 'held' };
      off = true;
      onOff((error as Error).message);
      return { kind: 'none' };
    }
  };

  const begin = (steps: readonly string[], before: readonly string[], how: Taking): Promise<Taken> => {
    const taking = take(steps, before, how);
    takings.add(taking);
    return taking.finally(() => takings.delete(taking));
  };

  return {
    take: async (keys, before = [], onFree = undefined) => {
      const [step, ...behind] = keys.map(tagOf);
      await coming.get(step!);
      const next = behind.findIndex(isTaken);
      const several = [step!, ...behind.slice(0, next < 0 ? behind.length : next)];
      return begin(several, before.map(tagOf), { active: true, onFree });
    },
    prepare: (keys) => {
      if (endsWithRecord()) return;
      const soon = keys.slice(0, MOST_AHEAD).map(tagOf);
      const groups: string[][] = [[]];
      // Steps of one lease follow each other: who comes to one looks at the three before it.
      for (const step of soon) {
        const last = groups.at(-1)!;
        if (isTaken(step)) groups.push([]);
        else if (last.length < MOST_STEPS) last.push(step);
        else groups.push([step]);
      }
      const last = groups.at(-1)!;
      // Those that follow may be taken with it.
      if (last.length < MOST_STEPS && keys.length > soon.length) groups.pop();
      for (const steps of groups.filter(({ length }) => length > 0)) {
        const taking = begin(steps, [], { active: false })
          .catch(() => {})
          .finally(() => steps.forEach((step) => void coming.delete(step)));
        for (const step of steps) coming.set(step, taking);
      }
    },
    holds: (key) => isSure(tagOf(key)),
    confirms: async (key) => {
      const step = tagOf(key);
      return isSure(step) && ((await checks.get(step)) ?? true) && isSure(step);
    },
    end: async (key, stored) => {
      await coming.get(tagOf(key));
      await end(tagOf(key), stored);
    },
    close: async () => {
      closed = true;
      clearInterval(timer);
      // One that is written already would be left.
      await Promise.allSettled(takings);
      await Promise.all([...[...held.keys()].map((tag) => end(tag, false)), ...ending]);
    },
  };
}

function factsIn(bytes: Buffer): {
  holder?: unknown;
  ended?: unknown;
  replaceable?: unknown;
  steps?: unknown;
} {
  try {
    const facts: unknown = JSON.parse(JSON.parse(bytes.toString('utf8')).annotations[ANNOTATION]);
    return typeof facts === 'object' && facts !== null ? facts : {};
  } catch {
    return {};
  }
}

/** Tags of the steps that a lease says it is for: without a word, the one of its own tag. */
function stepsIn(tag: string, steps: unknown): readonly string[] {
  return Array.isArray(steps) ? steps.filter((step) => typeof step === 'string') : [tag];
}

/** As a registry that starts again. */
function isAway(error: unknown): boolean {
  return isTimeout(error) || (error instanceof AppError && error.code === 'REGISTRY');
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name);
}
