import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../core/error.ts';
import { parseOptions } from '../options/parse.ts';
import { manifestSettings } from './manifest-settings.ts';

const settingsOf = (...args: string[]) =>
  manifestSettings(parseOptions('k8s', args, {}).options, (text) =>
    text === 'bad' ? 'it is bad' : undefined,
  );

test('options become settings', () => {
  const settings = settingsOf(
    '--name=fleet',
    '--branch=feature/x',
    '--toleration=builds=true:NoSchedule,other,*',
    '--affinity={"podAntiAffinity":{}}',
    '--requests=cpu=2,example.com/gpu=1',
    '--extra-annotation=owner=a, b',
    '--registry-mirror=mirror.corp',
  );
  assert.equal(settings.name, 'fleet');
  assert.equal(settings.branch, 'feature/x');
  assert.deepEqual(settings.tolerations, [
    { key: 'builds', operator: 'Equal', value: 'true', effect: 'NoSchedule' },
    { key: 'other', operator: 'Exists' },
    { operator: 'Exists' },
  ]);
  assert.deepEqual(settings.affinity, { podAntiAffinity: {} });
  assert.deepEqual(
    [...settings.requests],
    [
      ['cpu', '2'],
      ['example.com/gpu', '1'],
    ],
  );
  assert.deepEqual([...settings.annotations], [['owner', 'a, b']]);
  assert.deepEqual(settings.mirrors, ['mirror.corp']);
  assert.equal(settings.signed, true);
  assert.ok(!('commit' in settings) && !('namespace' in settings));
});

test('what the API would refuse is refused before, with the name of the option', () => {
  const cases = [
    '--namespace=No',
    '--name=9lives',
    `--name=${'n'.repeat(25)}`,
    '--workspace-name=a_b',
    '--schedule=bad',
    '--prebuild-schedule=bad',
    '--registry-size=100m',
    '--workspace-size=1 Gi',
    '--requests=cpu=much',
    '--limits=a b=1',
    '--node-selector=a=b c',
    '--extra-label=-x=1',
    '--extra-label=x=-1',
    '--extra-annotation=a b=1',
    '--toleration=a:Never',
    '--toleration==b',
    '--affinity={',
    '--affinity=[]',
    '--affinity={"nodes":{}}',
    '--service-account=A',
    '--image-pull-secret=A_b',
    '--ca-config-map=A/b',
    '--architecture=AMD64',
    '--commit=abc',
    '--branch=a b',
    '--branch=a..b',
    '--branch=a#b',
    '--prebuilt=registry.corp/app:1',
    '--registry=team-a',
    '--registry=team-a/x',
  ];
  for (const text of cases)
    assert.throws(
      () => settingsOf(text),
      (error) =>
        error instanceof AppError &&
        error.code === 'USAGE' &&
        error.hint !== undefined &&
        error.message.includes(text.slice(0, text.indexOf('='))),
      text,
    );
  assert.throws(() => settingsOf('--repository=https://git.example/a#main', '--branch=x'), { code: 'USAGE' });
  assert.throws(() => settingsOf('--image=A B'), { code: 'REFERENCE' });
});
