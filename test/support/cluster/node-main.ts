/*
 * What a cluster has besides Kubernetes, in the network namespace of its node: names of services, volumes, and ports that
 * lead to services of the tests. Arguments: the state directory, and the ports.
 */
import { join } from 'node:path';
import { createApi } from './api.ts';
import { NODE_ADDRESS } from './configuration.ts';
import { startDns } from './dns.ts';
import { startRelay } from './relay.ts';
import { provideVolumes } from './volumes.ts';

const DOMAIN = '.svc.cluster.local';
const [state = '', ...ports] = process.argv.slice(2);

interface Service {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly clusterIP: string };
}

const addresses = new Map<string, string>();
for (const port of ports)
  await startRelay({ host: NODE_ADDRESS, port: Number(port) }, { path: join(state, `${port}.sock`) });
await startDns(NODE_ADDRESS, (name) => addresses.get(name));
const api = createApi(join(state, 'pki/apiserver.crt'));
await Promise.all([
  provideVolumes(api, join(state, 'volumes')),
  api.watch<Service>('/api/v1/services', (type, { metadata, spec }) => {
    const name = `${metadata.name}.${metadata.namespace}${DOMAIN}`;
    if (type === 'DELETED') addresses.delete(name);
    else addresses.set(name, spec.clusterIP);
  }),
]);
