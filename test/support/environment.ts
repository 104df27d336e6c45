import { createCleanUp } from '../../scripts/lib/cleanup.ts';
import {
  type ServiceName,
  type Services,
  servicesVariable,
  startServices,
} from '../../scripts/lib/services.ts';

/** The services that the tests of a file use, and what to call after the last one. */
export interface Environment {
  readonly services: Services;
  readonly stop: () => Promise<void>;
}

/** Takes the services that scripts/test.ts started; a test file that is run by itself starts its own. */
export async function openEnvironment(wanted?: readonly ServiceName[]): Promise<Environment> {
  const given = process.env[servicesVariable];
  if (given !== undefined) return { services: JSON.parse(given) as Services, stop: async () => {} };
  const cleanUp = createCleanUp();
  return { services: await startServices(cleanUp, wanted), stop: cleanUp.run };
}

/** Why a test that needs these services cannot run here, for `t.skip`; undefined when it can. */
export function missingService(services: Services, needs: readonly ServiceName[]): string | undefined {
  for (const name of needs) {
    if (services[name] === undefined) return `${name}: ${services.reasons[name] ?? 'not started'}`;
  }
  return undefined;
}
