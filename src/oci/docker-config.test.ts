import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { tempDir } from '../core/testing.ts';
import type { SpawnHelper } from './credential-helper.ts';
import { createCredentials } from './docker-config.ts';
import type { CredentialSource } from './http/types.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const of = (config: unknown, extra: { spawnHelper?: SpawnHelper; emit?: (event: Event) => void } = {}) =>
  bare(createCredentials({ configJson: JSON.stringify(config), configPaths: [], env: {}, ...extra }));

/** Without where a credential comes from. */
const bare =
  (source: CredentialSource) =>
  async (registry: string): Promise<object | undefined> => {
    const found = await source(registry);
    if (found === undefined) return undefined;
    const { from, ...credential } = found;
    assert.ok(from);
    return credential;
  };

test('auths, in all the spellings of a registry', async () => {
  const source = of({
    auths: {
      'https://index.docker.io/v1/': { auth: base64('hub:a:b') },
      'r.example': { username: 'u', password: 'p' },
      'https://S.example:5000/v2/': { auth: base64('s:t') },
      't.example': { identitytoken: 'it', auth: base64('<token>:') },
      'u.example': { registrytoken: 'rt' },
      'v.example': {},
    },
  });
  assert.deepEqual(await source('docker.io'), { username: 'hub', password: 'a:b' });
  assert.deepEqual(await source('r.example'), { username: 'u', password: 'p' });
  assert.deepEqual(await source('s.example:5000'), { username: 's', password: 't' });
  assert.deepEqual(await source('t.example'), { identityToken: 'it' });
  assert.deepEqual(await source('u.example'), { registryToken: 'rt' });
  assert.equal(await source('v.example'), undefined);
  assert.equal(await source('s.example'), undefined);
});

test('helpers: the one for the registry, else the common one, else auths', async () => {
  const asked: string[] = [];
  const spawnHelper: SpawnHelper = async (program, input) => {
    asked.push(`${program} ${input}`);
    if (input === 'r.example')
      return { exitCode: 0, stdout: '{"ServerURL":"x","Username":"u","Secret":"p"}' };
    if (input.includes('docker.io')) return { exitCode: 0, stdout: '{"Username":"<token>","Secret":"t"}' };
    return { exitCode: 1, stdout: 'credentials not found in native keychain\n' };
  };
  const config = {
    credHelpers: { 'r.example': 'one' },
    credsStore: 'all',
    auths: { 's.example': { auth: base64('s:t') } },
  };
  const source = of(config, { spawnHelper });
  assert.deepEqual(await source('r.example'), { username: 'u', password: 'p' });
  assert.deepEqual(await source('docker.io'), { identityToken: 't' });
  assert.deepEqual(await source('s.example'), { username: 's', password: 't' });
  assert.deepEqual(asked, [
    'docker-credential-one r.example',
    'docker-credential-all https://index.docker.io/v1/',
    'docker-credential-all s.example',
  ]);
});

test('a helper that is not installed is a warning', async () => {
  const events: Event[] = [];
  const source = of({ credsStore: 'not-installed-here' }, { emit: (event) => events.push(event) });
  assert.equal(await source('r.example'), undefined);
  assert.match(events[0]?.type === 'warning' ? events[0].text : '', /docker-credential-not-installed-here/);
});

test('a helper is really run', async (t) => {
  const dir = tempDir(t);
  const script =
    '#!/bin/sh\nread server\necho "{\\"Username\\":\\"$1 $server\\",\\"Secret\\":\\"$SECRET\\"}"\n';
  fs.writeFileSync(join(dir, 'docker-credential-test'), script, { mode: 0o755 });
  const env = { PATH: `${dir}:/usr/bin:/bin`, SECRET: 'p' };
  const source = createCredentials({ configJson: '{"credsStore":"test"}', configPaths: [], env });
  assert.deepEqual(await source('r.example'), {
    username: 'get r.example',
    password: 'p',
    from: 'docker-credential-test, which the Docker config that was given names',
  });
});

test('the first file that exists is used, comments are allowed, a directory stands for its config.json', async (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(
    join(dir, 'config.json'),
    '{ // mine\n "auths": {"r.example": {"username": "u", "password": "p"},}, }',
  );
  const source = createCredentials({ configPaths: [join(dir, 'none/config.json'), dir], env: {} });
  const from = join(dir, 'config.json');
  assert.deepEqual(await source('r.example'), { username: 'u', password: 'p', from });
  assert.equal(
    await createCredentials({ configPaths: [join(dir, 'none')], env: {} })('r.example'),
    undefined,
  );
});

test('a malformed config is an error that does not show it', async () => {
  const source = createCredentials({ configJson: '{"auths": secret', configPaths: [], env: {} });
  await assert.rejects(source('r.example'), (error) => {
    assert.ok(error instanceof AppError && error.code === 'AUTH');
    assert.ok(!error.message.includes('secret'));
    return true;
  });
});
