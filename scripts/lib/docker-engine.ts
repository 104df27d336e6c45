import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractPackages, writeLauncher } from './extracted-packages.ts';
import { childOf, startService, waitUntilReady } from './service-process.ts';
import { capture, run, step } from './shell.ts';

/** A Docker engine of our own, and how to talk to it. */
export interface DockerEngine {
  /** The `docker` command that belongs to the engine; takes no heed of any other Docker on the machine. */
  readonly command: string;
  /** DOCKER_HOST and DOCKER_CONFIG for that command. */
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  readonly logFile: string;
}

const suites = ['sid', 'trixie'];
const programs = ['docker.io', 'docker-cli', 'docker-buildx', 'containerd', 'runc', 'ca-certificates'];
/** For ADD: archives of xz, and git, parts of which are shell scripts. */
const forAdd = ['xz-utils', 'git', 'dash', 'sed', 'coreutils', 'grep'];

/**
 * Starts dockerd, with a containerd of its own, in a mount and process namespace of its own: no network bridge, no
 * firewall rules, nothing outside `dir`. Registries on 127.0.0.0/8 are used over plain HTTP.
 * @param dir existing directory on a file system that overlayfs can use
 * @throws Error when the machine cannot run it, with the end of the engine's log
 */
export async function startDockerEngine(
  dir: string,
): Promise<{ readonly engine: DockerEngine; readonly stop: () => Promise<void> }> {
  const extracted = await extractPackages('docker', suites, [...programs, ...forAdd]);
  return step('Starting a Docker engine', async () => {
    const state = join(dir, 'docker');
    const config = join(state, 'client');
    mkdirSync(join(config, 'cli-plugins'), { recursive: true });
    writeLauncher(
      extracted,
      '/usr/libexec/docker/cli-plugins/docker-buildx',
      join(config, 'cli-plugins/docker-buildx'),
    );
    const command = writeLauncher(extracted, '/usr/bin/docker', join(state, 'bin/docker'));
    const socket = `unix://${state}/docker.sock`;
    const logFile = join(dir, 'dockerd.log');
    writeFileSync(
      join(state, 'daemon.json'),
      JSON.stringify({ features: { 'containerd-snapshotter': false } }),
    );
    const service = startService(
      'unshare',
      [
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        '/bin/sh',
        join(import.meta.dirname, 'extracted-root.sh'),
        extracted.root,
        state,
        '/usr/sbin/dockerd',
        `--config-file=${state}/daemon.json`,
        '--iptables=false',
        '--ip6tables=false',
        '--bridge=none',
        `--data-root=${state}/data`,
        `--exec-root=${state}/exec`,
        `--pidfile=${state}/dockerd.pid`,
        `--host=${socket}`,
      ],
      logFile,
    );
    const env = { DOCKER_HOST: socket, DOCKER_CONFIG: config, DOCKER_BUILDKIT: '1' };
    let version = '';
    const stop = async () => {
      // dockerd itself ends in order on SIGTERM, while unshare would just be gone.
      await service.stop(8000, childOf(service.pid));
      rmSync(state, { recursive: true, force: true });
    };
    try {
      await waitUntilReady('dockerd', service, async () => {
        version = (await run(command, ['version', '--format', '{{.Server.Version}}'], { env })).trim();
      });
      await checkBuilds(command, env, state);
    } catch (error) {
      await stop();
      throw error;
    }
    return { engine: { command, env, version, logFile }, stop };
  });
}

/** A machine may run dockerd and yet refuse overlay mounts or containers; better to find out here. */
async function checkBuilds(
  command: string,
  env: Readonly<Record<string, string>>,
  state: string,
): Promise<void> {
  const context = join(state, 'check');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  const { code, stderr } = await capture(command, ['buildx', 'build', '--quiet', context], { env });
  if (code !== 0)
    throw new Error(`Docker cannot build here: ${stderr.trim().split('\n').slice(-5).join('\n')}`);
}
