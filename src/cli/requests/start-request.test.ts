import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Environment } from '../../core/environment.ts';
import { createRedactor } from '../../report/redact.ts';
import { parseOptions } from '../options/parse.ts';
import { inPlace, startRequest, withDefinition, workspaceBuild } from './start-request.ts';

const WORKSPACE = '/workspaces/app';

function requestOf(env: Environment, args: readonly string[] = []) {
  const parsed = parseOptions('start', args, env);
  const request = workspaceBuild(parsed, WORKSPACE, { env, cwd: '/', redactor: createRedactor() });
  return { parsed, request };
}

test('what a build in place leaves alone', () => {
  const { parsed, request } = requestOf({
    ENVBUILDER_IGNORE_PATHS: '/data,relative',
    ENVBUILDER_LAYER_CACHE_DIR: '/cache',
    ENVBUILDER_BASE_IMAGE_CACHE_DIR: '/bases',
    ENVBUILDER_OVERRIDE_CONFIG: '/own.json',
    ENVBUILDER_SECRETS_FILE: '/secrets.json',
  });
  const defined = withDefinition(request, {
    build: {
      context: '/elsewhere',
      dockerfile: '/elsewhere/Dockerfile',
      contexts: new Map([['more', { type: 'dir', path: '/more' }]]),
    },
  });
  const whole = inPlace(defined, WORKSPACE, parsed);
  assert.deepEqual(whole.outputs, [{ type: 'inplace' }]);
  assert.ok(whole.backend?.kind === 'inplace');
  assert.deepEqual(
    [...whole.backend.keep].sort(),
    [
      '/bases',
      '/cache',
      '/data',
      '/elsewhere',
      '/elsewhere/Dockerfile',
      '/etc/resolv.conf',
      '/more',
      '/own.json',
      '/relative',
      '/secrets.json',
      WORKSPACE,
    ].sort(),
  );
  assert.deepEqual([whole.workDir, whole.stateDir], ['/.envbuilder/work', '/.envbuilder/state']);
});

test('values on the command line win over those of the definition', () => {
  const { request } = requestOf({}, ['--build-arg=A=flag']);
  const { buildArgs, labels, target } = withDefinition(request, {
    build: {
      context: '/c',
      dockerfile: '/c/Dockerfile',
      target: 'stage',
      buildArgs: new Map([
        ['A', 'file'],
        ['B', 'file'],
      ]),
      labels: new Map([['l', 'file']]),
    },
  });
  assert.deepEqual(Object.fromEntries(buildArgs), { A: 'flag', B: 'file' });
  assert.deepEqual(Object.fromEntries(labels), { l: 'file' });
  assert.equal(target, 'stage');
});

test('the target of the options is the definition’s business, so that a fallback image has none', () => {
  assert.equal(requestOf({ ENVBUILDER_TARGET: 'x' }).request.target, undefined);
});

test('a push needs a place', () => {
  assert.throws(() => requestOf({ ENVBUILDER_PUSH_IMAGE: '1' }), { code: 'USAGE' });
  assert.equal(requestOf({ ENVBUILDER_PUSH_IMAGE: '1', ENVBUILDER_CACHE_REPO: 'h/r' }).request.push, true);
});

test('a start that pushes is reproducible unless it is told not to be, and no other one is unless it is told to', () => {
  const of = (env: Environment) => requestOf({ ENVBUILDER_CACHE_REPO: 'h/r', ...env }).request.reproducible;
  assert.equal(of({}), false);
  assert.equal(of({ ENVBUILDER_PUSH_IMAGE: '1' }), true);
  assert.equal(of({ ENVBUILDER_PUSH_IMAGE: '1', ENVBUILDER_REPRODUCIBLE: 'false' }), false);
  assert.equal(of({ ENVBUILDER_REPRODUCIBLE: 'true' }), true);
});

test('what a start is asked for', () => {
  const of = (env: Environment, terminal = false) =>
    startRequest(
      parseOptions('start', [], env),
      { env, stdout: { write: () => {}, isTTY: true }, stdinIsTerminal: terminal },
      WORKSPACE,
    );
  const plain = of({ PATH: '/bin', ENVBUILDER_GIT_PASSWORD: 'x' });
  assert.deepEqual(plain.env, { PATH: '/bin' });
  assert.deepEqual([plain.initCommand, plain.initArgs], ['/bin/sh', ['-c', 'sleep infinity']]);
  assert.equal(plain.fallbackImage, undefined);
  assert.deepEqual([plain.terminal, of({}, true).terminal], [false, true]);
  const args = of({ ENVBUILDER_INIT_ARGS: `-x 'a b'`, ENVBUILDER_INIT_SCRIPT: 'unused' });
  assert.deepEqual(args.initArgs, ['-x', 'a b']);
  assert.throws(() => of({ ENVBUILDER_INIT_ARGS: `'` }), { code: 'USAGE' });
});
