import { rm } from 'node:fs/promises';
import { debianLayer } from './base-images.ts';
import { temporaryDir } from './cache-dir.ts';
import { ensurePackages } from './debian.ts';
import { pushImage } from './push-image.ts';
import { startRegistry } from './registry-server.ts';
import { step } from './shell.ts';

const HUB_TIMEOUT_MS = 5000;

/** Calls `use` with the name of a small Debian: Docker Hub's where that can be reached, else a local one. */
export async function withDebian<T>(hubName: string, use: (reference: string) => Promise<T>): Promise<T> {
  if (await hubAnswers()) return use(hubName);
  process.stderr.write('Docker Hub cannot be reached: the base image is made from Debian packages.\n');
  return withLocalDebian(use);
}

/** Calls `use` with the name of a Debian 12 that is made from packages and served by a registry for as long as that takes. */
export async function withLocalDebian<T>(use: (reference: string) => Promise<T>): Promise<T> {
  const layer = await debianLayer();
  await ensurePackages(['mmdebstrap', 'ca-certificates']);
  const dir = temporaryDir('registry');
  const { registry, stop } = await step('Starting a registry for the base image', () => startRegistry(dir));
  try {
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const config = {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: ['/bin/bash'],
    };
    await pushImage(registry.host, 'debian', 'bookworm', {
      layers: [layer],
      architecture,
      family: 'oci',
      config,
    });
    return await use(`${registry.host}/debian:bookworm`);
  } finally {
    await stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function hubAnswers(): Promise<boolean> {
  try {
    const answer = await fetch('https://registry-1.docker.io/v2/', {
      signal: AbortSignal.timeout(HUB_TIMEOUT_MS),
    });
    return answer.status === 401;
  } catch {
    return false;
  }
}
