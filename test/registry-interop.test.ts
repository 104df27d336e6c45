import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { goProgram, noGo } from '../scripts/lib/go-program.ts';
import { startRegistry } from '../scripts/lib/registry-server.ts';
import { run } from '../scripts/lib/shell.ts';
import { envbuilder } from './support/envbuilder.ts';
import { type Environment, missingService, openEnvironment } from './support/environment.ts';
import { type OwnRegistry, startOwnRegistry } from './support/own-registry.ts';

const CRANE = 'github.com/google/go-containerregistry/cmd/crane@v0.20.6';

let environment: Environment;
let dir: string;
let own: OwnRegistry;
before(async () => {
  environment = await openEnvironment(['registry', 'docker']);
  dir = temporaryDir('interop');
  own = await startOwnRegistry(dir, join(dir, 'storage'));
});
after(async () => {
  await own?.stop();
  rmSync(dir, { recursive: true, force: true });
  await environment.stop();
});

const base = (): string => `${environment.services.registry!.host}/busybox:1`;

async function digestAt(
  reference: string,
  flags: readonly string[] = ['--tls-verify=false'],
): Promise<string> {
  const format = '{{.Digest}}';
  return (await run('skopeo', ['inspect', ...flags, '--format', format, `docker://${reference}`])).trim();
}

test('skopeo copies to our server, between its repositories, and back', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const copy = (from: string, to: string) =>
    run('skopeo', ['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false', from, to]);
  await copy(`docker://${base()}`, `docker://${own.host}/skopeo/one:1`);
  await copy(`docker://${own.host}/skopeo/one:1`, `docker://${own.host}/skopeo/two:1`);
  await copy(`docker://${own.host}/skopeo/two:1`, `oci:${join(dir, 'layout')}:x`);
  await copy(`oci:${join(dir, 'layout')}:x`, `docker://${own.host}/skopeo/three:1`);
  const digests = await Promise.all(['one', 'two'].map((name) => digestAt(`${own.host}/skopeo/${name}:1`)));
  assert.deepEqual(digests, [await digestAt(base()), await digestAt(base())]);
  const list = await run('skopeo', ['list-tags', '--tls-verify=false', `docker://${own.host}/skopeo/one`]);
  assert.deepEqual(JSON.parse(list).Tags, ['1']);
  await run('skopeo', ['delete', '--tls-verify=false', `docker://${own.host}/skopeo/two:1`]);
  await assert.rejects(digestAt(`${own.host}/skopeo/two:1`));
});

test('docker pushes to our server and pulls from it', async (t) => {
  const missing = missingService(environment.services, ['registry', 'docker']);
  if (missing !== undefined) return t.skip(missing);
  const { command, env } = environment.services.docker!;
  const docker = (...args: string[]) => run(command, args, { env });
  const name = `${own.host}/docker/app:1`;
  // An image that nobody else on this engine has, so that it is gone with its name.
  const made = join(dir, 'made');
  mkdirSync(made);
  writeFileSync(join(made, 'Dockerfile'), 'FROM scratch\nCOPY file /\n');
  writeFileSync(join(made, 'file'), randomBytes(100_000));
  await docker('build', '--quiet', '--tag', name, made);
  await docker('push', name);
  await docker('rmi', name);
  const output = await docker('pull', name);
  assert.match(output, /Digest: sha256:/);
  await docker('rmi', name);
  const context = join(dir, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), `FROM ${name}\nCOPY Dockerfile /here\n`);
  await docker('buildx', 'build', '--push', '--tag', `${own.host}/docker/built:1`, context);
  assert.match(await digestAt(`${own.host}/docker/built:1`), /^sha256:/);
});

