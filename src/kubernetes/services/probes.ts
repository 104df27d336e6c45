import type { HealthCheck } from '../../devcontainer/compose/service-values.ts';
import type { Container } from '../types.ts';
import { literal } from './quantities.ts';

type Probe = NonNullable<Container['startupProbe']>;

/** Asked as often at most while a service starts, so that others need not wait for a long interval. */
const STARTUP_SECONDS = 5;
/** A container whose startup probe fails is killed, where Compose only gives up waiting: the first start of a database takes its time. */
const LEAST_STARTUP_SECONDS = 600;

/**
 * The probes of a service with a health check.
 * @param awaited whether others wait until it is healthy
 */
export function probesOf(
  check: HealthCheck,
  awaited: boolean,
): Pick<Container, 'startupProbe' | 'readinessProbe'> {
  const { command, interval, timeout, retries, startPeriod, startInterval } = check;
  const asked = { exec: { command: command.map(literal) }, timeoutSeconds: seconds(timeout) };
  const readinessProbe: Probe = {
    ...asked,
    periodSeconds: seconds(interval),
    failureThreshold: retries,
  };
  if (!awaited) return { readinessProbe };
  const period = Math.min(seconds(startInterval ?? interval), STARTUP_SECONDS);
  const patience = Math.max(startPeriod + interval * retries, LEAST_STARTUP_SECONDS);
  const startupProbe: Probe = {
    ...asked,
    periodSeconds: period,
    failureThreshold: Math.ceil(patience / period),
  };
  return { startupProbe, readinessProbe };
}

/** Kubernetes counts in whole seconds. */
function seconds(time: number): number {
  return Math.max(1, Math.ceil(time));
}
