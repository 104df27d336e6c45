import type { Plan } from '../plan/types.ts';
import type { BuildDeps } from './build.ts';
import type { BuildRequest } from './types.ts';
/** The plan of a build, with nothing looked up, run or written. @throws AppError as makePlan */
export declare function planOnly(request: BuildRequest, deps: BuildDeps): Promise<Plan>;
