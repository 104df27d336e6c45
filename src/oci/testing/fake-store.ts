import type { TestContext } from 'node:test';
import type { Event } from '../../core/events.ts';
import type { NetworkLimits } from '../../core/network-limits.ts';
import type { RetryPolicy } from '../../core/retry.ts';
import { createRegistryClient } from '../http/client.ts';
import type { Credential } from '../http/types.ts';
import { createRemoteStore } from '../remote-store.ts';
import { startFakeRegistry } from './fake-registry.ts';

/** Retries as usual, without the waiting. */
export const FAST: RetryPolicy = { attempts: 4, baseDelayMs: 1, maxDelayMs: 5 };

/** A store in the repository `a/b` of a registry in memory, with what its client told. Both are closed after the test. */
export async function openFakeStore(
  t: TestContext,
  {
    retry = FAST,
    credential,
    limits,
  }: {
    readonly retry?: RetryPolicy;
    readonly credential?: Credential;
    readonly limits?: NetworkLimits;
  } = {},
) {
  const registry = await startFakeRegistry();
  const events: Event[] = [];
  const client = createRegistryClient({
    retry,
    emit: (event) => events.push(event),
    credentials: async () => credential,
    ...(limits === undefined ? {} : { limits }),
  });
  t.after(async () => {
    await registry.close();
    await client.close();
  });
  const repository = { client, registry: registry.host, repository: 'a/b' };
  return { registry, repository, store: createRemoteStore(repository), events };
}
