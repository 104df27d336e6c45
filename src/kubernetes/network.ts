import { type Component, metadata, NAMES, REGISTRY_PORT, selectorOf } from './common.ts';
import type { ManifestSettings, NetworkPolicy } from './types.ts';

type Egress = NonNullable<NonNullable<NetworkPolicy['spec']>['egress']>;
type Ingress = NonNullable<NonNullable<NetworkPolicy['spec']>['ingress']>;

/** Where clouds hand out credentials of the node; no workspace has any business there. */
const METADATA_SERVICE = '169.254.169.254/32';

const DNS: Egress = [
  {
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  },
];
const OUTSIDE: Egress = [
  { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: [METADATA_SERVICE] } }, { ipBlock: { cidr: '::/0' } }] },
];

/** Who may talk to whom: workspaces and the warmer go out, the registry hears them alone. */
export function networkPolicies(settings: ManifestSettings): readonly NetworkPolicy[] {
  const ports = [{ protocol: 'TCP', port: REGISTRY_PORT }] as const;
  const clients = (['workspace', 'warmer'] as const).map((component) => ({
    podSelector: { matchLabels: { ...selectorOf(component) } },
  }));
  return [
    policy(
      NAMES.registry,
      'registry',
      { ingress: [{ from: clients, ports: [...ports] }], egress: [] },
      settings,
    ),
    policy(NAMES.warmer, 'warmer', { ingress: [], egress: [...DNS, ...OUTSIDE] }, settings),
    policy(NAMES.workspace, 'workspace', { ingress: [], egress: [...DNS, ...OUTSIDE] }, settings),
  ];
}

function policy(
  name: string,
  component: Component,
  rules: { readonly ingress: Ingress; readonly egress: Egress },
  settings: ManifestSettings,
): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(name, component, settings),
    spec: {
      podSelector: { matchLabels: { ...selectorOf(component) } },
      policyTypes: ['Ingress', 'Egress'],
      ...rules,
    },
  };
}
