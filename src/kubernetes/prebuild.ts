import { createHash } from 'node:crypto';
import { type ErrorCode, EXIT_CODES } from '../core/error.ts';
import { buildingContainer, buildingPod } from './builds.ts';
import { metadata, namesOf, podMetadata } from './common.ts';
import { indexPod } from './prebuild-index.ts';
import { cacheRepository, secretVariable } from './secrets.ts';
import type { CronJob, Job, ManifestSettings, PodSpec } from './types.ts';

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
/** Seconds that a build may take. */
const LONGEST = 2 * 3600;
const RETRIES = 3;

/** What a prebuild builds, and what it is called by. */
export interface Prebuild {
  readonly settings: ManifestSettings;
  /** Ends the names of its Jobs, and of its images where there are several. */
  readonly id: string;
}

/** A Job of a prebuild: it builds for one architecture, or makes the index of what the others have built. */
interface Work {
  readonly name: string;
  readonly pod: PodSpec;
  readonly queue?: string;
  readonly suspend: boolean;
  /** Waits for the others. */
  readonly last: boolean;
}

/** Builds a branch, or a commit of it, once: a Job for each architecture. Asked for twice, they are the same Jobs. */
export function prebuildJobs(settings: ManifestSettings): readonly Job[] {
  return jobsOf({ settings, id: idOf(settings) }, RETRIES).map(({ job }) => job);
}

/**
 * The Jobs of a prebuild, in their order.
 * @param retries how often what may pass is tried again
 */
export function jobsOf(
  prebuild: Prebuild,
  retries: number,
): readonly { readonly job: Job; readonly last: boolean }[] {
  const { settings } = prebuild;
  return worksOf(prebuild).map((work) => ({
    last: work.last,
    job: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: withQueue(metadata(work.name, 'prebuild', settings), work.queue),
      spec: {
        ...jobSpec(work, settings, retries),
        ...(work.suspend ? { suspend: true } : {}),
        ttlSecondsAfterFinished: DAY,
      },
    },
  }));
}

/** Builds the newest commit of a branch again and again; one that was built already is taken from the cache. */
export function prebuildCronJobs(settings: ManifestSettings): readonly CronJob[] {
  const newest = newestOf(settings);
  return worksOf({ settings: newest, id: idOf(newest) }).map((work) => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadata(work.name, 'prebuild', settings),
    spec: {
      schedule: settings.prebuildSchedule,
      // A build that takes longer than from one time to the next is not begun twice.
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: withQueue(podMetadata('prebuild', settings), work.queue),
        spec: {
          ...jobSpec(work, newest, RETRIES),
          ...(work.queue === undefined ? {} : { suspend: true }),
        },
      },
    },
  }));
}

/** The same settings for whatever the branch has when it is built. */
export function newestOf(settings: ManifestSettings): ManifestSettings {
  const { commit: _, ...newest } = settings;
  return newest;
}

/** What is built where no commit is named; nothing for the HEAD of the server. */
export function newestReference({ branch }: ManifestSettings): string {
  return branch === undefined ? '' : `refs/heads/${branch}`;
}

/** The same for the same repository, branch and commit, built for the same registry, and for no other. */
export function idOf({ repository, branch, commit, registry }: ManifestSettings): string {
  // Tenants have prefixes of their own in a registry, and may share a repository.
  const named = registry === undefined ? [] : [registry];
  const hash = createHash('sha256').update(
    JSON.stringify([repository, branch ?? null, commit ?? null, ...named]),
  );
  return hash.digest('hex').slice(0, 12);
}

function worksOf({ settings, id }: Prebuild): readonly Work[] {
  const { architectures, queue, suspend } = settings;
  const name = `${namesOf(settings).prebuild}-${id}`;
  const build = {
    ...(queue === undefined ? {} : { queue }),
    suspend: suspend || queue !== undefined,
    last: false,
  };
  if (architectures.length === 0) return [{ ...build, name, pod: pod(settings) }];
  const tag = `prebuild-${id}`;
  const builds = architectures.map((arch): Work => {
    const own = pod(settings, `${tag}-${arch}`);
    const nodeSelector = { ...own.nodeSelector, 'kubernetes.io/arch': arch };
    return { ...build, name: `${name}-${arch}`, pod: { ...own, nodeSelector } };
  });
  // It needs next to nothing, and no queue that it would wait in for the others.
  return [...builds, { name: `${name}-index`, pod: indexPod(settings, tag), suspend: false, last: true }];
}

function withQueue<T extends { readonly labels: Record<string, string> }>(
  own: T,
  queue: string | undefined,
): T {
  return queue === undefined ? own : { ...own, labels: { ...own.labels, [QUEUE]: queue } };
}

function jobSpec({ pod: spec, last }: Work, settings: ManifestSettings, retries: number) {
  const values = FINAL.map((code): number => EXIT_CODES[code].exit).sort((a, b) => a - b);
  const containerName = spec.containers[0]?.name ?? '';
  return {
    backoffLimit: retries,
    // The last one may begin with the others.
    activeDeadlineSeconds: last ? 2 * LONGEST : LONGEST,
    podFailurePolicy: {
      rules: [
        { action: 'FailJob', onExitCodes: { containerName, operator: 'In', values } },
        // A pod that had to make room for others has not failed.
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ],
    },
    template: { metadata: podMetadata('prebuild', settings), spec },
  };
}

/** @param tag of the image in the repository of the cache, where it is one of several */
function pod(settings: ManifestSettings, tag?: string): PodSpec {
  const { priorityClass } = settings;
  return {
    ...buildingPod(settings, container(settings, tag)),
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
  };
}

function container(settings: ManifestSettings, tag: string | undefined) {
  const { registryPush, signingKey } = namesOf(settings);
  const value = (name: string, text: string) => ({ name, value: text });
  return buildingContainer(
    'prebuild',
    [
      value('ENVBUILDER_CACHE_REPO', cacheRepository(settings)),
      secretVariable('ENVBUILDER_DOCKER_CONFIG_BASE64', registryPush, 'config'),
      ...(settings.signed ? [secretVariable('ENVBUILDER_CACHE_SIGN_KEY_BASE64', signingKey, 'key')] : []),
      value('ENVBUILDER_PUSH_IMAGE', 'true'),
      ...(tag === undefined ? [] : [value('ENVBUILDER_PUSH_TAG', tag)]),
      value('ENVBUILDER_EXIT_ON_PUSH_FAILURE', 'true'),
      value('ENVBUILDER_EXIT_ON_BUILD_FAILURE', 'true'),
      value('ENVBUILDER_INIT_SCRIPT', 'exit 0'),
    ],
    settings,
  );
}
