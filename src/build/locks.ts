/** Locks by name within this process, for cache mounts. */
export interface Locks {
  /** Waits for the lock; the result releases it. */
  acquire(name: string): Promise<() => void>;
  /** Holds a name if nobody does, and says whether it could. */
  tryHold(name: string): boolean;
  letGo(name: string): void;
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<void>>();
  const held = new Set<string>();
  return {
    acquire: async (name) => {
      const before = tails.get(name) ?? Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      tails.set(
        name,
        before.then(() => promise),
      );
      await before;
      return resolve;
    },
    tryHold: (name) => {
      if (held.has(name)) return false;
      held.add(name);
      return true;
    },
    letGo: (name) => {
      held.delete(name);
    },
  };
}
