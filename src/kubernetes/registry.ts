import {
  METRICS_PORT,
  metadata,
  namesOf,
  PROBE_SECONDS,
  podMetadata,
  REGISTRY_PORT,
  selectorOf,
  TERMINATION_MESSAGE,
  unprivilegedContainer,
  unprivilegedPod,
} from './common.ts';
import type { Container, CronJob, Deployment, Manifest, ManifestSettings, Service } from './types.ts';
import { claim } from './volumes.ts';

/** What nobody used for so long is removed. */
const KEEP = '30d';

/** The registry for layers and images, with its volume; nothing where another one is used. */
export function registry(settings: ManifestSettings): readonly Manifest[] {
  if (settings.registry !== undefined) return [];
  return [
    claim(namesOf(settings).registry, 'registry', 'ReadWriteOnce', settings.registrySize, settings),
    deployment(settings),
    service(settings),
  ];
}

/** Removes what nobody needs, beside the registry, whose volume can be mounted on its own node. */
export function registryGc(settings: ManifestSettings): readonly CronJob[] {
  const names = namesOf(settings);
  const beside = { matchLabels: { ...selectorOf('registry', settings) } };
  return [
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: metadata(names.registryGc, 'registry-gc', settings),
      spec: {
        schedule: settings.schedule,
        concurrencyPolicy: 'Forbid',
        jobTemplate: {
          metadata: podMetadata('registry-gc', settings),
          spec: {
            backoffLimit: 0,
            template: {
              metadata: podMetadata('registry-gc', settings),
              spec: {
                ...unprivilegedPod(settings),
                affinity: {
                  podAffinity: {
                    requiredDuringSchedulingIgnoredDuringExecution: [
                      { labelSelector: beside, topologyKey: 'kubernetes.io/hostname' },
                    ],
                  },
                },
                restartPolicy: 'Never',
                containers: [
                  {
                    name: 'gc',
                    image: settings.runtimeImage,
                    args: ['registry', 'gc', '--dir=/registry', `--older-than=${KEEP}`, '--progress=plain'],
                    env: [{ ...TERMINATION_MESSAGE }],
                    ...unprivilegedContainer(),
                    volumeMounts: [{ name: 'registry', mountPath: '/registry' }],
                  },
                ],
                volumes: [{ name: 'registry', persistentVolumeClaim: { claimName: names.registry } }],
              },
            },
          },
        },
      },
    },
  ];
}

function deployment(settings: ManifestSettings): Deployment {
  const names = namesOf(settings);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(names.registry, 'registry', settings),
    spec: {
      replicas: 1,
      // The volume is mounted by one node at a time, so the old pod goes first.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { ...selectorOf('registry', settings) } },
      template: {
        metadata: podMetadata('registry', settings),
        spec: {
          ...unprivilegedPod(settings),
          terminationGracePeriodSeconds: 60,
          containers: [container(settings)],
          volumes: [
            { name: 'registry', persistentVolumeClaim: { claimName: names.registry } },
            { name: 'users', secret: { secretName: names.registryUsers, defaultMode: 0o440 } },
          ],
        },
      },
    },
  };
}

function container({ runtimeImage }: ManifestSettings): Container {
  const probe = (path: string) => ({ httpGet: { path, port: 'registry' }, ...PROBE_SECONDS });
  return {
    name: 'registry',
    image: runtimeImage,
    args: [
      'registry',
      'serve',
      '--dir=/registry',
      `--addr=:${REGISTRY_PORT}`,
      '--htpasswd=/users/htpasswd',
      '--rights=/users/rights',
      `--metrics-addr=:${METRICS_PORT}`,
      '--access-log=-',
      '--gc-every=6h',
      `--keep=${KEEP}`,
    ],
    ports: [
      { name: 'registry', containerPort: REGISTRY_PORT, protocol: 'TCP' },
      { name: 'metrics', containerPort: METRICS_PORT, protocol: 'TCP' },
    ],
    readinessProbe: probe('/readyz'),
    livenessProbe: { ...probe('/healthz'), failureThreshold: 12 },
    ...unprivilegedContainer(),
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
    metadata: metadata(namesOf(settings).registry, 'registry', settings),
    spec: {
      selector: { ...selectorOf('registry', settings) },
      ports: [
        { name: 'registry', port: REGISTRY_PORT, protocol: 'TCP', targetPort: 'registry' },
        { name: 'metrics', port: METRICS_PORT, protocol: 'TCP', targetPort: 'metrics' },
      ],
    },
  };
}
