import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import bcrypt from 'bcryptjs';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { startRegistry } from '../scripts/lib/registry-server.ts';
import { run } from '../scripts/lib/shell.ts';
import { digestOf } from '../src/core/digest.ts';
import { createCredentials } from '../src/oci/docker-config.ts';
import { type ClientOptions, createRegistryClient } from '../src/oci/http/client.ts';
import { createRemoteStore } from '../src/oci/remote-store.ts';
import { collect } from '../src/oci/testing/fake-registry.ts';
import { putImage } from '../src/oci/testing/images.ts';
import type { Store } from '../src/oci/types.ts';
import { startAuthProxy } from './support/auth-proxy.ts';
import { envbuilder } from './support/envbuilder.ts';
import { startTokenServer } from './support/token-server.ts';

const LOGIN = { user: 'ann', password: 'pass:word' };

let dir: string;
before(() => {
  dir = temporaryDir('auth');
  mkdirSync(join(dir, 'tls'));
  writeFileSync(join(dir, 'htpasswd'), `${LOGIN.user}:${bcrypt.hashSync(LOGIN.password, 5)}\n`);
});
after(() => rmSync(dir, { recursive: true, force: true }));

const htpasswd = () => ({ htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } });

/** A client with what a Docker config says, for as long as `work` runs. */
async function withStore<T>(
  host: string,
  config: object,
  work: (store: Store) => Promise<T>,
  options: ClientOptions = {},
): Promise<T> {
  const credentials = createCredentials({
    configJson: JSON.stringify(config),
    configPaths: [],
    env: { PATH: `${join(dir, 'bin')}${delimiter}${process.env.PATH}` },
  });
  const client = createRegistryClient({ credentials, ...options });
  try {
    return await work(createRemoteStore({ client, registry: host, repository: 'team/app' }));
  } finally {
    await client.close();
  }
}

const auth = ({ user, password } = LOGIN) => ({
  auth: Buffer.from(`${user}:${password}`).toString('base64'),
});

/** Pushes an image and pulls its manifest. */
async function roundTrip(store: Store): Promise<void> {
  const image = await putImage(store, 'v1');
  assert.equal((await store.resolve('v1'))?.descriptor.digest, image.digest);
}

test('a password in a config, or from a helper, opens a registry with htpasswd', async (t) => {
  const { registry, stop } = await startRegistry(dir, join(dir, 'basic'), { auth: htpasswd() });
  t.after(stop);
  const { host } = registry;
  await withStore(host, { auths: { [host]: auth() } }, roundTrip);
  await assert.rejects(withStore(host, {}, roundTrip), { code: 'AUTH' });
  const wrong = { auths: { [host]: auth({ user: 'ann', password: 'wrong' }) } };
  await assert.rejects(withStore(host, wrong, roundTrip), { code: 'AUTH' });
  mkdirSync(join(dir, 'bin'), { recursive: true });
  const answer = JSON.stringify({ ServerURL: host, Username: LOGIN.user, Secret: LOGIN.password });
  const script = `#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${host}" ] && echo '${answer}'\n`;
  writeFileSync(join(dir, 'bin/docker-credential-test'), script, { mode: 0o755 });
  await withStore(host, { credHelpers: { [host]: 'test' } }, roundTrip);
  await withStore(host, { credsStore: 'test' }, roundTrip);
});

test('tokens are asked for, and anew in the middle of a push', async (t) => {
  const tokens = await startTokenServer(dir, 2, LOGIN);
  t.after(tokens.stop);
  const { registry, stop } = await startRegistry(dir, join(dir, 'token'), { auth: tokens.settings });
  t.after(stop);
  const { host } = registry;
  await withStore(host, { auths: { [host]: auth() } }, async (store) => {
    await roundTrip(store);
    const before = tokens.given();
    const parts = Array.from({ length: 7 }, () => randomBytes(100_000));
    async function* slowly() {
      for (const part of parts) {
        // Wait: tokens of the server are good for seconds.
        await sleep(600);
        yield part;
      }
    }
    const content = Buffer.concat(parts);
    const source = { digest: digestOf(content), size: content.length, open: () => Readable.from(slowly()) };
    await store.put(source);
    await roundTrip(store);
    assert.ok((await collect(await store.get(source.digest))).equals(content));
    assert.ok(tokens.given() > before, 'the first token did not outlive the blob');
  });
  const wrong = { auths: { [host]: auth({ user: 'eve', password: 'x' }) } };
  await assert.rejects(withStore(host, wrong, roundTrip), { code: 'AUTH' });
});

test('mutual TLS with a private authority, and a password, by the command line', async (t) => {
  const file = (name: string) => join(dir, 'tls', name);
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await run('openssl', [
    'req',
    '-x509',
    ...ec,
    '-subj',
    '/CN=ca',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
  ]);
  for (const name of ['server', 'client']) {
    const ext = ['-addext', 'subjectAltName=IP:127.0.0.1'];
    const issuer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key')];
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.cert`)];
    await run('openssl', ['req', '-x509', ...ec, '-subj', `/CN=${name}`, ...ext, ...issuer, ...out]);
  }
  const tls = { certificate: file('server.cert'), key: file('server.key'), clientcas: [file('ca.crt')] };
  const { registry, stop } = await startRegistry(dir, join(dir, 'mtls'), { auth: htpasswd(), tls });
  t.after(stop);
  const { host } = registry;
  const certs = join(dir, 'certs.d', host);
  mkdirSync(certs, { recursive: true });
  for (const name of ['ca.crt', 'client.cert', 'client.key']) await run('cp', [file(name), certs]);
  const context = join(dir, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /here\n');
  const config = Buffer.from(JSON.stringify({ auths: { [host]: auth() } })).toString('base64');
  const options = ['--cache-repo', `${host}/team/cache`, '--registry-certs-dir', join(dir, 'certs.d')];
  const env = { ENVBUILDER_DOCKER_CONFIG_BASE64: config };
  const built = await envbuilder(['build', ...options, '--push', '--exit-on-push-failure', context], { env });
  assert.equal(built.code, 0, built.output);
  const probed = await envbuilder(['probe', ...options, context], { env });
  assert.match(probed.stdout, new RegExp(`^ENVBUILDER_CACHED_IMAGE=${host}/team/cache@sha256:`, 'm'));
  const without = await envbuilder(['probe', ...options.slice(0, 2), context], { env });
  assert.notEqual(without.code, 0, 'without the certificates nothing is reached');
});

test('a registry with a password behind a proxy with another one', async (t) => {
  const { registry, stop } = await startRegistry(dir, join(dir, 'behind'), { auth: htpasswd() });
  t.after(stop);
  const proxy = await startAuthProxy({
    target: registry.host,
    forward: true,
    user: 'proxy',
    password: 'door',
  });
  t.after(proxy.stop);
  const host = 'registry.test:5000';
  const settings = { proxy: { http: `http://proxy:door@${proxy.host}` }, insecureHosts: [host] };
  await withStore(host, { auths: { [host]: auth() } }, roundTrip, settings);
  assert.ok(proxy.passed() > 3);
});
