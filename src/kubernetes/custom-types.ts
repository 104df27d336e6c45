import type { Container } from 'kubernetes-types/core/v1.d.ts';
import type { ObjectMeta } from 'kubernetes-types/meta/v1.d.ts';

/** An object of a kind that a cluster has only where its controller is installed. */
interface Custom<Version extends string, Kind extends string, Spec> {
  readonly apiVersion: Version;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
}

interface Parameter {
  readonly name: string;
  readonly value?: string;
  readonly default?: string;
  readonly description?: string;
}

interface WorkflowTask {
  readonly name: string;
  readonly template: string;
  readonly dependencies?: readonly string[];
}

interface WorkflowStep {
  readonly name: string;
  readonly dag?: { readonly tasks: readonly WorkflowTask[] };
  readonly resource?: {
    readonly action: 'apply';
    readonly manifest: string;
    readonly successCondition: string;
    readonly failureCondition: string;
  };
}

/** Argo Workflows, its field reference, WorkflowSpec. */
export type WorkflowTemplate = Custom<
  'argoproj.io/v1alpha1',
  'WorkflowTemplate',
  {
    readonly entrypoint: string;
    readonly serviceAccountName: string;
    readonly arguments: { readonly parameters: readonly Parameter[] };
    readonly ttlStrategy: { readonly secondsAfterCompletion: number };
    readonly podMetadata: object;
    readonly templates: readonly WorkflowStep[];
  }
>;

interface TemplateRun {
  readonly workflowTemplateRef: { readonly name: string };
  readonly arguments?: { readonly parameters: readonly Parameter[] };
}

export type CronWorkflow = Custom<
  'argoproj.io/v1alpha1',
  'CronWorkflow',
  {
    readonly schedules: readonly string[];
    readonly concurrencyPolicy: 'Forbid';
    readonly startingDeadlineSeconds: number;
    readonly workflowSpec: TemplateRun;
  }
>;

/** Argo Events, its API reference, EventSourceSpec. */
export type EventSource = Custom<
  'argoproj.io/v1alpha1',
  'EventSource',
  {
    readonly service: { readonly ports: readonly { readonly port: number; readonly targetPort: number }[] };
    readonly webhook: Readonly<
      Record<
        string,
        {
          readonly port: string;
          readonly endpoint: string;
          readonly method: 'POST';
          readonly url: '';
          readonly authSecret: { readonly name: string; readonly key: string };
        }
      >
    >;
  }
>;

interface DataFilter {
  readonly path: string;
  readonly type: 'string';
  readonly comparator?: '!=';
  readonly value: readonly string[];
}

/** Argo Events, its API reference, SensorSpec. */
export type Sensor = Custom<
  'argoproj.io/v1alpha1',
  'Sensor',
  {
    readonly template: { readonly serviceAccountName: string };
    readonly dependencies: readonly {
      readonly name: string;
      readonly eventSourceName: string;
      readonly eventName: string;
      readonly filters: { readonly data: readonly DataFilter[] };
    }[];
    readonly triggers: readonly {
      readonly template: {
        readonly name: string;
        readonly k8s: {
          readonly operation: 'create';
          readonly source: { readonly resource: object };
          readonly parameters: readonly {
            readonly src: { readonly dependencyName: string; readonly dataKey: string };
            readonly dest: string;
          }[];
        };
      };
    }[];
  }
>;

interface TaskStep {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly script?: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly computeResources: NonNullable<Container['resources']>;
  readonly securityContext: NonNullable<Container['securityContext']>;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface TypedParameter extends Parameter {
  readonly type: 'string';
}

/** Tekton Pipelines, its API reference, TaskSpec. */
export type Task = Custom<
  'tekton.dev/v1',
  'Task',
  {
    readonly params: readonly TypedParameter[];
    readonly steps: readonly TaskStep[];
    readonly volumes: readonly { readonly name: string; readonly emptyDir: object }[];
  }
>;

export type Pipeline = Custom<
  'tekton.dev/v1',
  'Pipeline',
  {
    readonly params: readonly TypedParameter[];
    readonly tasks: readonly {
      readonly name: string;
      readonly taskRef: { readonly kind: 'Task'; readonly name: string };
      readonly timeout: string;
      readonly params: readonly { readonly name: string; readonly value: string }[];
      readonly runAfter?: readonly string[];
    }[];
  }
>;

interface PipelineRunSpec {
  readonly pipelineRef: { readonly name: string };
  readonly params: readonly { readonly name: string; readonly value: string }[];
  readonly taskRunTemplate: { readonly serviceAccountName: string };
  readonly timeouts: { readonly pipeline: string };
}

export type PipelineRun = Custom<'tekton.dev/v1', 'PipelineRun', PipelineRunSpec>;

/** Tekton Triggers, its API reference. */
export type TriggerBinding = Custom<
  'triggers.tekton.dev/v1beta1',
  'TriggerBinding',
  { readonly params: readonly { readonly name: string; readonly value: string }[] }
>;

export type TriggerTemplate = Custom<
  'triggers.tekton.dev/v1beta1',
  'TriggerTemplate',
  { readonly params: readonly { readonly name: string }[]; readonly resourcetemplates: readonly object[] }
>;

export type EventListener = Custom<
  'triggers.tekton.dev/v1beta1',
  'EventListener',
  {
    readonly serviceAccountName: string;
    readonly triggers: readonly {
      readonly name: string;
      readonly interceptors: readonly {
        readonly ref: { readonly name: string };
        readonly params: readonly { readonly name: string; readonly value: unknown }[];
      }[];
      readonly bindings: readonly { readonly ref: string }[];
      readonly template: { readonly ref: string };
    }[];
  }
>;

/** Any object of Argo or Tekton that we write. */
export type PipelineObject =
  | WorkflowTemplate
  | CronWorkflow
  | EventSource
  | Sensor
  | Task
  | Pipeline
  | PipelineRun
  | TriggerBinding
  | TriggerTemplate
  | EventListener;
