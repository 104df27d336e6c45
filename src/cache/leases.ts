import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { awakeTimeout } from '../core/awake-timeout.ts';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { refusesManifest } from '../oci/http/errors.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Store } from '../oci/types.ts';
import { EMPTY_CONFIG, EMPTY_TYPE } from './note.ts';

/*
 * A lease says that somebody makes the step of a key. It is a tag beside the record's, whose manifest changes while its
 * holder lives. Leases save work and never decide what a build does with a step: any of them may be lost at any time.
 */

/** The tag of the lease on the step whose record has a tag. */
export const leaseTag = (recordTag: string): string => `lease-${recordTag}`;

/** The tag of the record that a tag is the lease on; undefined for other tags. */
export const leasedTag = (tag: string): string | undefined => /^lease-([0-9a-f]{64})$/.exec(tag)?.[1];

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
  /** The first key is that of the step which is to run now; the others' are taken as well where that costs nothing. */
  take(keys: readonly Digest[]): Promise<Taken>;
  /**
   * Begins to take the leases of steps that run soon, the first few of them, where each takes time of its own: a later
   * `take` or `end` of one waits until that is done. They give no signs of life before their turn; nobody comes to them
   * but past the step before.
   */
  prepare(keys: readonly Digest[]): void;
  /** Whether nobody can have taken the lease over meanwhile: it is held, and the last sign of life is recent. */
  holds(key: Digest): boolean;
  /** Gives a lease back. @param stored a record is there now */
  end(key: Digest, stored: boolean): Promise<void>;
  /** Gives everything back; never fails. */
  close(): Promise<void>;
}

export interface LeasesDeps {
  /** Its requests are not tried again. */
  readonly store: Store;
  /** The registry removes a lease when the record is stored, and refuses one where there is a record. */
  readonly endsWithRecord: () => boolean;
  /** Told once why leases are not used. */
  readonly onOff?: (reason: string) => void;
  readonly times?: LeaseTimes;
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
}

interface Seen {
  readonly digest: Digest;
  readonly holder: string;
  readonly ended: boolean;
  /** When it was asked for. */
  readonly asked: number;
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
  /** When it was taken. */
  readonly since: number;
  digest: Digest;
  /** Its step is being made: it gives signs of life. */
  active: boolean;
  beats: number;
  busy: Promise<void>;
}

