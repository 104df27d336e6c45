import { metadata, namesOf, podMetadata } from './common.ts';
import type {
  EventListener,
  Pipeline,
  PipelineRun,
  Task,
  TriggerBinding,
  TriggerTemplate,
} from './custom-types.ts';
import { idOf, jobsOf, newestOf, newestReference } from './prebuild.ts';
import { bound, JOB_RIGHTS, runner } from './runner.ts';
import type { Manifest, ManifestSettings } from './types.ts';
import { manifestYaml } from './yaml.ts';

const TEKTON = 'tekton.dev/v1';
const TRIGGERS = 'triggers.tekton.dev/v1beta1';
/** Digits of a commit that end the names of its Jobs. */
const SHORT = 12;
/** A Job has one of these conditions in the end, and every other one that it may have comes behind them in the alphabet. */
const HAS_ENDED = '{.status.conditions[?(@.type<"FailureTarget")].type}';

/**
 * Prebuilds as a pipeline of Tekton, and a run of it. Its tasks make the Jobs of a prebuild: in a pod of Tekton's process 1
 * would be Tekton's, and hand the credentials of the build to each RUN.
 */
export function tektonPipeline(settings: ManifestSettings): readonly Manifest[] {
  const { prebuild } = namesOf(settings);
  const pipeline = `${prebuild}-${idOf(newestOf(settings))}`;
  const account = `${prebuild}-pipeline`;
  const { commit } = settings;
  const run: PipelineRun = {
    apiVersion: TEKTON,
    kind: 'PipelineRun',
    metadata: metadata(`${prebuild}-${idOf(settings)}`, 'prebuild', settings),
    spec: runOf(pipeline, account, {
      reference: commit ?? newestReference(settings),
      id: commit?.slice(0, SHORT) ?? 'newest',
    }),
  };
  return [
    ...runner(account, [JOB_RIGHTS], settings),
    jobTask(prebuild, settings),
    pipelineOf(pipeline, settings),
    run,
  ];
}

function runOf(
  pipeline: string,
  serviceAccountName: string,
  values: { readonly reference: string; readonly id: string },
): PipelineRun['spec'] {
  return {
    pipelineRef: { name: pipeline },
    params: Object.entries(values).map(([name, value]) => ({ name, value })),
    taskRunTemplate: { serviceAccountName },
    timeouts: { pipeline: '5h0m0s' },
  };
}

