import { metadata, namesOf, podMetadata } from './common.ts';
import type { CronWorkflow, EventSource, Sensor, WorkflowTemplate } from './custom-types.ts';
import { idOf, jobsOf, newestOf, newestReference } from './prebuild.ts';
import { JOB_RIGHTS, runner } from './runner.ts';
import type { Manifest, ManifestSettings } from './types.ts';
import { manifestYaml } from './yaml.ts';

const ARGO = 'argoproj.io/v1alpha1';
const DAY = 86_400;
const COMMIT = 'workflow.parameters.commit';
/** Where the webhook of a git server is taken. */
const HOOK_PORT = 12_000;

/**
 * Prebuilds as a workflow of Argo, for a commit or for the newest one of the branch, and what starts it again and again. Its
 * steps make the Jobs of a prebuild: in a pod of Argo's process 1 would be Argo's, and hand the credentials of the build to
 * each RUN.
 */
export function argoWorkflows(settings: ManifestSettings): readonly Manifest[] {
  const { prebuild } = namesOf(settings);
  const workflow = `${prebuild}-${idOf(newestOf(settings))}`;
  const [account, role, binding] = runner(
    `${prebuild}-workflow`,
    [
      JOB_RIGHTS,
      { apiGroups: ['argoproj.io'], resources: ['workflowtaskresults'], verbs: ['create', 'patch'] },
    ],
    settings,
  );
  const template: WorkflowTemplate = {
    apiVersion: ARGO,
    kind: 'WorkflowTemplate',
    metadata: metadata(workflow, 'prebuild', settings),
    spec: {
      entrypoint: 'prebuild',
      serviceAccountName: account.metadata?.name ?? '',
      arguments: {
        parameters: [
          { name: 'commit', value: settings.commit ?? '' },
          { name: 'newest', value: newestReference(settings) },
        ],
      },
      ttlStrategy: { secondsAfterCompletion: DAY },
      podMetadata: podMetadata('prebuild', settings),
      templates: steps(settings),
    },
  };
  const cron: CronWorkflow = {
    apiVersion: ARGO,
    kind: 'CronWorkflow',
    metadata: metadata(workflow, 'prebuild', settings),
    spec: {
      schedules: [settings.prebuildSchedule],
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 600,
      workflowSpec: {
        workflowTemplateRef: { name: workflow },
        arguments: { parameters: [{ name: 'commit', value: '' }] },
      },
    },
  };
  return [account, role, binding, template, cron];
}

function steps(settings: ManifestSettings): WorkflowTemplate['spec']['templates'] {
  const jobs = jobsOf(
    {
      settings: { ...settings, commit: `{{=${COMMIT} == '' ? workflow.parameters.newest : ${COMMIT}}}` },
      id: `${idOf(newestOf(settings))}-{{=sprig.trunc(12, ${COMMIT} == '' ? workflow.uid : ${COMMIT})}}`,
    },
    // Argo knows a Job that has failed by its first pod that has.
    0,
  );
  const each = jobs.map(({ job, last }, i) => ({
    last,
    name: last ? 'index' : (settings.architectures[i] ?? 'prebuild'),
    resource: {
      action: 'apply',
      manifest: manifestYaml(job),
      successCondition: 'status.succeeded > 0',
      failureCondition: 'status.failed > 0',
    } as const,
  }));
  const builds = each.filter(({ last }) => !last).map(({ name }) => name);
  const templates = each.map(({ name, resource }) => ({ name, resource }));
  if (templates.length === 1) return templates;
  const tasks = each.map(({ name, last }) => ({
    name,
    template: name,
    ...(last ? { dependencies: builds } : {}),
  }));
  return [{ name: 'prebuild', dag: { tasks } }, ...templates];
}

/** Starts the workflow when a git server says that there is something new. Only a commit is taken out of what it says. */
export function argoEvents(settings: ManifestSettings): readonly Manifest[] {
  const { prebuild, webhook } = namesOf(settings);
  const workflow = `${prebuild}-${idOf(newestOf(settings))}`;
  const [account, role, binding] = runner(
    `${prebuild}-sensor`,
    [{ apiGroups: ['argoproj.io'], resources: ['workflows'], verbs: ['create'] }],
    settings,
  );
  const source: EventSource = {
    apiVersion: ARGO,
    kind: 'EventSource',
    metadata: metadata(workflow, 'prebuild', settings),
    spec: {
      service: { ports: [{ port: HOOK_PORT, targetPort: HOOK_PORT }] },
      webhook: {
        push: {
          port: String(HOOK_PORT),
          endpoint: '/push',
          method: 'POST',
          // Of sources that sign themselves up at a server, and of the type of all.
          url: '',
          authSecret: { name: webhook, key: 'token' },
        },
      },
    },
  };
  const sensor: Sensor = {
    apiVersion: ARGO,
    kind: 'Sensor',
    metadata: metadata(workflow, 'prebuild', settings),
    spec: {
      template: { serviceAccountName: account.metadata?.name ?? '' },
      dependencies: [
        {
          name: 'push',
          eventSourceName: workflow,
          eventName: 'push',
          filters: {
            data: [
              { path: 'body.ref', type: 'string', value: [refPattern(settings)] },
              { path: 'body.after', type: 'string', value: ['^[0-9a-f]{40}$'] },
              // A branch that is deleted.
              { path: 'body.after', type: 'string', comparator: '!=', value: ['^0{40}$'] },
            ],
          },
        },
      ],
      triggers: [
        {
          template: {
            name: 'prebuild',
            k8s: {
              operation: 'create',
              source: {
                resource: {
                  apiVersion: ARGO,
                  kind: 'Workflow',
                  metadata: { generateName: `${workflow}-`, ...podMetadata('prebuild', settings) },
                  spec: {
                    workflowTemplateRef: { name: workflow },
                    arguments: { parameters: [{ name: 'commit', value: '' }] },
                  },
                },
              },
              parameters: [
                {
                  src: { dependencyName: 'push', dataKey: 'body.after' },
                  dest: 'spec.arguments.parameters.0.value',
                },
              ],
            },
          },
        },
      ],
    },
  };
  return [account, role, binding, source, sensor];
}

/** Which branches are meant, as a regular expression. */
function refPattern({ branch }: ManifestSettings): string {
  return branch === undefined
    ? '^refs/heads/'
    : `^refs/heads/${branch.replaceAll(/[.+?*^$()[\]{}|\\]/g, '\\$&')}$`;
}