/** Tags that one request may make (`MAX_TAGS` in registry/manifests.ts). */
const MOST_TAGS = 10;
const ANNOTATION = 'dev.envbuilder.lease';
/** Steps whose leases are taken before their turn: steps of some milliseconds do not wait for a registry that takes tens. */
const MOST_AHEAD = 8;
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
  } = deps;
  const holder = randomUUID();
  const held = new Map<string, Held>();
  /** By tag, of others' leases. */
  const sights = new Map<string, Sight>();
  const dead = new Set<string>();
  const ending = new Set<Promise<void>>();
  let [off, canDrop, asImage, closed] = [false, true, false, false];
  let replaceable: Promise<boolean> | undefined;
  /** When it was last known that others see a sign of life of ours. */
  let lastSign = Number.NEGATIVE_INFINITY;

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
    const config = { mediaType: EMPTY_TYPE, digest: digestOf(EMPTY_CONFIG), size: EMPTY_CONFIG.length };
    const mediaType = MEDIA_TYPES.ociManifest;
    const image = { schemaVersion: 2, mediaType, artifactType: `application/vnd.${ANNOTATION}`, config };
    return { bytes: Buffer.from(JSON.stringify({ ...image, layers: [config], annotations })), mediaType };
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

  const read = async (tag: string): Promise<Seen | undefined> => {
    const asked = clock();
    const raw = await store.resolve(tag, limit());
    if (!raw) return undefined;
    const { holder: named, ended } = factsIn(raw.bytes);
    // Who answers with anything else does not keep leases; nobody waits for such a holder.
    if (typeof named !== 'string')
      throw new AppError('CORRUPT', `what ${store.name} has under ${tag} is no lease`);
    return { digest: raw.descriptor.digest, holder: named, ended: ended === true, asked };
  };

  /** Whether a lease binds anybody: by the observer's own clock, as long as it has not changed. */
  const isAlive = (tag: string, { digest, holder: other, ended, asked }: Seen): boolean => {
    if (ended) {
      sights.delete(tag);
      return false;
    }
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
  const isLately = (tag: string): boolean => {
    const last = sights.get(tag);
    return last !== undefined && !dead.has(last.holder) && clock() - last.at < times.dead;
  };

  const isSure = (tag: string): boolean => held.has(tag) && clock() - lastSign < times.dead;

  /** @param active the step of the first tag is made now */
  const hold = (tags: readonly string[], digest: Digest, active: boolean): void => {
    lastSign = clock();
    for (const [i, tag] of tags.entries())
      held.set(tag, { since: clock(), digest, active: active && i === 0, beats: 0, busy: Promise.resolve() });
  };
  const create = async (tags: readonly string[], active: boolean): Promise<boolean> => {
    const { digest, result } = await write({ tag: tags[0] }, (bytes, mediaType, signal) =>
      store.create!(bytes, mediaType, tags, signal),
    );
    if (result === 'created') hold(tags, digest, active);
    return result === 'created';
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

  const takeOne = async (tag: string, active: boolean): Promise<Taken> => {
    const conditional = store.creates?.() === true && store.create !== undefined;
    if (!conditional) {
      replaceable ??= isReplaceable();
      await replaceable;
    }
    const started = clock();
    const seen = await read(tag);
    const trip = clock() - started;
    if (seen && seen.holder !== holder && isAlive(tag, seen)) return { kind: 'held' };
    if (conditional) {
      if (seen && store.drop) await store.drop(tag, seen.digest, limit());
      if (await create([tag], active)) return { kind: 'taken', missing: endsWithRecord() };
      const other = await read(tag);
      if (other && other.holder !== holder && isAlive(tag, other)) return { kind: 'held' };
    }
    const { digest } = await overwrite(tag);
    await sleep(times.settle + 4 * trip);
    const mine = await read(tag);
    if (mine?.holder !== holder) return { kind: mine ? 'held' : 'none' };
    hold([tag], digest, active);
    return { kind: 'taken', missing: false };
  };

  const beat = async (tag: string, lease: Held): Promise<void> => {
    try {
      const seen = await read(tag);
      // Ended with its record, or taken by somebody who believed us dead.
      if (seen?.holder !== holder) held.delete(tag);
      if (held.get(tag) !== lease) return;
      const beat = (lease.beats + 1) % SIGNS;
      lease.digest = (await overwrite(tag, { beat })).digest;
      lease.beats += 1;
      lastSign = clock();
    } catch {
      // The next one may get through; if none does, others take the step.
    }
  };
  const timer = setInterval(() => {
    for (const [tag, lease] of held)
      if (lease.active)
        lease.busy = lease.busy.then(() => (held.get(tag) === lease ? beat(tag, lease) : undefined));
  }, times.beat);
  timer.unref();

  const giveBack = async (tag: string, lease: Held, stored: boolean): Promise<void> => {
    await lease.busy;
    if (stored && lease.beats === 0 && endsWithRecord()) return;
    canDrop &&= store.drop !== undefined && (await store.drop(tag, lease.digest, limit()));
    // A manifest may have the tags of several leases, which end with it.
    if (canDrop) for (const [other, { digest }] of held) if (digest === lease.digest) held.delete(other);
    // Nobody can have believed us dead so soon.
    const ours = clock() - lease.since < times.dead || (await read(tag))?.holder === holder;
    if (!canDrop && ours) await overwrite(tag, { ended: true });
  };
  const end = async (tag: string, stored: boolean): Promise<void> => {
    const lease = held.get(tag);
    held.delete(tag);
    if (!lease) return;
    const task = giveBack(tag, lease, stored).catch(() => {});
    ending.add(task);
    await task;
    ending.delete(task);
  };

  const takings = new Set<Promise<unknown>>();
  /** By tag, of steps whose turn is later. */
  const coming = new Map<string, Promise<unknown>>();
  const take = async (tags: readonly string[], active: boolean): Promise<Taken> => {
    const [tag] = tags;
    const own = held.get(tag!);
    if (own && isSure(tag!)) {
      own.active ||= active;
      return { kind: 'taken', missing: true };
    }
    if (off || closed) return { kind: 'none' };
    try {
      const several = tags.slice(0, endsWithRecord() ? MOST_TAGS : 1);
      const quick = store.creates?.() === true && store.create !== undefined && !sights.has(tag!);
      if (quick && (await create(several, active))) return { kind: 'taken', missing: endsWithRecord() };
      return await takeOne(tag!, active);
    } catch (error) {
      if (!(error instanceof AppError) && !isTimeout(error)) throw error;
      if (isAway(error) && isLately(tag!)) return { kind: 'held' };
      off = true;
      onOff((error as Error).message);
      return { kind: 'none' };
    }
  };

  const begin = (tags: readonly string[], active: boolean): Promise<Taken> => {
    const taking = take(tags, active);
    takings.add(taking);
    return taking.finally(() => takings.delete(taking));
  };

  return {
    take: async (keys) => {
      const tags = keys.map(tagOf);
      await coming.get(tags[0]!);
      return begin(tags, true);
    },
    prepare: (keys) => {
      if (endsWithRecord()) return;
      for (const tag of keys.slice(0, MOST_AHEAD).map(tagOf)) {
        if (held.has(tag) || coming.has(tag)) continue;
        const taking = begin([tag], false).catch(() => {});
        coming.set(
          tag,
          taking.finally(() => coming.delete(tag)),
        );
      }
    },
    holds: (key) => isSure(tagOf(key)),
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

function factsIn(bytes: Buffer): { holder?: string; ended?: boolean; replaceable?: boolean } {
  try {
    const facts: unknown = JSON.parse(JSON.parse(bytes.toString('utf8')).annotations[ANNOTATION]);
    return typeof facts === 'object' && facts !== null ? facts : {};
  } catch {
    return {};
  }
}

/** As a registry that starts again. */
function isAway(error: unknown): boolean {
  return isTimeout(error) || (error instanceof AppError && error.code === 'REGISTRY');
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name);
}
