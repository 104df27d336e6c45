import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'jsonc-parser';
import { AppError } from '../core/error.ts';
import { scratchDir } from '../core/testing.ts';
import type { SpawnHelper } from './credential-helper.ts';
import { createCredentials, hostOf } from './docker-config.ts';
import { removeLogin, storeLogin } from './docker-login.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const LOGIN = { username: 'me', password: 'pass:word é' };
const AUTH = base64('me:pass:word é');

/** A config file with a text, or none. */
function configOf(text?: string): string {
  const file = join(scratchDir('docker-login'), 'config.json');
  if (text !== undefined) fs.writeFileSync(file, text);
  return file;
}

const read = (file: string): string => fs.readFileSync(file, 'utf8');

const TEXTS: Readonly<Record<string, readonly [string | undefined, string]>> = {
  'no file': [
    undefined,
    `{\n\t"auths": {\n\t\t"r.example:5000": {\n\t\t\t"auth": "${AUTH}"\n\t\t}\n\t}\n}\n`,
  ],
  'an empty file': ['', `{\n\t"auths": {\n\t\t"r.example:5000": {\n\t\t\t"auth": "${AUTH}"\n\t\t}\n\t}\n}\n`],
  'other keys, order, numbers and comments': [
    '{\n  // mine\n  "z": 1e3,\n  "auths": {\n    "a.example": { "auth": "eA==" }\n  },\n  "proxies": {"default": {}},\n}\n',
    `{\n  // mine\n  "z": 1e3,\n  "auths": {\n    "a.example": {\n      "auth": "eA=="\n    },\n    "r.example:5000": {\n      "auth": "${AUTH}"\n    }\n  },\n  "proxies": {"default": {}},\n}\n`,
  ],
  'an older login': [
    '{\n\t"auths": {\n\t\t"r.example:5000": {\n\t\t\t"identitytoken": "old"\n\t\t}\n\t}\n}',
    `{\n\t"auths": {\n\t\t"r.example:5000": {\n\t\t\t"auth": "${AUTH}"\n\t\t}\n\t}\n}`,
  ],
};

for (const [name, [before, after]] of Object.entries(TEXTS))
  test(`a login is written into a config and leaves the rest of it: ${name}`, async () => {
    const file = configOf(before);
    assert.equal(await storeLogin('r.example:5000', LOGIN, { file, env: {} }), undefined);
    assert.equal(read(file), after);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(fs.readdirSync(join(file, '..')), ['config.json']);
  });

test('what is stored is what is read then, under each spelling and whatever stood there before', async () => {
  const spellings: Readonly<Record<string, readonly string[]>> = {
    'docker.io': [
      'docker.io',
      'https://index.docker.io/v1/',
      'index.docker.io',
      'https://registry-1.docker.io/v2/',
    ],
    'r.example:5000': [
      'r.example:5000',
      'https://r.example:5000',
      'http://R.example:5000/v2/',
      'R.EXAMPLE:5000',
    ],
  };
  for (const [registry, names] of Object.entries(spellings))
    for (const typed of names)
      for (const before of names) {
        const file = configOf(
          JSON.stringify({ auths: { [before]: { auth: base64('old:old') }, other: { auth: 'eDp5' } } }),
        );
        const find = async () => (await createCredentials({ configPaths: [file], env: {} })(registry)) ?? {};
        const where = `${typed} over ${before}`;
        await storeLogin(hostOf(typed), LOGIN, { file, env: {} });
        assert.deepEqual({ ...(await find()) }, { ...LOGIN, from: file }, where);
        assert.equal(await removeLogin(hostOf(typed), { file, env: {} }), true, where);
        assert.deepEqual(await find(), {}, where);
        assert.deepEqual(parse(read(file)), { auths: { other: { auth: 'eDp5' } } }, where);
        assert.equal(await removeLogin(hostOf(typed), { file, env: {} }), false, where);
      }
});

test('the helper that the config names keeps a login and forgets it, and the file has no password', async () => {
  const asked: string[] = [];
  const spawnHelper: SpawnHelper = async (program, input, _env, action) => {
    asked.push(`${program} ${action} ${input}`);
    return action === 'erase' && input === 's.example'
      ? { exitCode: 1, stdout: 'credentials not found in native keychain\n' }
      : { exitCode: 0, stdout: '' };
  };
  const file = configOf(
    JSON.stringify({
      credHelpers: { 'r.example': 'one' },
      credsStore: 'all',
      auths: { 'r.example': { auth: base64('o:o') } },
    }),
  );
  const place = { file, env: {}, spawnHelper };
  assert.equal(await storeLogin('r.example', LOGIN, place), 'one');
  assert.equal(await storeLogin('docker.io', LOGIN, place), 'all');
  assert.equal(await removeLogin('s.example', place), true);
  assert.deepEqual(asked, [
    `docker-credential-one store {"ServerURL":"r.example","Username":"me","Secret":"${LOGIN.password}"}`,
    `docker-credential-all store {"ServerURL":"https://index.docker.io/v1/","Username":"me","Secret":"${LOGIN.password}"}`,
    'docker-credential-all erase s.example',
  ]);
  assert.deepEqual(parse(read(file)).auths, { 'r.example': {}, 'https://index.docker.io/v1/': {} });
});

test('a helper that fails or is not there is an error, and no password is written or told instead', async () => {
  const runs: Readonly<Record<string, SpawnHelper>> = {
    fails: async () => ({ exitCode: 1, stdout: LOGIN.password }),
    'is not there': () => Promise.reject(Object.assign(new Error('spawn ENOENT'), { code: 'ENOENT' })),
  };
  const text = '{"credsStore":"all"}';
  for (const [name, spawnHelper] of Object.entries(runs)) {
    const file = configOf(text);
    await assert.rejects(
      storeLogin('r.example', LOGIN, { file, env: {}, spawnHelper }),
      (error) =>
        error instanceof AppError && error.code === 'AUTH' && !JSON.stringify(error).includes('pass'),
      name,
    );
    assert.equal(read(file), text);
  }
  const file = configOf('{"credsStore":"../x"}');
  await assert.rejects(storeLogin('r.example', LOGIN, { file, env: {} }), {
    code: 'AUTH',
    message: /malformed/,
  });
});

test('a config that is none is left alone', async () => {
  for (const text of ['[]', '{"auths": []}', '{"auths": null, "credHelpers": 1}', '{"auths"', 'x']) {
    const file = configOf(text);
    await assert.rejects(storeLogin('r.example', LOGIN, { file, env: {} }), { code: 'AUTH' }, text);
    await assert.rejects(removeLogin('r.example', { file, env: {} }), { code: 'AUTH' }, text);
    assert.equal(read(file), text);
  }
});

test('links to a config stay, and a directory for it is made for its owner alone', async () => {
  const target = configOf('{}');
  fs.chmodSync(target, 0o644);
  const home = scratchDir('docker-login-home');
  const link = join(home, 'config.json');
  fs.symlinkSync(target, link);
  await storeLogin('r.example', LOGIN, { file: link, env: {} });
  assert.equal(fs.readlinkSync(link), target);
  assert.equal(parse(read(target)).auths['r.example'].auth, AUTH);
  assert.equal(fs.statSync(target).mode & 0o777, 0o600);
  const file = join(home, '.docker/config.json');
  await storeLogin('r.example', LOGIN, { file, env: {} });
  assert.equal(fs.statSync(join(home, '.docker')).mode & 0o777, 0o700);
  await assert.rejects(storeLogin('r.example', LOGIN, { file: join(file, 'x/config.json'), env: {} }), {
    code: /AUTH|OUTPUT/,
  });
});
