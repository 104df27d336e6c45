import type { Emit } from '../../core/events.ts';
import type { Store } from '../types.ts';
/**
 * A store that reads from mirrors in order, then from the origin, and writes to the origin only. A mirror that lacks
 * something or fails is passed over; one that cannot be reached is not asked again.
 */
export declare function createMirroredStore(mirrors: readonly Store[], origin: Store, emit: Emit): Store;
