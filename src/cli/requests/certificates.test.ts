import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rootCertificates } from 'node:tls';
import type { Environment } from '../../core/environment.ts';
import { scratchDir } from '../../core/testing.ts';
import { parseOptions } from '../options/parse.ts';
import { trustedCertificates } from './certificates.ts';

const dir = scratchDir('certificates');
const at = (name: string): string => join(dir, name);
const [one, two, three, four, five] = rootCertificates.slice(0, 5) as [
  string,
  string,
  string,
  string,
  string,
];
writeFileSync(at('file.pem'), `# a comment\n${one}\n${two}\n`);
for (const name of ['own', 'usual']) mkdirSync(at(name));
writeFileSync(at('own/a.crt'), three);
writeFileSync(at('own/0123abcd.0'), three);
writeFileSync(at('own/README'), 'no certificate');
writeFileSync(at('own/broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
mkdirSync(at('own/directory'));
writeFileSync(at('usual/b.pem'), four);

const trusted = (env: Environment) => trustedCertificates(parseOptions('start', [], env).options, env);

test('every source is trusted, and each certificate once', () => {
  const found = trusted({
    ENVBUILDER_SSL_CERT_BASE64: Buffer.from(five).toString('base64'),
    ENVBUILDER_SSL_CERT_FILE: at('file.pem'),
    ENVBUILDER_SSL_CERT_DIR: `${at('own')}:${at('usual')}`,
    SSL_CERT_FILE: at('usual/b.pem'),
    SSL_CERT_DIR: `/no/such:${at('own')}`,
  });
  assert.equal(found, [five, one, two, three, four].join('\n'));
  assert.equal(trusted({}), undefined);
});

test('what OpenSSL’s variables name need not be there; what ours name does', () => {
  assert.equal(trusted({ SSL_CERT_FILE: '/no/such', SSL_CERT_DIR: `/no/such:${at('file.pem')}` }), undefined);
  assert.equal(trusted({ SSL_CERT_FILE: at('own/README') }), undefined);
  for (const [variable, path] of [
    ['ENVBUILDER_SSL_CERT_FILE', '/no/such'],
    ['ENVBUILDER_SSL_CERT_FILE', at('own/broken.pem')],
    ['ENVBUILDER_SSL_CERT_DIR', at('file.pem')],
    ['ENVBUILDER_SSL_CERT_DIR', at('own/directory')],
  ] as const)
    assert.throws(() => trusted({ [variable]: path }), {
      code: 'USAGE',
      message: new RegExp(`${path}, which ${variable} names`),
    });
});
