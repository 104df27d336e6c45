import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { cached, temporaryDir } from '../../../scripts/lib/cache-dir.ts';
import { findGo } from '../../../scripts/lib/go-program.ts';
import { run, step } from '../../../scripts/lib/shell.ts';
import { type Schema, schemaProblems } from '../../../src/core/json-schema.ts';
import { until } from '../../../src/core/testing.ts';
import type { Manifest } from '../../../src/kubernetes/types.ts';
import type { Cluster } from './cluster.ts';

interface Module {
  /** As in go.sum. */
  readonly sum: string;
  readonly files: readonly string[];
}

/** What Argo and Tekton publish about their objects, by module: definitions for a cluster, and types. */
const MODULES: Readonly<Record<string, Module>> = {
  'github.com/argoproj/argo-workflows/v3@v3.7.3': {
    sum: 'h1:b0o03RTLXIL7lQunDEvLoDTeI5TbfXe2obGaItvvifk=',
    files: [
      'manifests/base/crds/full/argoproj.io_workflowtemplates.yaml',
      'manifests/base/crds/full/argoproj.io_cronworkflows.yaml',
    ],
  },
  'github.com/argoproj/argo-events@v1.9.8': {
    sum: 'h1:NpNMVwZPExgF4PNlQG1vVPl3PmNZCkTQg+YRfGlIW4o=',
    files: [
      'manifests/base/crds/argoproj.io_eventsources.yaml',
      'manifests/base/crds/argoproj.io_sensors.yaml',
      'api/jsonschema/schema.json',
    ],
  },
  'github.com/tektoncd/pipeline@v1.6.0': {
    sum: 'h1:A+D+jzOVl2QNl/yiNT7csVgBUy2wpz6K6+/D4q5lfss=',
    files: [
      'config/300-crds/300-task.yaml',
      'config/300-crds/300-pipeline.yaml',
      'config/300-crds/300-pipelinerun.yaml',
    ],
  },
  'github.com/tektoncd/triggers@v0.34.0': {
    sum: 'h1:CuhG1moThPGEMlxPUcoBDDplJ3FAczzF8MMAjGScRY0=',
    files: [
      'config/300-eventlistener.yaml',
      'config/300-triggerbinding.yaml',
      'config/300-triggertemplate.yaml',
      'pkg/apis/triggers/v1beta1/openapi_generated.go',
    ],
  },
};

/** The kinds of Argo and Tekton, as the API of a cluster knows them and as their types say. */
export interface PipelineKinds {
  /** Has a cluster know them; what it is told of them it does check. */
  install(cluster: Cluster): Promise<void>;
  /** What in an object is not as its published types say; for kinds whose definition leaves all open. */
  problems(object: Manifest): readonly string[];
}

/** @throws Error where a module cannot be had */
export async function pipelineKinds(): Promise<PipelineKinds> {
  const dir = await cached('pipeline-kinds', { MODULES, version: 2 }, (path) =>
    step('Fetching the kinds of Argo and Tekton', () => fetchKinds(path)),
  );
  const definitions = readdirSync(dir).filter((name) => name.endsWith('.yaml'));
  const events = JSON.parse(readFileSync(join(dir, 'schema.json'), 'utf8')) as {
    readonly definitions: Readonly<Record<string, Published>>;
  };
  const triggers = readGoTypes(readFileSync(join(dir, 'openapi_generated.go'), 'utf8'));
  return {
    install: async (cluster) => {
      const files = definitions.map((name) => `--filename=${join(dir, name)}`);
      await cluster.ok(['apply', '--server-side', ...files]);
      for (const name of definitions) {
        const { metadata } = JSON.parse(readFileSync(join(dir, name), 'utf8')) as Manifest;
        const kind = metadata?.name ?? name;
        await until(`the API serves ${kind}`, async () => (await cluster.kubectl(['get', kind])).code === 0);
      }
    },
    problems: (object) => {
      const { apiVersion = '', kind = '' } = object;
      if (apiVersion.startsWith('triggers.tekton.dev/')) return schemaProblems(object, triggers(kind));
      const name = `io.argoproj.events.v1alpha1.${kind}`;
      return events.definitions[name] === undefined
        ? []
        : schemaProblems(object, strict({ $ref: `#/definitions/${name}` }, events.definitions));
    },
  };
}

