import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../src/core/testing.ts';
import { extractPackages, writeLauncher } from './extracted-packages.ts';
import { startService, waitUntilReady } from './service-process.ts';

export interface RegistryServer {
  /** `127.0.0.1:port`, plain HTTP. */
  readonly host: string;
  /** Its storage directory, in CNCF Distribution's layout. */
  readonly storage: string;
  readonly logFile: string;
  /** Where it tells what it counts, when it was started with `metrics`. */
  readonly metrics?: string;
}

/** Parts of Distribution's configuration. */
export interface RegistrySettings {
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly tls?: Readonly<Record<string, unknown>>;
  /** It counts requests and bytes, and tells them to whom asks `RegistryServer.metrics`. */
  readonly metrics?: boolean;
}

/**
 * Starts Debian's docker-registry on a free port.
 * @param dir existing directory for its configuration, its log and, unless `storage` is given, its storage
 * @param storage directory in Distribution's layout to serve; it is left alone at the end
 * @param settings `auth` and `http.tls` of its configuration
 */
export async function startRegistry(
  dir: string,
  storage = join(dir, 'registry-storage'),
  settings: RegistrySettings = {},
): Promise<{ readonly registry: RegistryServer; readonly stop: () => Promise<void> }> {
  const extracted = await extractPackages('registry', ['bookworm', 'trixie'], ['docker-registry']);
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const metrics = settings.metrics ? `127.0.0.1:${await freePort()}` : undefined;
  const command = writeLauncher(extracted, '/usr/bin/docker-registry', join(dir, 'bin/docker-registry'));
  const config = join(dir, `registry-${port}.yml`);
  const logFile = join(dir, `registry-${port}.log`);
  mkdirSync(storage, { recursive: true });
  writeFileSync(config, configuration(storage, host, settings, metrics));
  const service = startService(command, ['serve', config], logFile, { OTEL_TRACES_EXPORTER: 'none' });
  await waitUntilReady('docker-registry', service, async () => {
    if (settings.tls !== undefined) return connectTo(port);
    const answer = await fetch(`http://${host}/v2/`);
    if (!answer.ok && answer.status !== 401) throw new Error(`status ${answer.status}`);
  });
  const stop = async () => {
    await service.stop();
    rmSync(config, { force: true });
  };
  const registry = { host, storage, logFile, ...(metrics && { metrics: `http://${metrics}/metrics` }) };
  return { registry, stop };
}

function connectTo(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(void socket.end()));
    socket.on('error', reject);
  });
}

function configuration(
  storage: string,
  address: string,
  { auth, tls }: RegistrySettings,
  metrics: string | undefined,
): string {
  // JSON is YAML.
  const security = [
    ...(metrics === undefined ? [] : [`  debug: {addr: ${metrics}, prometheus: {enabled: true}}`]),
    ...(tls === undefined ? [] : [`  tls: ${JSON.stringify(tls)}`]),
    ...(auth === undefined ? [] : [`auth: ${JSON.stringify(auth)}`]),
  ].join('\n');
  return `version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${JSON.stringify(storage)}
    maxthreads: 100
  delete:
    enabled: true
http:
  addr: ${address}
${security}
`;
}