test('crane copies, lists, appends and deletes', { skip: noGo() }, async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const program = await goProgram(CRANE);
  const crane = async (...args: string[]) => (await run(program, ['--insecure', ...args])).trim();
  const name = `${own.host}/crane/app`;
  await crane('copy', base(), `${name}:1`);
  await crane('copy', `${name}:1`, `${own.host}/crane/copy:1`);
  await crane('tag', `${name}:1`, 'two');
  assert.deepEqual((await crane('ls', name)).split('\n'), ['1', 'two']);
  assert.ok((await crane('catalog', own.host)).includes('crane/copy'));
  assert.equal(await crane('digest', `${name}:two`), await digestAt(base()));
  writeFileSync(join(dir, 'layer'), 'content');
  await run('tar', ['-cf', join(dir, 'layer.tar'), '-C', dir, 'layer']);
  await crane(
    'append',
    '--new_layer',
    join(dir, 'layer.tar'),
    '--base',
    `${name}:1`,
    '--new_tag',
    `${name}:more`,
  );
  await crane('validate', '--remote', `${name}:more`);
  await crane('delete', `${name}@${await crane('digest', `${name}:1`)}`);
  assert.deepEqual((await crane('ls', name)).split('\n'), ['more']);
});

test('docker-registry serves our directory, and we serve its', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const copy = (from: string, to: string) =>
    run('skopeo', ['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false', from, to]);
  await copy(`docker://${base()}`, `docker://${own.host}/shared/ours:1`);
  const { registry: debian, stop } = await startRegistry(dir, join(dir, 'storage'));
  t.after(stop);
  assert.equal(await digestAt(`${debian.host}/shared/ours:1`), await digestAt(base()));
  await copy(`docker://${debian.host}/shared/ours:1`, `docker://${debian.host}/shared/theirs:1`);
  await copy(`docker://${own.host}/shared/theirs:1`, `oci:${join(dir, 'theirs')}:x`);
  const ours = await fetch(`${own.url}/v2/shared/theirs/tags/list`);
  assert.deepEqual(await ours.json(), { name: 'shared/theirs', tags: ['1'] });
  const upload = await fetch(`http://${debian.host}/v2/shared/theirs/blobs/uploads/`, { method: 'POST' });
  assert.equal(upload.status, 202, 'an unfinished upload of theirs');
  const checked = await envbuilder(['registry', 'check', '--dir', join(dir, 'storage')]);
  assert.match(checked.stdout, /all is well/, checked.output);
  const collected = await envbuilder(['registry', 'gc', '--dir', join(dir, 'storage'), '--grace', '0s']);
  assert.equal(collected.code, 0, collected.output);
  assert.equal(await digestAt(`${debian.host}/shared/theirs:1`), await digestAt(base()));
});

test('users with a password come in over TLS, others do not', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const { port, stop } = await startSecured(t);
  const name = `localhost:${port}/secured/app:1`;
  const certs = ['--cert-dir', join(dir, 'certs')];
  const creds = ['--creds', 'ann:secret'];
  const login = [...creds, ...certs];
  await run('skopeo', [
    'copy',
    '--src-tls-verify=false',
    '--dest-creds',
    'ann:secret',
    '--dest-cert-dir',
    join(dir, 'certs'),
    `docker://${base()}`,
    `docker://${name}`,
  ]);
  assert.equal(await digestAt(name, login), await digestAt(base()));
  await assert.rejects(digestAt(name, certs), /unauthorized|authentication required/i);
  await assert.rejects(digestAt(name, ['--creds', 'ann:wrong', ...certs]), /unauthorized|invalid/i);
  await assert.rejects(digestAt(name, creds), /certificate/i);
  await stop();
});

async function startSecured(t: TestContext) {
  const certs = join(dir, 'certs');
  mkdirSync(certs);
  const key = join(dir, 'server.key');
  const cert = join(certs, 'ca.crt');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...ec, ...subject, '-keyout', key, '-out', cert]);
  writeFileSync(join(dir, 'htpasswd'), `ann:${bcrypt.hashSync('secret', 6)}\n`);
  const registry = await startOwnRegistry(dir, join(dir, 'secured'), [
    '--addr',
    '127.0.0.1:0',
    '--tls-cert',
    cert,
    '--tls-key',
    key,
    '--htpasswd',
    join(dir, 'htpasswd'),
  ]);
  t.after(registry.stop);
  return { port: registry.host.split(':')[1]!, stop: registry.stop };
}
