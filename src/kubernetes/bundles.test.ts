import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { chartFiles, type Files, kustomizeFiles } from './bundles.ts';
import { manifests, PART_NAMES, type PartName, USUAL_PARTS } from './manifests.ts';
import { ALL_SETTINGS, SETTINGS } from './testing.ts';
import type { Manifest, ManifestSettings } from './types.ts';

const PARTS: readonly PartName[] = [...USUAL_PARTS, 'secrets', 'base-images-read', 'registry-gc'];
const plain = (objects: readonly Manifest[]): unknown[] => JSON.parse(JSON.stringify(objects)) as unknown[];

/** What Helm makes of the expressions that we write: `quote`, `printf`, values, the release. */
function render(text: string, lookup: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{ (.*?) \}\}/g, (_, expression: string) => {
    if (expression === '"{{"') return '{{';
    const [, format, names = '', ...none] =
      /^(?:printf ("(?:[^"\\]|\\.)*") )?((?:\.[\w.]+ ?)+) ?\| quote$/.exec(expression) ?? [];
    assert.deepEqual(none, []);
    const values = names
      .trim()
      .split(' ')
      .map((name) => lookup[name] ?? assert.fail(`${name} in ${expression}`));
    const shape = format === undefined ? '%v' : (JSON.parse(format) as string);
    return JSON.stringify(shape.replace(/%[%v]/g, (verb) => (verb === '%%' ? '%' : values.shift()!)));
  });
}

function rendered(
  files: Files,
  release: { readonly name: string; readonly namespace: string },
  more: Readonly<Record<string, string>> = {},
): unknown[] {
  const values = { ...(parse(files.get('values.yaml')!) as Record<string, string>), ...more };
  const lookup = Object.fromEntries([
    ['.Release.Name', release.name],
    ['.Release.Namespace', release.namespace],
    ...Object.entries(values).map(([name, value]) => [`.Values.${name}`, value]),
  ]);
  return [...files]
    .filter(([path]) => path.startsWith('templates/'))
    .map(([, text]) => parse(render(text, lookup)) as unknown);
}

test('a chart gives the objects that are printed, for its defaults and for other values', () => {
  for (const settings of [SETTINGS, ALL_SETTINGS]) {
    const files = chartFiles(PARTS, settings, '1.2.3');
    const { name, namespace = '' } = settings;
    assert.deepEqual(rendered(files, { name, namespace }), plain(manifests(PARTS, settings)));
    const other: Partial<ManifestSettings> = {
      repository: 'https://git.example/100%: "b".git',
      runtimeImage: 'other:2',
      workspaceSize: '9Gi',
      workspaceName: '12',
    };
    const release = { name: '77', namespace: 'true' };
    assert.deepEqual(
      rendered(files, release, other as Record<string, string>),
      plain(manifests(PARTS, { ...settings, ...other, ...release })),
    );
  }
});

test('a chart says what it is, and has no names that a template made', () => {
  const files = chartFiles(PARTS, ALL_SETTINGS, '1.2.3');
  const { apiVersion, name, version, appVersion } = parse(files.get('Chart.yaml')!) as Record<string, string>;
  assert.deepEqual([apiVersion, name, version, appVersion], ['v2', 'envbuilder', '1.2.3', '1.2.3']);
  for (const [path, text] of files) {
    assert.match(path, /^[\w./-]+$/);
    assert.doesNotMatch(text, /[\u{e000}\u{e001}]/u);
  }
  // Every value is used.
  const all = [...files.values()].join('\n');
  for (const value of Object.keys(parse(files.get('values.yaml')!) as object))
    assert.match(all, new RegExp(`\\.Values\\.${value}\\b`));
});

test('a base of kustomize lists a file for each object', () => {
  const objects = manifests(PART_NAMES, ALL_SETTINGS);
  const files = kustomizeFiles(objects);
  const { resources, kind } = parse(files.get('kustomization.yaml')!) as {
    resources: string[];
    kind: string;
  };
  assert.equal(kind, 'Kustomization');
  assert.equal(resources.length, objects.length);
  assert.deepEqual(
    resources.map((path) => parse(files.get(path)!) as unknown),
    plain(objects),
  );
});
