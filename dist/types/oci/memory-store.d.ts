import type { Store } from './types.ts';
/**
 * A repository in memory, for tests and for builds that leave nothing behind. It is gone with the object.
 * @param name for messages
 */
export declare function createMemoryStore(name?: string): Store;
