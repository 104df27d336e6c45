import { after, before } from 'node:test';
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

/**
 * The environment of a file whose tests need nothing else that is made before them: node:test runs all `before` hooks of a
 * file at the same time, so one that needs the services opens the environment itself.
 */
export function useEnvironment(wanted?: readonly ServiceName[]): Pick<Environment, 'services'> {
  let environment: Environment | undefined;
  before(async () => {
    environment = await openEnvironment(wanted);
  });
  after(() => environment?.stop());
  return {
    get services() {
      if (environment === undefined) throw new Error('services are there in tests only');
      return environment.services;
    },
  };
}

/** Why a test that needs these services cannot run here, for `t.skip`; undefined when it can. */
export function missingService(services: Services, needs: readonly ServiceName[]): string | undefined {
  for (const name of needs) {
    if (services[name] === undefined) return `${name}: ${services.reasons[name] ?? 'not started'}`;
  }
  return undefined;
}
