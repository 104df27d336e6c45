import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The address of the node, and of what it serves: DNS and the services of the tests. */
export const NODE_ADDRESS = '10.77.0.1';
export const NODE_NAME = 'node1';
/** Where the registry of the tests answers inside the cluster. */
export const REGISTRY_PORT = 5000;
/** What keeps the namespaces of a pod; any program that goes on will do. */
const PAUSE_IMAGE = `${NODE_ADDRESS}:${REGISTRY_PORT}/pause:1`;
export const TOKEN = 'token-of-the-operator';
export const API_PORT = 6443;
const POD_NETWORK = '10.78.0.0/24';
const RUNTIME_SOCKET = '/run/containerd/containerd.sock';

/** Everything of a cluster that is a file lies below its state directory, which node and tests see under the same path. */
export interface ClusterFiles {
  readonly state: string;
  readonly cgroup: string;
}

/** The program and the arguments of each part, in the order in which they are started. */
export function commands({ state }: ClusterFiles): Readonly<Record<string, readonly string[]>> {
  const at = (path: string): string => join(state, path);
  const kubeconfig = `--kubeconfig=${at('kubeconfig')}`;
  return {
    etcd: [
      'etcd',
      `--data-dir=${at('etcd')}`,
      '--listen-client-urls=http://127.0.0.1:2379',
      '--advertise-client-urls=http://127.0.0.1:2379',
      '--listen-peer-urls=http://127.0.0.1:2380',
      '--unsafe-no-fsync',
    ],
    containerd: ['containerd', `--config=${at('containerd.toml')}`],
    'kube-apiserver': [
      'kube-apiserver',
      '--etcd-servers=http://127.0.0.1:2379',
      `--secure-port=${API_PORT}`,
      `--advertise-address=${NODE_ADDRESS}`,
      `--cert-dir=${at('pki')}`,
      `--token-auth-file=${at('tokens.csv')}`,
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${at('sa.key')}`,
      `--service-account-signing-key-file=${at('sa.key')}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--kubelet-preferred-address-types=InternalIP',
    ],
    'kube-controller-manager': [
      'kube-controller-manager',
      kubeconfig,
      `--service-account-private-key-file=${at('sa.key')}`,
      `--root-ca-file=${at('pki/apiserver.crt')}`,
      '--leader-elect=false',
    ],
    'kube-scheduler': [
      'kube-scheduler',
      kubeconfig,
      '--leader-elect=false',
      // A pod whose claims were bound while it was looked at is looked at again only after this time, else of minutes.
      '--pod-max-in-unschedulable-pods-duration=10s',
    ],
    kubelet: [
      'kubelet',
      `--config=${at('kubelet.yaml')}`,
      kubeconfig,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE_ADDRESS}`,
      `--root-dir=${at('kubelet')}`,
      `--cert-dir=${at('pki-kubelet')}`,
    ],
    'kube-proxy': [
      'kube-proxy',
      kubeconfig,
      '--proxy-mode=iptables',
      `--hostname-override=${NODE_NAME}`,
      // Limits of the whole machine are left alone.
      '--conntrack-max-per-core=0',
      '--conntrack-tcp-timeout-established=0',
      '--conntrack-tcp-timeout-close-wait=0',
    ],
  };
}

/** Writes what the parts read. The kubeconfig names a certificate that the API server makes at its start. */
export function writeConfiguration(files: ClusterFiles): void {
  const { state } = files;
  for (const directory of ['bin', 'cni', 'logs', 'certs.d', 'volumes']) mkdirSync(join(state, directory));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const texts: Readonly<Record<string, string>> = {
    'sa.key': String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    'tokens.csv': `${TOKEN},operator,operator,system:masters\n`,
    'resolv.conf': `nameserver ${NODE_ADDRESS}\n`,
    'containerd.toml': containerd(files),
    // JSON is YAML.
    'kubelet.yaml': JSON.stringify(kubelet(files)),
    kubeconfig: JSON.stringify(kubeconfigOf(files)),
    'cni/pods.conflist': JSON.stringify(podNetwork(files)),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(state, name), text);
  trustRegistry(files.state, `${NODE_ADDRESS}:${REGISTRY_PORT}`, `http://${NODE_ADDRESS}:${REGISTRY_PORT}`);
}

/** Lets the node pull from a registry over plain HTTP, as an operator has to. */
export function trustRegistry(state: string, host: string, url: string): void {
  const directory = join(state, 'certs.d', host);
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, 'hosts.toml'),
    `server = '${url}'\n[host.'${url}']\ncapabilities = ['pull', 'resolve']\n`,
  );
}

function containerd({ state }: ClusterFiles): string {
  return `version = 3
root = '${state}/containerd'
state = '/run/containerd'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.snapshotter.v1.btrfs', 'io.containerd.snapshotter.v1.zfs']
[grpc]
address = '${RUNTIME_SOCKET}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${PAUSE_IMAGE}'
[plugins.'io.containerd.cri.v1.images'.registry]
config_path = '${state}/certs.d'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${state}/cni'
`;
}

function kubelet({ state, cgroup }: ClusterFiles) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [NODE_ADDRESS],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: `unix://${RUNTIME_SOCKET}`,
    resolvConf: `${state}/resolv.conf`,
    podLogsDir: `${state}/pod-logs`,
    // It looks again at volumes and at what has changed unnoticed.
    syncFrequency: '10s',
    // The disk is the machine's, and fuller than a node's.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 99,
    imageGCLowThresholdPercent: 98,
    seccompDefault: true,
  };
}

function kubeconfigOf({ state }: ClusterFiles) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'operator' } }],
    clusters: [
      {
        name: 'test',
        cluster: {
          server: `https://${NODE_ADDRESS}:${API_PORT}`,
          'certificate-authority': `${state}/pki/apiserver.crt`,
        },
      },
    ],
    users: [{ name: 'operator', user: { token: TOKEN } }],
  };
}

function podNetwork({ state }: ClusterFiles) {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: POD_NETWORK }]],
    routes: [{ dst: '0.0.0.0/0' }],
    dataDir: `${state}/cni-addresses`,
  };
  return { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'ptp', ipMasq: false, ipam }] };
}
