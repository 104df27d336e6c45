import type { Plan } from '../plan/types.ts';
import type { BuildDeps } from './build.ts';
import { makePlan } from './make-plan.ts';
import { createSession } from './session.ts';
import type { BuildRequest } from './types.ts';

/** The plan of a build, with nothing looked up, run or written. @throws AppError as makePlan */
export async function planOnly(request: BuildRequest, deps: BuildDeps): Promise<Plan> {
  const session = createSession(request, deps);
  try {
    return await makePlan(request, session, { ...deps, readOnly: true });
  } finally {
    await session.close();
  }
}
