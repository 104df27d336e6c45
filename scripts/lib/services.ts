import { rm } from 'node:fs/promises';
import { pushBaseImages } from './base-images.ts';
import { temporaryDir } from './cache-dir.ts';
import type { CleanUp } from './cleanup.ts';
import { ensurePackages } from './debian.ts';
import { type DockerEngine, startDockerEngine } from './docker-engine.ts';
import { type HttpFixtures, startHttpFixtures } from './http-fixtures.ts';
import { type RegistryServer, startRegistry } from './registry-server.ts';
import { step } from './shell.ts';

/** What the end-to-end tests talk to. A service that this machine cannot run is missing, and `reasons` says why. */
export interface Services {
  readonly dir: string;
  /** Seconds since the epoch: whatever has a later mtime was made during this run. */
  readonly startedAt: number;
  readonly docker?: DockerEngine;
  readonly registry?: RegistryServer;
  readonly http?: HttpFixtures;
  readonly reasons: Readonly<Partial<Record<'docker' | 'registry' | 'http', string>>>;
}

export type ServiceName = 'docker' | 'registry' | 'http';

/** The variable through which scripts/test.ts hands running services to the test files, as JSON. */
export const servicesVariable = 'ENVBUILDER_E2E';

/** Packages that the end-to-end tests use besides the services themselves. */
const testPackages = [
  'git',
  'skopeo',
  'umoci',
  'zstd',
  'gzip',
  'tar',
  'bzip2',
  'xz-utils',
  'openssh-client',
  'util-linux',
];

/**
 * Starts the services in a temporary directory and fills the registry with base images; `cleanUp` stops and removes all of
 * it. Logs stay in the directory when `keepLogs` says so at the end.
 */
export async function startServices(
  cleanUp: CleanUp,
  wanted: readonly ServiceName[] = ['registry', 'http', 'docker'],
  keepLogs: () => boolean = () => false,
): Promise<Services> {
  await ensurePackages(testPackages);
  const dir = temporaryDir('e2e');
  cleanUp.add(async () => {
    if (keepLogs()) process.stderr.write(`Logs of the services: ${dir}\n`);
    else await rm(dir, { recursive: true, force: true });
  });
  const startedAt = Math.floor(Date.now() / 1000);
  const reasons: Partial<Record<ServiceName, string>> = {};
  const attempt = async <T extends { stop: () => Promise<void> }>(
    name: ServiceName,
    start: () => Promise<T>,
  ) => {
    if (!wanted.includes(name)) {
      reasons[name] = `${name} was not asked for`;
      return undefined;
    }
    try {
      const started = await start();
      cleanUp.add(started.stop);
      return started;
    } catch (error) {
      reasons[name] = error instanceof Error ? error.message : String(error);
      process.stderr.write(`    no ${name}: ${reasons[name]}\n`);
      return undefined;
    }
  };
  const registry = await attempt('registry', async () => {
    const started = await startRegistry(dir);
    try {
      await step('Filling the registry with base images', () => pushBaseImages(started.registry.host));
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  });
  const http = await attempt('http', () => startHttpFixtures(dir));
  const docker = await attempt('docker', () => startDockerEngine(dir));
  return {
    dir,
    startedAt,
    ...(docker && { docker: docker.engine }),
    ...(registry && { registry: registry.registry }),
    ...(http && { http: http.http }),
    reasons,
  };
}
