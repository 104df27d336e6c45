import type { KeyRow } from '../../devcontainer/compose/key-row.ts';

/** Every key of the Compose Specification, as docs/kubernetes.md lists them. */
export const COMPOSE_KEYS: readonly KeyRow[] = [
  {
    keys: ['image', 'pull_policy'],
    held: 'yes',
    text: 'The image of the container, and when the node pulls it.',
  },
  {
    keys: ['build'],
    held: 'no',
    text: 'A pod takes images: push one and name it with `--service-image NAME=REFERENCE`. The service that is the dev container is built in the pod.',
  },
  {
    keys: ['command', 'entrypoint', 'working_dir', 'stdin_open', 'tty'],
    held: 'partly',
    text: 'As in Compose, but that an empty list cannot take those of the image away.',
  },
  {
    keys: ['environment', 'env_file'],
    held: 'yes',
    text: 'Variables of the container, with the values that they have where the manifests are made.',
  },
  {
    keys: ['user'],
    held: 'partly',
    text: 'Numbers of a user and of a group; names are looked up in an image, which nobody reads here. `root` is 0.',
  },
  {
    keys: ['hostname', 'container_name', 'links', 'networks', 'extra_hosts', 'expose', 'ports'],
    held: 'partly',
    text: 'All containers of a pod share one network: the names and aliases of services lead to 127.0.0.1. Networks do not divide services from each other; hosts without an address (`host-gateway`) are named. Ports are told to the cluster and published nowhere: `kubectl port-forward` reaches them.',
  },
  {
    keys: ['network_mode'],
    held: 'partly',
    text: '`service:NAME` and the usual one: that is what a pod is.',
  },
  {
    keys: ['depends_on'],
    held: 'partly',
    text: 'Services start one behind another. `service_healthy` waits for the health check of the Compose file; that of an image is not known. `service_completed_successfully` makes the other one an init container that runs to its end. Nothing can wait for the dev container.',
  },
  {
    keys: ['healthcheck'],
    held: 'yes',
    text: 'A readiness probe, and a startup probe where a service waits for `service_healthy`; it waits for ten minutes at least.',
  },
  {
    keys: ['restart'],
    held: 'partly',
    text: 'Services are started again whenever they end, as with `always`.',
  },
  {
    keys: ['volumes'],
    held: 'partly',
    text: "A claim for each named volume, or the one that is there for an external one; an empty directory for one without a name; files and folders of the repository from the volume of the workspace. Other places of a host are not held. A new claim is empty and root's, where Docker copies what the image has at the place, owner included.",
  },
  { keys: ['tmpfs', 'shm_size'], held: 'yes', text: 'Empty directories in memory.' },
  {
    keys: ['secrets'],
    held: 'yes',
    text: 'Files of Secrets that you make: nothing of them is printed, and how to make each is said.',
  },
  { keys: ['configs'], held: 'yes', text: 'Files of ConfigMaps, which are printed.' },
  {
    keys: ['mem_limit', 'mem_reservation', 'cpus', 'deploy', 'scale'],
    held: 'partly',
    text: 'Memory and processors: limits and requests. There is one of each service.',
  },
  {
    keys: ['read_only', 'cap_add', 'cap_drop', 'security_opt'],
    held: 'partly',
    text: 'As far as the baseline of the Pod Security Standards goes: its capabilities, and `no-new-privileges`.',
  },
  {
    keys: ['stop_grace_period'],
    held: 'partly',
    text: 'The longest one counts for the whole pod.',
  },
  {
    keys: ['profiles', 'extends'],
    held: 'yes',
    text: 'Services of profiles that COMPOSE_PROFILES does not name are left out, as in Compose.',
  },
  {
    keys: ['annotations', 'attach', 'develop', 'labels', 'label_file', 'logging'],
    held: 'nothing',
    text: 'For Compose and its engine.',
  },
  {
    keys: [
      'privileged',
      'devices',
      'device_cgroup_rules',
      'gpus',
      'userns_mode',
      'cgroup',
      'cgroup_parent',
      'credential_spec',
      'isolation',
      'runtime',
      'group_add',
      'pid',
      'ipc',
      'uts',
      'use_api_socket',
    ],
    held: 'no',
    text: 'the baseline of the Pod Security Standards, or the pod as a whole, decides about it',
  },
  {
    keys: ['dns', 'dns_search', 'dns_opt', 'domainname', 'mac_address', 'external_links'],
    held: 'no',
    text: 'the pod has one network, which the cluster makes',
  },
  {
    keys: [
      'sysctls',
      'ulimits',
      'pids_limit',
      'oom_score_adj',
      'oom_kill_disable',
      'mem_swappiness',
      'memswap_limit',
      'cpu_count',
      'cpu_percent',
      'cpu_shares',
      'cpu_period',
      'cpu_quota',
      'cpu_rt_runtime',
      'cpu_rt_period',
      'cpuset',
      'blkio_config',
      'storage_opt',
    ],
    held: 'no',
    text: 'the node decides about it',
  },
  {
    keys: ['init', 'stop_signal', 'post_start', 'pre_stop', 'platform'],
    held: 'no',
    text: 'the container starts and ends as the image says, on the machine of the pod',
  },
  {
    keys: ['volumes_from', 'models', 'provider', 'driver_opts'],
    held: 'no',
    text: 'a pod has nothing like it',
  },
];

/** Keys that the dev container itself does not get, though other services do. */
export const NOT_OWN: readonly string[] = [
  'command',
  'entrypoint',
  'healthcheck',
  'read_only',
  'cap_drop',
  'security_opt',
  'mem_limit',
  'cpus',
  'deploy',
];
