import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { digestOf } from '../core/digest.ts';
import type { Event } from '../core/events.ts';
import { tempDir, until } from '../core/testing.ts';
import { registryDashboard } from '../registry/dashboard.ts';
import { METRICS, type MetricRow } from '../registry/metric-names.ts';
import { type ServeOptions, serve } from './registry.ts';

const PASSWORD = 'pw-of-ann';
const BLOB = Buffer.from('x'.repeat(100_000));
const authorization = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`;

async function startObserved(t: TestContext, more: Partial<ServeOptions> = {}) {
  const dir = tempDir(t);
  fs.writeFileSync(join(dir, 'htpasswd'), `ann:${bcrypt.hashSync(PASSWORD, 4)}\n`);
  const [lines, events]: [string[], Event[]] = [[], []];
  const server = await serve({
    dir: join(dir, 'data'),
    htpasswd: join(dir, 'htpasswd'),
    metrics: { host: '127.0.0.1', port: 0 },
    onAccess: (line) => lines.push(line),
    onEvent: (event) => events.push(event),
    ...more,
  });
  t.after(() => server.close(0));
  const at = events.map((event) => ('text' in event && /metrics are at (\S+)/.exec(event.text)?.[1]) || '');
  const metrics = async (): Promise<string> => (await fetch(at.find((url) => url !== '')!)).text();
  return { ...server, lines, events, metrics, dir: join(dir, 'data') };
}

test('a request is a line of the access log, without what is secret', async (t) => {
  const { url, lines } = await startObserved(t);
  const push = `${url}/v2/team/a/blobs/uploads/?digest=${digestOf(BLOB)}&token=t-secret`;
  const headers = { authorization };
  assert.equal((await fetch(push, { method: 'POST', headers, body: BLOB })).status, 201);
  await (await fetch(`${url}/v2/team/a/blobs/${digestOf(BLOB)}`, { headers })).arrayBuffer();
  await fetch(`${url}/v2/team/a/tags/list`, {
    headers: { authorization: `Basic ${Buffer.from('ann:wrong-pw').toString('base64')}` },
  });
  await fetch(`${url}/healthz`);
  await until('all requests are in the log', () => lines.length === 4);
  assert.ok(lines.every((line) => line.endsWith('}\n') && line.indexOf('\n') === line.length - 1));
  assert.doesNotMatch(lines.join(''), /secret|pw|digest=|Basic|token/);
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const shown = records.map(({ method, path, route, status, user, received }) => [
    method,
    path,
    route,
    status,
    user,
    received,
  ]);
  assert.deepEqual(shown, [
    ['POST', '/v2/team/a/blobs/uploads/', 'uploads', 201, 'ann', BLOB.length],
    ['GET', `/v2/team/a/blobs/${digestOf(BLOB)}`, 'blob', 200, 'ann', 0],
    ['GET', '/v2/team/a/tags/list', 'other', 401, null, 0],
    ['GET', '/healthz', 'health', 200, null, 0],
  ]);
  assert.equal(records[1]!.sent, BLOB.length);
  for (const { time, ms, remote, complete } of records) {
    assert.equal(new Date(time as string).toISOString(), time);
    assert.ok(typeof ms === 'number' && ms >= 0);
    assert.equal(remote, '127.0.0.1');
    assert.equal(complete, true);
  }
});

test('every metric of the table is served, of its type and with its labels alone', async (t) => {
  const { url, metrics, lines } = await startObserved(t);
  await fetch(`${url}/v2/`, { headers: { authorization } });
  await until('the request has ended', () => lines.length === 1);
  const text = await metrics();
  for (const { name, type, labels = [] } of Object.values<MetricRow>(METRICS)) {
    assert.ok(text.includes(`# TYPE ${name} ${type}\n`), name);
    for (const [, found = ''] of text.matchAll(new RegExp(`^${name}(?:_\\w+)?\\{([^}]*)\\}`, 'gm')))
      for (const [, label = ''] of found.matchAll(/(\w+)="/g))
        assert.ok([...labels, 'le'].includes(label), label);
  }
  const own = [...text.matchAll(/^# TYPE (envbuilder_\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(
    own.sort(),
    Object.values(METRICS)
      .map(({ name }) => name)
      .sort(),
  );
  assert.match(text, /^envbuilder_registry_requests_total\{method="GET",route="base",status="200"\} 1$/m);
  assert.match(text, /^envbuilder_registry_disk_size_bytes [1-9]/m);
  assert.match(text, /^process_resident_memory_bytes /m);
});

