import { checkSourceDateEpoch } from '../plan/source-date-epoch.ts';
import type { Plan } from '../plan/types.ts';
import type { BuildRequest } from './types.ts';

type Timed = Pick<BuildRequest, 'buildArgs' | 'reproducible'>;

/**
 * The times that the files of a request's build have: a number of seconds since the epoch, or those that they were made at.
 * @throws AppError USAGE when SOURCE_DATE_EPOCH is no such number
 */
export function timesOf(request: Timed): Plan['mtime'] {
  checkSourceDateEpoch(request.buildArgs);
  return request.reproducible ? epochOf(request) : 'keep';
}

/**
 * The time that files have in reproducible builds that a request can share layers with: what the build argument
 * SOURCE_DATE_EPOCH says, else the start of the epoch.
 */
export function epochOf(request: Pick<BuildRequest, 'buildArgs'>): number {
  return givenTime(request) ?? 0;
}

/**
 * The time that an image carries: that of all files of a reproducible build; else the build argument SOURCE_DATE_EPOCH, as
 * with BuildKit, or when its last layer was made.
 */
export function imageTime(
  { mtime }: Pick<Plan, 'mtime'>,
  request: Pick<BuildRequest, 'buildArgs'>,
  created: string | undefined,
): string | undefined {
  const seconds = mtime === 'keep' ? givenTime(request) : mtime;
  return seconds === undefined ? created : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Of a request whose plan was made, and which was checked thereby. */
function givenTime({ buildArgs }: Pick<BuildRequest, 'buildArgs'>): number | undefined {
  const given = buildArgs.get('SOURCE_DATE_EPOCH');
  return given ? Number(given) : undefined;
}
