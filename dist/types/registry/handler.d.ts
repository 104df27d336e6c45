import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Emit } from '../core/events.ts';
import type { Pace } from './pace.ts';
/** Who a request may come from; throws RegistryError UNAUTHORIZED for anybody else. */
export type Guard = (request: IncomingMessage) => Promise<void>;
export interface HandlerOptions {
    /** A directory in CNCF Distribution's layout; made on the first push. */
    readonly root: string;
    readonly guard?: Guard;
    /** Told of every exchange before anything of it is read. */
    readonly pace?: Pick<Pace, 'watch'>;
    readonly emit?: Emit;
}
/**
 * A registry over a directory, as a request listener (OCI distribution spec v1.1, all categories). Any number of
 * processes may serve one directory, and use it as a layer cache meanwhile.
 * @throws AppError CACHE_DIR when the root holds something else
 */
export declare function createRegistryHandler({ root, guard, pace, emit }: HandlerOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
