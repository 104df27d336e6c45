import { createHash } from 'node:crypto';
import { certificatesMount, certificatesVolume, registryVariables } from './builds.ts';
import {
  BASE_IMAGES,
  metadata,
  namesOf,
  podMetadata,
  TERMINATION_MESSAGE,
  unprivilegedContainer,
  unprivilegedPod,
} from './common.ts';
import { secretVariable } from './secrets.ts';
import type { CronJob, Job, ManifestSettings, PodSpec } from './types.ts';

/** Fetches the base images again and again. */
export function warmerCronJob(settings: ManifestSettings): CronJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadata(namesOf(settings).warmer, 'warmer', settings),
    spec: {
      schedule: settings.schedule,
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: { metadata: podMetadata('warmer', settings), spec: jobSpec(settings) },
    },
  };
}

/** Fetches the base images once, now. What it would do is in its name, since a Job cannot be changed. */
export function warmerJob(settings: ManifestSettings): Job {
  const spec = { ...jobSpec(settings), ttlSecondsAfterFinished: 86_400 };
  const hash = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 8);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(`${namesOf(settings).warmNow}-${hash}`, 'warmer', settings),
    spec,
  };
}

function jobSpec(settings: ManifestSettings) {
  return {
    backoffLimit: 2,
    activeDeadlineSeconds: 4 * 3600,
    template: { metadata: podMetadata('warmer', settings), spec: podSpec(settings) },
  };
}

function podSpec(settings: ManifestSettings): PodSpec {
  const names = namesOf(settings);
  const { caConfigMap } = settings;
  return {
    ...unprivilegedPod(settings),
    restartPolicy: 'Never',
    containers: [
      {
        name: 'warm',
        image: settings.runtimeImage,
        args: [
          'warm',
          `--cache-dir=${BASE_IMAGES}`,
          '--progress=plain',
          ...(settings.convert ? ['--convert'] : []),
          ...settings.images.map((image) => `--image=${image}`),
        ],
        env: [
          secretVariable('ENVBUILDER_DOCKER_CONFIG_BASE64', names.registryPull, 'config', { optional: true }),
          ...registryVariables(settings),
          { ...TERMINATION_MESSAGE },
        ],
        ...unprivilegedContainer(),
        volumeMounts: [
          { name: 'base-images', mountPath: BASE_IMAGES },
          ...(caConfigMap === undefined ? [] : [certificatesMount()]),
        ],
      },
    ],
    volumes: [
      { name: 'base-images', persistentVolumeClaim: { claimName: names.baseImages } },
      ...(caConfigMap === undefined ? [] : [certificatesVolume(caConfigMap)]),
    ],
  };
}
