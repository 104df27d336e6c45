import type { Emit } from '../core/events.ts';
import type { Plan } from '../plan/types.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';
/**
 * Reads the Dockerfile and plans the build; the same for a build and a probe.
 * @throws AppError CONTEXT when there is no such directory, DOCKERFILE when the file is missing or wrong, and what plan()
 * throws
 */
export declare function makePlan(request: BuildRequest, session: Session, deps: {
    readonly emit: Emit;
    readonly signal: AbortSignal;
    readonly readOnly: boolean;
}): Promise<Plan>;