/** Makes a Job, and ends as that does. */
function jobTask(name: string, settings: ManifestSettings): Task {
  const { runtimeImage, kubectlImage } = settings;
  const common = {
    computeResources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      runAsUser: 65532,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  const kubectl = (step: string, ...args: readonly string[]) => ({
    name: step,
    image: kubectlImage,
    command: ['kubectl'],
    args,
    ...common,
  });
  const volumeMounts = [{ name: 'job', mountPath: '/job' }];
  return {
    apiVersion: TEKTON,
    kind: 'Task',
    metadata: metadata(name, 'prebuild', settings),
    spec: {
      params: [
        { name: 'job', type: 'string', description: 'The name of a Job' },
        { name: 'manifest', type: 'string', description: 'The Job, as YAML' },
      ],
      volumes: [{ name: 'job', emptyDir: {} }],
      steps: [
        {
          name: 'write',
          image: runtimeImage,
          env: [{ name: 'MANIFEST', value: '$(params.manifest)' }],
          script: '#!/.envbuilder/bin/sh\nprintf %s "$MANIFEST" >/job/job.yaml\n',
          ...common,
          volumeMounts,
        },
        { ...kubectl('apply', 'apply', '--server-side', '--filename=/job/job.yaml'), volumeMounts },
        kubectl('wait', 'wait', `--for=jsonpath=${HAS_ENDED}`, '--timeout=5h', 'job/$(params.job)'),
        kubectl('result', 'wait', '--for=condition=Complete', '--timeout=5s', 'job/$(params.job)'),
      ],
    },
  };
}

function pipelineOf(name: string, settings: ManifestSettings): Pipeline {
  const jobs = jobsOf(
    {
      settings: { ...settings, commit: '$(params.reference)' },
      id: `${idOf(newestOf(settings))}-$(params.id)`,
    },
    3,
  );
  const tasks = jobs.map(({ job, last }, i) => ({
    last,
    name: last ? 'index' : (settings.architectures[i] ?? 'prebuild'),
    taskRef: { kind: 'Task' as const, name: namesOf(settings).prebuild },
    timeout: '5h0m0s',
    params: [
      { name: 'job', value: job.metadata?.name ?? '' },
      { name: 'manifest', value: manifestYaml(job) },
    ],
  }));
  const builds = tasks.filter(({ last }) => !last).map((task) => task.name);
  return {
    apiVersion: TEKTON,
    kind: 'Pipeline',
    metadata: metadata(name, 'prebuild', settings),
    spec: {
      params: [
        {
          name: 'reference',
          type: 'string',
          default: newestReference(settings),
          description: 'A commit, or a branch as refs/heads/NAME',
        },
        { name: 'id', type: 'string', description: 'Ends the names of the Jobs' },
      ],
      tasks: tasks.map(({ last, ...task }) => ({ ...task, ...(last ? { runAfter: builds } : {}) })),
    },
  };
}

/** Runs the pipeline when a git server says that there is something new. Only a commit is taken out of what it says. */
export function tektonTriggers(settings: ManifestSettings): readonly Manifest[] {
  const { prebuild, webhook } = namesOf(settings);
  const pipeline = `${prebuild}-${idOf(newestOf(settings))}`;
  const listener = `${prebuild}-listener`;
  const { branch } = settings;
  const isBranch =
    branch === undefined
      ? "body.ref.startsWith('refs/heads/')"
      : `body.ref == ${JSON.stringify(`refs/heads/${branch}`)}`;
  const own = metadata(pipeline, 'prebuild', settings);
  const binding: TriggerBinding = {
    apiVersion: TRIGGERS,
    kind: 'TriggerBinding',
    metadata: own,
    spec: {
      params: [
        { name: 'commit', value: '$(body.after)' },
        { name: 'id', value: '$(extensions.id)' },
      ],
    },
  };
  const template: TriggerTemplate = {
    apiVersion: TRIGGERS,
    kind: 'TriggerTemplate',
    metadata: own,
    spec: {
      params: [{ name: 'commit' }, { name: 'id' }],
      resourcetemplates: [
        {
          apiVersion: TEKTON,
          kind: 'PipelineRun',
          metadata: { generateName: `${pipeline}-`, ...podMetadata('prebuild', settings) },
          spec: runOf(pipeline, `${prebuild}-pipeline`, {
            reference: '$(tt.params.commit)',
            id: '$(tt.params.id)',
          }),
        },
      ],
    },
  };
  const events: EventListener = {
    apiVersion: TRIGGERS,
    kind: 'EventListener',
    metadata: own,
    spec: {
      serviceAccountName: listener,
      triggers: [
        {
          name: 'push',
          interceptors: [
            {
              ref: { name: 'github' },
              params: [
                { name: 'secretRef', value: { secretName: webhook, secretKey: 'token' } },
                { name: 'eventTypes', value: ['push'] },
              ],
            },
            {
              ref: { name: 'cel' },
              params: [
                {
                  name: 'filter',
                  // The last is a branch that is deleted.
                  value: `${isBranch} && body.after.matches('^[0-9a-f]{40}$') && !body.after.matches('^0{40}$')`,
                },
                {
                  name: 'overlays',
                  value: [{ key: 'id', expression: `body.after.truncate(${SHORT})` }],
                },
              ],
            },
          ],
          bindings: [{ ref: pipeline }],
          template: { ref: pipeline },
        },
      ],
    },
  };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(listener, 'prebuild', settings) },
    bound(listener, { kind: 'ClusterRole', name: 'tekton-triggers-eventlistener-roles' }, settings),
    binding,
    template,
    events,
  ];
}
