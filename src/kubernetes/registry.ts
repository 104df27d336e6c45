import {
  metadata,
  NAMES,
  REGISTRY_PORT,
  selectorOf,
  unprivilegedContainer,
  unprivilegedPod,
} from './common.ts';
import type { Container, Deployment, Manifest, ManifestSettings, Service } from './types.ts';
import { claim } from './volumes.ts';

/** The registry for layers and images, with its volume. */
export function registry(settings: ManifestSettings): readonly Manifest[] {
  return [
    claim(NAMES.registry, 'registry', 'ReadWriteOnce', settings.registrySize, settings),
    deployment(settings),
    service(settings),
  ];
}

function deployment(settings: ManifestSettings): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(NAMES.registry, 'registry', settings),
    spec: {
      replicas: 1,
      // The volume is mounted by one node at a time, so the old pod goes first.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { ...selectorOf('registry') } },
      template: {
        metadata: { labels: { ...selectorOf('registry') } },
        spec: {
          ...unprivilegedPod(),
          terminationGracePeriodSeconds: 60,
          containers: [container(settings)],
          volumes: [
            { name: 'registry', persistentVolumeClaim: { claimName: NAMES.registry } },
            { name: 'users', secret: { secretName: NAMES.registryUsers, defaultMode: 0o440 } },
          ],
        },
      },
    },
  };
}

function container({ runtimeImage }: ManifestSettings): Container {
  // Every path asks for a password, so the probe looks whether somebody listens.
  const probe = { tcpSocket: { port: REGISTRY_PORT }, periodSeconds: 10 };
  return {
    name: 'registry',
    image: runtimeImage,
    args: ['registry', 'serve', '--dir=/registry', `--addr=:${REGISTRY_PORT}`, '--htpasswd=/users/htpasswd'],
    ports: [{ name: 'registry', containerPort: REGISTRY_PORT }],
    readinessProbe: probe,
    livenessProbe: { ...probe, failureThreshold: 6 },
    securityContext: unprivilegedContainer(),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    volumeMounts: [
      { name: 'registry', mountPath: '/registry' },
      { name: 'users', mountPath: '/users', readOnly: true },
    ],
  };
}

function service(settings: ManifestSettings): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(NAMES.registry, 'registry', settings),
    spec: {
      selector: { ...selectorOf('registry') },
      ports: [{ name: 'registry', port: REGISTRY_PORT, targetPort: 'registry' }],
    },
  };
}
