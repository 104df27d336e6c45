import type { TestContext } from 'node:test';
import { NETWORK_LIMITS, type NetworkLimits } from '../core/network-limits.ts';
import { createTransport } from '../oci/http/transport.ts';
import type { SourceAccess } from './source-access.ts';

/** What a build has to fetch sources with that was given these secrets and nothing else. */
export function givenAccess(
  t: TestContext,
  secrets: Readonly<Record<string, string>> = {},
  limits: NetworkLimits = NETWORK_LIMITS,
): SourceAccess {
  const transport = createTransport({ limits });
  t.after(transport.close);
  return {
    secret: async (id) => (Object.hasOwn(secrets, id) ? Buffer.from(secrets[id]!) : undefined),
    path: process.env.PATH ?? '',
    network: {},
    transport: () => transport,
    limits,
  };
}
