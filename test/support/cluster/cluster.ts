import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CleanUp } from '../../../scripts/lib/cleanup.ts';
import { extractPackages } from '../../../scripts/lib/extracted-packages.ts';
import {
  childOf,
  type ServiceProcess,
  startService,
  waitUntilReady,
} from '../../../scripts/lib/service-process.ts';
import { capture, type Finished, run, step } from '../../../scripts/lib/shell.ts';
import { PATIENCE_MS } from '../../../src/core/testing.ts';
import { makeCgroups } from './cgroups.ts';
import { commands, NODE_ADDRESS, NODE_NAME, trustRegistry, writeConfiguration } from './configuration.ts';
import { clusterParts, PART_NAMES } from './parts.ts';
import { startRelay } from './relay.ts';

/** Kubernetes on one node, in namespaces of its own. */
export interface Cluster {
  /** Runs kubectl as the operator of the cluster; files are those of this machine. */
  kubectl(args: readonly string[], input?: string): Promise<Finished>;
  /** The same for what must succeed. @returns its output */
  ok(args: readonly string[], input?: string): Promise<string>;
  /**
   * Watches an object until it is as wanted, or is there.
   * @param path of its collection, as `/api/v1/namespaces/dev/pods`
   */
  until<T>(path: string, name: string, holds: (object: T) => boolean): Promise<T>;
  /**
   * Runs a script of the operator's in bash, with kubectl and helm, where the cluster and the services of the tests can be
   * reached.
   */
  shell(script: string, options: ShellPlace): Promise<Finished>;
  /** Loads images from the archive of `docker save`. */
  load(archive: string): Promise<void>;
  /** Lets the node pull images of a registry over plain HTTP. */
  trust(host: string, url: string): void;
}

export interface ShellPlace {
  readonly cwd: string;
  /** The namespace where none is named. */
  readonly namespace: string;
  readonly env: Readonly<Record<string, string>>;
  /** A directory of programs that are found first. */
  readonly programs: string;
}

const SUITES = ['sid', 'trixie'];
const PACKAGES = [
  'etcd-server',
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iproute2',
  'iptables',
  'mount',
  'util-linux',
  'dash',
  'coreutils',
];
/** Names that Debian links in scripts that never ran. */
const IPTABLES = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);

/** What the first process of the node does: mounts and network, and then it waits for the orphans. */
const NODE = `
umount -l /old-root
mount --make-rshared /
mount -t tmpfs tmpfs /var/log
echo root:x:0:0:root:/:/bin/sh >/etc/passwd
ip link set lo up
ip link add node0 type bridge
ip addr add ${NODE_ADDRESS}/24 dev node0
ip link set node0 up
ip route add default dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward
: >"$1/node-is-there"
sleep infinity & wait`;

/**
 * Starts a cluster. Nothing of it is left when `cleanUp` has run, and only empty control groups when we were killed.
 * @param dir existing directory on a file system that overlayfs can use
 * @param ports addresses of services on this machine, by the port at which pods reach them on NODE_ADDRESS
 * @throws Error with the end of the log of whatever does not start
 */
