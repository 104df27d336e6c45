import { createHash } from 'node:crypto';
import { type ErrorCode, EXIT_CODES } from '../core/error.ts';
import { buildingContainer, buildingPod } from './builds.ts';
import { metadata, namesOf, podMetadata } from './common.ts';
import { cacheRepository, secretVariable } from './secrets.ts';
import type { CronJob, Job, ManifestSettings } from './types.ts';

/** Ends of a build that come again whenever the same commit is built; everything else may pass. */
const FINAL: readonly ErrorCode[] = [
  'USAGE',
  'BUILD_FAILED',
  'DOCKERFILE',
  'CONTEXT',
  'REFERENCE',
  'PERMISSION',
  'UNSAFE',
  'DEVCONTAINER',
  'START_FAILED',
  'OUTSIDE',
];
/** The label of Kueue by which a Job is in a queue. */
const QUEUE = 'kueue.x-k8s.io/queue-name';
const DAY = 86_400;

/** Builds a branch, or a commit of it, once: a Job for each architecture. Asked for twice, they are the same Jobs. */
export function prebuildJobs(settings: ManifestSettings): readonly Job[] {
  return each(settings).map((arch) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: withQueue(metadata(jobName(settings, arch), 'prebuild', settings), settings),
    spec: {
      ...jobSpec(settings, arch),
      ...(settings.queue === undefined && !settings.suspend ? {} : { suspend: true }),
      ttlSecondsAfterFinished: DAY,
    },
  }));
}

/** Builds the newest commit of a branch again and again; one that was built already is taken from the cache. */
export function prebuildCronJobs(settings: ManifestSettings): readonly CronJob[] {
  const { commit: _, ...newest } = settings;
  return each(settings).map((arch) => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadata(jobName(newest, arch), 'prebuild', settings),
    spec: {
      schedule: settings.prebuildSchedule,
      // A build that takes longer than from one time to the next is not begun twice.
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        ...(settings.queue === undefined ? {} : { metadata: { labels: { [QUEUE]: settings.queue } } }),
        spec: { ...jobSpec(newest, arch), ...(settings.queue === undefined ? {} : { suspend: true }) },
      },
    },
  }));
}

function each({ architectures }: ManifestSettings): readonly (string | undefined)[] {
  return architectures.length === 0 ? [undefined] : architectures;
}

/** The same for the same repository, branch and commit, built for the same registry, and for no other. */
function jobName(settings: ManifestSettings, arch: string | undefined): string {
  const { repository, branch = null, commit = null, registry } = settings;
  // Tenants have prefixes of their own in a registry, and may share a repository.
  const named = registry === undefined ? [] : [registry];
  const hash = createHash('sha256').update(JSON.stringify([repository, branch, commit, ...named]));
  const name = `${namesOf(settings).prebuild}-${hash.digest('hex').slice(0, 12)}`;
  return arch === undefined ? name : `${name}-${arch}`;
}

function withQueue<T extends { readonly labels: Record<string, string> }>(
  own: T,
  { queue }: ManifestSettings,
): T {
  return queue === undefined ? own : { ...own, labels: { ...own.labels, [QUEUE]: queue } };
}

function jobSpec(settings: ManifestSettings, arch: string | undefined) {
  const { priorityClass } = settings;
  const pod = buildingPod(settings, container(settings));
  const values = FINAL.map((code): number => EXIT_CODES[code].exit).sort((a, b) => a - b);
  return {
    backoffLimit: 3,
    activeDeadlineSeconds: 2 * 3600,
    podFailurePolicy: {
      rules: [
        {
          action: 'FailJob',
          onExitCodes: { containerName: 'prebuild', operator: 'In', values },
        },
        // A pod that had to make room for others has not failed.
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ],
    },
    template: {
      metadata: podMetadata('prebuild', settings),
      spec: {
        ...pod,
        ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
        ...(arch === undefined ? {} : { nodeSelector: { ...pod.nodeSelector, 'kubernetes.io/arch': arch } }),
      },
    },
  };
}

function container(settings: ManifestSettings) {
  const { registryPush, signingKey } = namesOf(settings);
  const value = (name: string, text: string) => ({ name, value: text });
  return buildingContainer(
    'prebuild',
    [
      value('ENVBUILDER_CACHE_REPO', cacheRepository(settings)),
      secretVariable('ENVBUILDER_DOCKER_CONFIG_BASE64', registryPush, 'config'),
      ...(settings.signed ? [secretVariable('ENVBUILDER_CACHE_SIGN_KEY_BASE64', signingKey, 'key')] : []),
      value('ENVBUILDER_PUSH_IMAGE', 'true'),
      value('ENVBUILDER_EXIT_ON_PUSH_FAILURE', 'true'),
      value('ENVBUILDER_EXIT_ON_BUILD_FAILURE', 'true'),
      value('ENVBUILDER_INIT_SCRIPT', 'exit 0'),
    ],
    settings,
  );
}
