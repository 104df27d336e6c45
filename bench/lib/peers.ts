import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CleanUp } from '../../scripts/lib/cleanup.ts';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import { startDockerEngine } from '../../scripts/lib/docker-engine.ts';
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
}

/** The peers that this machine can run; why another one is missing is said in `reasons`. */
export async function openPeers(
  dir: string,
  cleanUp: CleanUp,
): Promise<{ readonly peers: readonly Peer[]; readonly reasons: readonly string[] }> {
  const peers: Peer[] = [];
  const reasons: string[] = [];
  for (const [name, open] of [
    ['docker', docker],
    ['buildah', buildah],
  ] as const) {
    try {
      peers.push(await open(join(dir, name), cleanUp));
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  return { peers, reasons };
}

async function docker(dir: string, cleanUp: CleanUp): Promise<Peer> {
  mkdirSync(dir, { recursive: true });
  const { engine, stop } = await startDockerEngine(dir);
  cleanUp.add(stop);
  const { command, env, version } = engine;
  return {
    name: 'docker',
    version,
    uncached: (context) =>
      measure(
        command,
        ['buildx', 'build', '--no-cache', '--network=host', '--provenance=false', '--tag=bench', context],
        env,
      ),
    pull: async (reference) => {
      await capture(command, ['image', 'rm', '--force', reference, 'bench'], { env });
      await capture(command, ['builder', 'prune', '--all', '--force'], { env });
      return measure(command, ['image', 'pull', '--quiet', reference], env);
    },
  };
}

async function buildah(dir: string, cleanUp: CleanUp): Promise<Peer> {
  if (!existsSync('/usr/bin/buildah')) await ensurePackages(['buildah', 'crun']);
  mkdirSync(dir, { recursive: true });
  const policy = join(dir, 'policy.json');
  writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const common = [`--root=${dir}/root`, `--runroot=${dir}/run`, '--storage-driver=overlay'];
  cleanUp.add(async () => {
    await capture('buildah', [...common, 'rmi', '--all', '--force']);
  });
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
  };
}

/** What the figures depend on. */
export function machine(): string {
  const model = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  const processors = readFileSync('/proc/cpuinfo', 'utf8').match(/^processor/gm)?.length ?? 1;
  const memory = Number(/^MemTotal:\s*(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return `${model}, ${processors} processors, ${Math.round(memory / 1024 / 1024)} GiB, Linux ${kernel}`;
}