export async function startCluster(
  dir: string,
  ports: Readonly<Record<number, { readonly host: string; readonly port: number }>>,
  cleanUp: CleanUp,
): Promise<Cluster> {
  const [programs, packages] = [await clusterParts(), await extractPackages('cluster', SUITES, PACKAGES)];
  return step('Starting a cluster', async () => {
    const state = join(dir, 'cluster');
    mkdirSync(state);
    cleanUp.add(() => rmSync(state, { recursive: true, force: true }));
    const cgroup = await makeCgroups();
    cleanUp.add(cgroup.remove);
    const files = { state, cgroup: cgroup.path };
    writeConfiguration(files);
    copyFileSync(programs.cluster, join(state, 'bin/parts'));
    mkdirSync(join(state, 'operator'));
    symlinkSync(programs.helm, join(state, 'operator/helm'));
    symlinkSync('../bin/kubectl', join(state, 'operator/kubectl'));
    for (const name of PART_NAMES) symlinkSync('parts', join(state, 'bin', name));
    for (const name of IPTABLES) symlinkSync('/usr/sbin/xtables-nft-multi', join(state, 'bin', name));
    for (const [port, address] of Object.entries(ports)) {
      const relay = await startRelay({ path: join(state, `${port}.sock`) }, address);
      cleanUp.add(() => void relay.close());
    }
    const node = await startNode(state, packages.root);
    cleanUp.add(() => node.stop(0));
    const enter = ['--net', '--target', String(childOf(node.pid))];
    const inside = [...enter, '--mount', '--pid'];
    const env = { PATH: `${state}/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
    const start = (name: string, args: readonly string[]): ServiceProcess =>
      startService('nsenter', args, join(state, 'logs', name), env);
    const kubectlArguments = (args: readonly string[]): readonly string[] => [
      ...enter,
      join(state, 'bin/kubectl'),
      `--kubeconfig=${state}/kubeconfig`,
      `--cache-dir=${state}/kubectl`,
      ...args,
    ];
    const kubectl: Cluster['kubectl'] = (args, input) =>
      capture('nsenter', kubectlArguments(args), {
        timeoutMs: PATIENCE_MS,
        ...(input === undefined ? {} : { input }),
      });
    const ok: Cluster['ok'] = async (args, input) => {
      const { code, stdout, stderr } = await kubectl(args, input);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
      return stdout.toString();
    };
    const services = new Map<string, ServiceProcess>();
    const answers = (name: string, question: readonly string[]): Promise<void> =>
      waitUntilReady(name, services.get(name)!, async () => void (await ok(question)));
    for (const [name, command] of Object.entries(commands(files))) {
      services.set(name, start(name, [...inside, ...command]));
      // The others end where it does not answer.
      if (name === 'kube-apiserver') await answers(name, ['get', '--raw=/readyz']);
    }
    await answers('kubelet', ['wait', '--timeout=10s', '--for=condition=Ready', `node/${NODE_NAME}`]);
    const main = join(import.meta.dirname, 'node-main.ts');
    const flags = ['--disable-warning=ExperimentalWarning', main, state, ...Object.keys(ports)];
    start('node-main', [...enter, process.execPath, ...flags]);
    return {
      kubectl,
      ok,
      until: (path, name, holds) =>
        watch(
          kubectlArguments(['get', `--raw=${path}?watch=1&fieldSelector=metadata.name%3D${name}`]),
          holds,
        ),
      shell: async (script, { cwd, namespace, env: more, programs: own }) => {
        const kubeconfig = join(state, `kubeconfig-${namespace}`);
        copyFileSync(join(state, 'kubeconfig'), kubeconfig);
        await ok([
          'config',
          `--kubeconfig=${kubeconfig}`,
          'set-context',
          '--current',
          `--namespace=${namespace}`,
        ]);
        const bash = ['/bin/bash', '-euo', 'pipefail', '-c', script];
        return capture('nsenter', [...enter, ...bash], {
          cwd,
          env: {
            KUBECONFIG: kubeconfig,
            HELM_CACHE_HOME: join(state, 'helm'),
            HELM_CONFIG_HOME: join(state, 'helm'),
            HELM_DATA_HOME: join(state, 'helm'),
            ...more,
            PATH: `${own}:${join(state, 'operator')}:${process.env.PATH}`,
          },
          timeoutMs: PATIENCE_MS,
        });
      },
      load: async (archive) => {
        const command = ['nsenter', ...inside, 'ctr', '--namespace=k8s.io', 'images', 'import', '-'];
        await run('/bin/sh', ['-c', 'exec "$@" <"$0"', archive, ...command], { env });
      },
      trust: (host, url) => trustRegistry(state, host, url),
    };
  });
}

async function startNode(state: string, root: string): Promise<ServiceProcess> {
  const script = join(import.meta.dirname, '../../../scripts/lib/extracted-root.sh');
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child'];
  const node = startService(
    'unshare',
    [...namespaces, '/bin/sh', script, root, state, '/bin/sh', '-euc', NODE, 'sh', state],
    join(state, 'logs/node'),
  );
  await waitUntilReady('the node', node, async () => {
    if (!existsSync(join(state, 'node-is-there'))) throw new Error('it is not set up');
  });
  return node;
}

async function watch<T>(args: readonly string[], holds: (object: T) => boolean): Promise<T> {
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const errors = child.stderr.toArray();
  const limit = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS); // Wait: a limit.
  let last = '';
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      last = line;
      const { object } = JSON.parse(line);
      if (holds(object)) return object;
    }
  } finally {
    clearTimeout(limit);
    child.kill('SIGKILL');
  }
  throw new Error(`${args.at(-1)}: in the end it is ${last} ${(await errors).join('')}`);
}