async function fetchKinds(path: string): Promise<void> {
  const scratch = temporaryDir('modules');
  try {
    mkdirSync(path);
    for (const [module, { sum, files }] of Object.entries(MODULES)) {
      // The sums above say what it has to be, and not every module is in the database of sums.
      const env = { GOMODCACHE: scratch, GOFLAGS: '-modcacherw', GONOSUMDB: '*' };
      const answer = await run(findGo() ?? 'go', ['mod', 'download', '-json', module], { env, cwd: '/' });
      const { Dir, Sum } = JSON.parse(answer) as { readonly Dir: string; readonly Sum: string };
      if (Sum !== sum) throw new Error(`${module} is ${Sum}, and not ${sum}`);
      for (const file of files) {
        const text = readFileSync(join(Dir, file), 'utf8');
        // Texts are most of a definition, and an API server takes long over them.
        const plain = file.endsWith('.yaml') ? JSON.stringify(parse(text, withoutTexts)) : text;
        writeFileSync(join(path, basename(file)), plain);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function withoutTexts(key: unknown, value: unknown): unknown {
  return key === 'description' && typeof value === 'string' ? undefined : value;
}

interface Published extends Omit<Schema, 'properties' | 'items' | 'additionalProperties'> {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Published>>;
  readonly items?: Published;
  readonly additionalProperties?: boolean | Published;
}

/** A schema in which every object has the properties that it names, and no others; followed as far as a value goes. */
function strict(published: Published, all: Readonly<Record<string, Published>>): Schema {
  const { $ref, properties, items, additionalProperties, ...rest } = published;
  if ($ref !== undefined) return strict(all[$ref.replace('#/definitions/', '')] ?? {}, all);
  const each = (value: Readonly<Record<string, Published>>): Record<string, Schema> => {
    const found: Record<string, Schema> = {};
    for (const [name, inner] of Object.entries(value))
      Object.defineProperty(found, name, { enumerable: true, get: () => strict(inner, all) });
    return found;
  };
  return {
    ...rest,
    ...(properties === undefined ? {} : { properties: each(properties), additionalProperties: false }),
    ...(items === undefined ? {} : { items: strict(items, all) }),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: strict(additionalProperties, all) }
      : {}),
  };
}

/** The types of a file that openapi-gen has written, as schemas by the names of kinds. */
function readGoTypes(text: string): (kind: string) => Schema {
  const all: Record<string, Published> = {};
  for (const [, name = '', body = ''] of text.matchAll(
    /^func schema_pkg_apis_triggers_v1beta1_(\w+)\(.*?\{\n(.*?)^\}/gms,
  )) {
    const properties: Record<string, Published> = {};
    for (const [, property = '', inner = ''] of body.matchAll(/^\t{5}"(\w+)": \{\n(.*?)^\t{5}\},/gms)) {
      const type = /ref\("[^"]*\.(\w+)"\)/.exec(inner)?.[1];
      const value: Published = type === undefined ? {} : { $ref: `#/definitions/${type}` };
      properties[property] = /Type: +\[\]string\{"array"\}/.test(inner)
        ? { type: 'array', items: value }
        : value;
    }
    const required = [...(/Required: \[\]string\{(.*?)\}/.exec(body)?.[1] ?? '').matchAll(/"(\w+)"/g)];
    // One without properties says nothing of itself.
    all[name] =
      Object.keys(properties).length === 0
        ? {}
        : { properties, required: required.map(([, one = '']) => one) };
  }
  return (kind) => strict(all[kind] ?? {}, all);
}
