import { parse, stringify } from 'yaml';
import { manifests, type PartName } from './manifests.ts';
import type { Manifest, ManifestSettings } from './types.ts';
import { manifestYaml } from './yaml.ts';

/** Texts by their paths in a directory. */
export type Files = ReadonlyMap<string, string>;

/** Settings that a chart leaves to its values, with what they are called there. */
const VALUES = [
  'runtimeImage',
  'repository',
  'branch',
  'registry',
  'prebuilt',
  'schedule',
  'storageClass',
  'baseImagesSize',
  'registrySize',
  'workspaceName',
  'workspaceSize',
  'serviceAccount',
  'caConfigMap',
] as const satisfies readonly (keyof ManifestSettings)[];

/** Stands for a value while the objects are made; nothing that a user writes has these characters. */
const mark = (name: string): string => `\u{e000}${name}\u{e001}`;
const MARKS = /\u{e000}(\w+)\u{e001}/gu;

/** A base of kustomize: a file for each object, and what lists them. */
export function kustomizeFiles(objects: readonly Manifest[]): Files {
  const files = new Map(objects.map((object) => [fileName(object), manifestYaml(object)]));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...files.keys()],
  };
  return new Map([['kustomization.yaml', stringify(kustomization)], ...files]);
}

/**
 * A chart of Helm of the same objects: names begin with that of the release, the namespace is the release's, and the
 * settings above are values, with what they are now as their defaults.
 * @param version of the chart, and of the program in it
 */
export function chartFiles(parts: readonly PartName[], settings: ManifestSettings, version: string): Files {
  const values: Record<string, string> = {};
  const marked: Record<string, string> = { name: mark('release'), namespace: mark('namespace') };
  for (const name of VALUES) {
    const value = settings[name];
    // Services are those of one repository, and mount its folder.
    if (value === undefined || (name === 'repository' && settings.services !== undefined)) continue;
    values[name] = value;
    marked[name] = mark(name);
  }
  const chart = {
    apiVersion: 'v2',
    name: 'envbuilder',
    description: 'Workspaces that build their own environment, with a registry and base images for them',
    type: 'application',
    version,
    appVersion: version,
  };
  const templates = manifests(parts, { ...settings, ...marked }).map((object): [string, string] => [
    `templates/${fileName(object).replaceAll(MARKS, '$1')}`,
    template(manifestYaml(object)),
  ]);
  const used = Object.entries(values).filter(([name]) =>
    templates.some(([, text]) => text.includes(reference(name))),
  );
  return new Map([
    ['Chart.yaml', stringify(chart)],
    ['values.yaml', stringify(Object.fromEntries(used), { lineWidth: 0 })],
    ...templates,
  ]);
}

function fileName({ kind, metadata }: Manifest): string {
  return `${kind?.toLowerCase()}-${metadata?.name}.yaml`;
}

/** Every scalar with a mark becomes an expression that gives it, quoted; what looks like one and is none is kept. */
function template(yaml: string): string {
  return yaml
    .split('\n')
    .map((line) => {
      const [, head = '', scalar = ''] = /^(\s*(?:- )*(?:[\w./-]+: )?)(.*)$/.exec(line) ?? [];
      if (!scalar.match(MARKS)) return line.replaceAll('{{', '{{ "{{" }}');
      return `${head}${expression(String(parse(scalar)))}`;
    })
    .join('\n');
}

function expression(text: string): string {
  const names = [...text.matchAll(MARKS)].map(([, name = '']) => reference(name));
  const format = text.replaceAll('%', '%%').replaceAll(MARKS, '%v');
  return format === '%v'
    ? `{{ ${names[0]} | quote }}`
    : `{{ printf ${JSON.stringify(format)} ${names.join(' ')} | quote }}`;
}

function reference(name: string): string {
  if (name === 'release') return '.Release.Name';
  return name === 'namespace' ? '.Release.Namespace' : `.Values.${name}`;
}
