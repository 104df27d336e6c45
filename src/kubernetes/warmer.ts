import {
  BASE_IMAGES,
  metadata,
  NAMES,
  selectorOf,
  unprivilegedContainer,
  unprivilegedPod,
} from './common.ts';
import { dockerConfigVolume } from './secrets.ts';
import type { CronJob, Job, ManifestSettings, PodSpec } from './types.ts';

/** Fetches the base images again and again. */
export function warmerCronJob(settings: ManifestSettings): CronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadata(NAMES.warmer, 'warmer', settings),
    spec: {
      schedule: settings.schedule,
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: { spec: jobSpec(settings) },
    },
  };
}

/** Fetches the base images once, now. */
export function warmerJob(settings: ManifestSettings): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(NAMES.warmNow, 'warmer', settings),
    spec: { ...jobSpec(settings), ttlSecondsAfterFinished: 86_400 },
  };
}

function jobSpec(settings: ManifestSettings) {
  return {
    backoffLimit: 2,
    activeDeadlineSeconds: 4 * 3600,
    template: { metadata: { labels: { ...selectorOf('warmer') } }, spec: podSpec(settings) },
  };
}

function podSpec(settings: ManifestSettings): PodSpec {
  return {
    ...unprivilegedPod(),
    restartPolicy: 'Never',
    containers: [
      {
        name: 'warm',
        image: settings.runtimeImage,
        args: [
          'warm',
          `--cache-dir=${BASE_IMAGES}`,
          '--progress=plain',
          ...settings.images.map((image) => `--image=${image}`),
        ],
        env: [{ name: 'DOCKER_CONFIG', value: '/login' }],
        securityContext: unprivilegedContainer(),
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
        volumeMounts: [
          { name: 'base-images', mountPath: BASE_IMAGES },
          { name: 'login', mountPath: '/login', readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'base-images', persistentVolumeClaim: { claimName: NAMES.baseImages } },
      dockerConfigVolume('login'),
    ],
  };
}
