import { type Component, METRICS_PORT, metadata, namesOf, REGISTRY_PORT, selectorOf } from './common.ts';
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

/** Who may talk to whom: workspaces, prebuilds and the warmer go out, the registry hears the first two alone. */
export function networkPolicies(settings: ManifestSettings): readonly NetworkPolicy[] {
  const names = namesOf(settings);
  const port = (number: number) => ({ protocol: 'TCP', port: number }) as const;
  const clients = (['workspace', 'prebuild'] as const).map((component) => ({
    podSelector: { matchLabels: { ...selectorOf(component, settings) } },
  }));
  const outside = { egress: [...DNS, ...OUTSIDE] };
  return [
    policy(
      names.registry,
      'registry',
      { ingress: [{ from: clients, ports: [port(REGISTRY_PORT)] }, { ports: [port(METRICS_PORT)] }] },
      settings,
    ),
    policy(names.registryGc, 'registry-gc', {}, settings),
    policy(names.warmer, 'warmer', outside, settings),
    policy(names.prebuild, 'prebuild', outside, settings),
    // One for all workspaces of this name.
    policy(`${settings.name}-workspace`, 'workspace', outside, settings),
  ];
}

/** What is not named is forbidden. An empty list means the same and is not written: the API does not give it back. */
function policy(
  name: string,
  component: Component,
  rules: { readonly ingress?: Ingress; readonly egress?: Egress },
  settings: ManifestSettings,
): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(name, component, settings),
    spec: {
      podSelector: { matchLabels: { ...selectorOf(component, settings) } },
      policyTypes: ['Ingress', 'Egress'],
      ...rules,
    },
  };
}
