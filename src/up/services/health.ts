import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthCheck } from '../../devcontainer/compose/service-values.ts';
import type { ContainerConfig, Healthcheck } from '../../oci/types.ts';

/** What Docker takes where an image says nothing. */
const USUAL = { interval: 30, timeout: 30, retries: 3, startPeriod: 0 };
const NS = 1e9;
/** Between two questions: it is asked more often than its interval while others wait, and not counted more often. */
const FIRST_MS = 200;
const MOST_MS = 1000;

/** How an image says that its service is asked; undefined where it does not. */
export function healthCheckOfImage({ Healthcheck: check, Shell }: ContainerConfig): HealthCheck | undefined {
  const [kind, ...words] = check?.Test ?? [];
  if (check === undefined || (kind !== 'CMD' && kind !== 'CMD-SHELL') || words.length === 0) return undefined;
  const seconds = (key: keyof Healthcheck): number | undefined => {
    const value = check[key];
    return typeof value === 'number' && value > 0 ? value / NS : undefined;
  };
  const startInterval = seconds('StartInterval');
  return {
    command: kind === 'CMD' ? words : [...(Shell ?? ['/bin/sh', '-c']), words.join(' ')],
    interval: seconds('Interval') ?? USUAL.interval,
    timeout: seconds('Timeout') ?? USUAL.timeout,
    retries: check.Retries || USUAL.retries,
    startPeriod: seconds('StartPeriod') ?? USUAL.startPeriod,
    ...(startInterval === undefined ? {} : { startInterval }),
  };
}

/** What one question comes to: undefined when all is well, else what was said. */
export type Ask = () => Promise<string | undefined>;

/** Time, for tests. */
export interface Clock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const realClock: Clock = { now: () => performance.now(), sleep: (ms) => sleep(ms) };

/**
 * Asks until a service is healthy. It is not when it has failed for as long as its retries take behind its start period,
 * and as often: so that somebody who asks more often is no less patient.
 * @returns undefined, or what the last question came to when it is unhealthy
 */
export async function untilHealthy(
  { interval, retries, startPeriod }: Pick<HealthCheck, 'interval' | 'retries' | 'startPeriod'>,
  ask: Ask,
  clock: Clock = realClock,
): Promise<string | undefined> {
  const begun = clock.now();
  const [start, limit] = [startPeriod, startPeriod + interval * retries].map((seconds) => seconds * 1000);
  const most = Math.min(interval * 1000, MOST_MS);
  for (let failures = 0, wait = Math.min(FIRST_MS, most); ; wait = Math.min(wait * 2, most)) {
    const said = await ask();
    if (said === undefined) return undefined;
    const passed = clock.now() - begun;
    if (passed >= start!) failures += 1;
    if (failures >= retries && passed >= limit!) return said;
    await clock.sleep(wait);
  }
}