test('what clients send makes no series', async (t) => {
  const { url, metrics, lines } = await startObserved(t);
  const paths = Array.from({ length: 30 }, (_, i) => `/v2/name-${i}/manifests/tag-${i}?x=${i}`);
  const { hostname, port } = new URL(url);
  const ask = (method: string, path: string): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    request({ hostname, port, method, path, headers: { authorization } }, (answer) => {
      answer.resume().on('end', resolve);
    })
      .on('error', reject)
      .end();
    return promise;
  };
  const methods = ['GET', 'PROPFIND', 'MKCOL', 'SEARCH'];
  for (const path of paths) await ask(methods[Number(path.split('=')[1]) % methods.length]!, path);
  await ask('GET', '/v2/../etc/passwd');
  await until('all have ended', () => lines.length === paths.length + 1);
  const series = (await metrics()).match(/^envbuilder_registry_requests_total\{.*$/gm) ?? [];
  assert.ok(series.length <= 4, series.join('\n'));
  assert.doesNotMatch(series.join('\n'), /name-|tag-|PROPFIND/);
});

test('the dashboard asks for all metrics of the table, and for no other', () => {
  const expressions = JSON.stringify(registryDashboard()).match(/envbuilder_registry_[a-z_]+/g) ?? [];
  const names = new Set(expressions.map((name) => name.replace(/_bucket$/, '')));
  assert.deepEqual(
    [...names].sort(),
    Object.values(METRICS)
      .map(({ name }) => name)
      .sort(),
  );
});

test('health is told without a login, and a server that cannot serve is not ready', async (t) => {
  const { url, dir } = await startObserved(t);
  const status = async (path: string): Promise<number> => (await fetch(url + path)).status;
  assert.deepEqual(await Promise.all(['/', '/healthz', '/readyz'].map(status)), [200, 200, 200]);
  fs.rmSync(dir, { recursive: true });
  fs.writeFileSync(dir, '');
  assert.deepEqual(await Promise.all(['/healthz', '/readyz'].map(status)), [200, 503]);
});

test('garbage is collected meanwhile, one collection after another, and counted', async (t) => {
  const { url, dir, metrics, events } = await startObserved(t, {
    collect: { everyMs: 20, graceMs: 0 },
  });
  const push = `${url}/v2/a/blobs/uploads/?digest=${digestOf(BLOB)}`;
  assert.equal((await fetch(push, { method: 'POST', headers: { authorization }, body: BLOB })).status, 201);
  const there = async (): Promise<boolean> =>
    (await fetch(`${url}/v2/a/blobs/${digestOf(BLOB)}`, { method: 'HEAD', headers: { authorization } }))
      .status === 200;
  while (await there()) await new Promise(setImmediate);
  let text = await metrics();
  while (!/freed_bytes_total 100000$/m.test(text)) text = await metrics();
  assert.match(text, /collections_total\{outcome="done"\} [1-9]/);
  fs.rmSync(dir, { recursive: true });
  fs.writeFileSync(dir, '');
  await until('a failure is told', () => events.some(({ type }) => type === 'warning'));
  fs.rmSync(dir);
  const done = () => events.filter((event) => event.type === 'message').length;
  const before = done();
  await until('the next collection goes on', () => done() > before);
});
