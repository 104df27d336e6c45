import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CleanUp } from '../../scripts/lib/cleanup.ts';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import { capture } from '../../scripts/lib/shell.ts';
import { type Measured, measure } from './measure.ts';

/** A program that builds the same Dockerfile. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** From nothing but the base image. */
  uncached(context: string): Promise<Measured>;
  /** A fresh copy of an image, into a place from which it can be started. */
  pull?(reference: string): Promise<Measured>;
  /** Deletes all that it has stored. */
  forget(): Promise<void>;
}

/** The peers that this machine can run; why another one is missing is said in `reasons`. */
export async function openPeers(
  engine: DockerEngine | undefined,
  dir: string,
  cleanUp: CleanUp,
): Promise<{ readonly peers: readonly Peer[]; readonly reasons: readonly string[] }> {
  const peers: Peer[] = engine ? [docker(engine)] : [];
  const reasons: string[] = [];
  try {
    peers.push(await buildah(join(dir, 'buildah'), cleanUp));
  } catch (error) {
    reasons.push(`buildah: ${(error as Error).message.split('\n')[0]}`);
  }
  return { peers, reasons };
}

function docker({ command, env, version }: DockerEngine): Peer {
  const forget = async (): Promise<void> => {
    await capture(command, ['image', 'rm', '--force', 'bench'], { env });
    await capture(command, ['builder', 'prune', '--all', '--force'], { env });
  };
  return {
    name: 'docker',
    version,
    uncached: (context) =>
      measure(
        command,
        ['buildx', 'build', '--no-cache', '--network=host', '--provenance=false', '--tag=bench', context],
        { env },
      ),
    pull: async (reference) => {
      await capture(command, ['image', 'rm', '--force', reference], { env });
      return measure(command, ['image', 'pull', '--quiet', reference], { env });
    },
    forget,
  };
}

async function buildah(dir: string, cleanUp: CleanUp): Promise<Peer> {
  if (!existsSync('/usr/bin/buildah')) await ensurePackages(['buildah', 'crun']);
  mkdirSync(dir, { recursive: true });
  const policy = join(dir, 'policy.json');
  writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const common = [`--root=${dir}/root`, `--runroot=${dir}/run`, '--storage-driver=overlay'];
  const forget = async (): Promise<void> => {
    await capture('buildah', [...common, 'rmi', '--all', '--force']);
  };
  cleanUp.add(forget);
  const { stdout } = await capture('buildah', ['--version']);
  return {
    name: 'buildah',
    version: /[\d.]+/.exec(stdout.toString())?.[0] ?? '',
    uncached: (context) =>
      measure('buildah', [
        ...common,
        'build',
        '--no-cache',
        '--isolation=chroot',
        '--tls-verify=false',
        `--signature-policy=${policy}`,
        '--tag=bench',
        context,
      ]),
    forget,
  };
}
