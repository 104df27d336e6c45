import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Environment } from '../../core/environment.ts';
import { createRedactor } from '../../report/redact.ts';
import { parseOptions } from '../options/parse.ts';
import { hasCache, optionWarnings } from './build-request.ts';
import { trustSettings } from './cache-trust.ts';

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'cache-trust-'));
});
after(() => rmSync(dir, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const pair = () =>
  generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

function settings(args: readonly string[], env: Environment = {}) {
  const redactor = createRedactor();
  const { options } = parseOptions('build', args, env);
  return { trust: trustSettings(options, { cwd: dir, redactor }), redactor };
}

test('no option means that every record counts', () => assert.equal(settings([]).trust, undefined));

test('keys come from files, directories and variables', () => {
  const [mine, a, b, c] = [pair(), pair(), pair(), pair()];
  mkdirSync(join(dir, 'keys'));
  writeFileSync(join(dir, 'mine.key'), mine.privateKey);
  writeFileSync(join(dir, 'one'), a.publicKey);
  writeFileSync(join(dir, 'keys/b.pub'), b.publicKey);
  writeFileSync(join(dir, 'keys/c.pem'), c.publicKey);
  writeFileSync(join(dir, 'keys/README'), 'no key');

  const byFlag = settings(['--cache-sign-key-path=mine.key', '--cache-trusted-keys=one,keys']);
  const byVariable = settings([], {
    ENVBUILDER_CACHE_SIGN_KEY_BASE64: base64(mine.privateKey),
    ENVBUILDER_CACHE_TRUSTED_KEYS: join(dir, 'one'),
    ENVBUILDER_CACHE_TRUSTED_KEYS_BASE64: base64(b.publicKey + c.publicKey),
  });
  for (const { trust, redactor } of [byFlag, byVariable]) {
    const ids = trust!.trustedKeys.map(({ id }) => id);
    assert.equal(new Set(ids).size, 3);
    assert.ok(trust!.signingKey && !ids.includes(trust!.signingKey.id));
    const [, body = ''] = mine.privateKey.split('\n');
    assert.equal(redactor.text(`key ${body}`), 'key ***');
    assert.ok(!JSON.stringify(trust).includes(body));
  }
  assert.deepEqual(
    byFlag.trust!.trustedKeys.map(({ id }) => id),
    byVariable.trust!.trustedKeys.map(({ id }) => id),
  );
  assert.equal(byFlag.trust!.signingKey!.id, byVariable.trust!.signingKey!.id);
});

test('what cannot be read is an error that names the file or the variable', () => {
  mkdirSync(join(dir, 'empty'));
  writeFileSync(join(dir, 'empty/README'), 'no key');
  writeFileSync(join(dir, 'text'), 'no key');
  const { privateKey } = pair();
  const wrong: readonly (readonly [string[], Environment, RegExp])[] = [
    [['--cache-sign-key-path=gone'], {}, new RegExp(`cannot read the key ${dir}/gone: `)],
    [['--cache-sign-key-path=text'], {}, new RegExp(`^${dir}/text holds no private key$`)],
    [['--cache-trusted-keys=gone'], {}, new RegExp(`cannot read the key ${dir}/gone: `)],
    [['--cache-trusted-keys=text'], {}, new RegExp(`^${dir}/text holds no public key`)],
    [['--cache-trusted-keys=empty'], {}, new RegExp(`no trusted key in ${dir}/empty$`)],
    [[], { ENVBUILDER_CACHE_SIGN_KEY_BASE64: '!' }, /^ENVBUILDER_CACHE_SIGN_KEY_BASE64 is not base64$/],
    [[], { ENVBUILDER_CACHE_TRUSTED_KEYS_BASE64: base64(privateKey) }, /_BASE64 holds a private key/],
    [['--cache-sign-key-path=a', '--cache-sign-key-base64=b'], {}, /two keys/],
  ];
  for (const [args, env, message] of wrong)
    assert.throws(() => settings(args, env), { code: 'USAGE', message });
});

test('a cache that this build would store unsigned records in, and then refuse, is a warning', () => {
  const warned = (command: 'build' | 'probe', ...args: string[]): boolean =>
    optionWarnings(parseOptions(command, args, {})).some((text) => /not signed/.test(text));
  assert.ok(warned('build', '--cache-repo=r/a', '--cache-trusted-keys=k'));
  assert.ok(!warned('build', '--cache-repo=r/a', '--cache-trusted-keys=k', '--cache-sign-key-path=s'));
  assert.ok(!warned('build', '--cache-trusted-repos=r/a', '--cache-trusted-keys=k'));
  assert.ok(!warned('build', '--cache-repo=r/a', '--cache-sign-key-path=s'));
  assert.ok(!warned('probe', '--cache-repo=r/a', '--cache-trusted-keys=k'));
});

test('a repository that is only read is a cache too', () => {
  const has = (...args: string[]): boolean => hasCache(parseOptions('build', args, {}).options, dir);
  assert.deepEqual([has(), has('--cache-trusted-repos=r/a'), has('--cache-repo=r/a')], [false, true, true]);
});
