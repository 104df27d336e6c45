import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { tempDir } from '../core/testing.ts';
import { createHtpasswdGuard } from './htpasswd.ts';
import { type CheckLimits, createPasswordChecks, type PasswordChecks } from './password-checks.ts';
import { costOf, passwordFits } from './password-work.ts';
import { startTestServer } from './testing.ts';

interface Answer {
  readonly status: number;
  readonly retryAfter: number;
}

/** One login from an address of this machine, over a connection of its own. */
function login(url: string, user: string, password: string, localAddress = '127.0.0.1'): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request(
    `${url}/v2/`,
    { auth: `${user}:${password}`, localAddress, agent: false },
    (response) => {
      response.resume();
      const retryAfter = Number(response.headers['retry-after']);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, retryAfter }));
    },
  );
  asked.on('error', reject).end();
  return promise;
}

async function serve(t: TestContext, users: Readonly<Record<string, string>>, checks: PasswordChecks) {
  const file = join(tempDir(t), 'htpasswd');
  writeFileSync(
    file,
    Object.entries(users)
      .map(([user, hash]) => `${user}:${hash}\n`)
      .join(''),
  );
  const { guard, close } = createHtpasswdGuard(file, { checks });
  t.after(close);
  return startTestServer(t, { guard });
}

test('a login that was right before does not wait for a hundred wrong ones', async (t) => {
  const limits: CheckLimits = { threads: 1, waiting: 200, waitingOfOne: 200 };
  const { url } = await serve(t, { ann: bcrypt.hashSync('right', 8) }, createPasswordChecks(limits));
  assert.equal((await login(url, 'ann', 'right')).status, 200);
  let answered = 0;
  const wrong = Array.from({ length: 100 }, async (_, i) => {
    const { status } = await login(url, i % 2 === 0 ? 'ann' : 'eve', `wrong ${i}`);
    answered += 1;
    return status;
  });
  await Promise.race(wrong);
  assert.equal((await login(url, 'ann', 'right')).status, 200);
  assert.ok(answered < 50, `${answered} wrong logins were answered first`);
  assert.deepEqual(new Set(await Promise.all(wrong)), new Set([401]));
});

test('what is too much is told when to come again, and one address does not take the places of others', async (t) => {
  const limits: CheckLimits = { threads: 1, waiting: 6, waitingOfOne: 4 };
  const { url } = await serve(t, { ann: bcrypt.hashSync('right', 11) }, createPasswordChecks(limits));
  const flood = (address: string, count: number): Promise<Answer[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => login(url, 'ann', `${address} ${i}`, address)));
  const first = flood('127.0.0.1', 20);
  await Promise.race([first, login(url, 'ann', 'the first of all')]);
  const others = Promise.all([flood('127.0.0.2', 8), flood('127.0.0.3', 8)]);
  const answers = [...(await first), ...(await others).flat()];
  const statuses = new Set(answers.map(({ status }) => status));
  assert.deepEqual([...statuses].sort(), [401, 429, 503]);
  for (const { status, retryAfter } of answers)
    if (status !== 401) assert.ok(retryAfter >= 1 && retryAfter <= 60, `${status}: ${retryAfter}`);
  const served = (await others).map((list) => list.filter(({ status }) => status === 401).length);
  assert.ok(served[0]! + served[1]! > 0, 'others had their turn');
  assert.equal((await login(url, 'ann', 'right')).status, 200, 'and when it is quiet, all is as before');
});

test('a wrong password costs the same, whoever is asked for and whatever the cost of the hash', () => {
  for (const cost of [4, 7, 9]) {
    for (const own of [undefined, 4, 5, 7, 9]) {
      if (own !== undefined && own > cost) continue;
      const hash = own === undefined ? undefined : bcrypt.hashSync('right', own);
      let rounds = 0;
      const right = passwordFits({ password: 'wrong', hash, cost }, (password, against) => {
        rounds += 2 ** costOf(against);
        return bcrypt.compareSync(password, against);
      });
      assert.equal(right, false);
      assert.equal(rounds, 2 ** cost, `${own} among ${cost}`);
    }
  }
  // The fillers are hashes that bcrypt really works on.
  const spent = (cost: number): number => {
    const before = process.cpuUsage().user;
    passwordFits({ password: 'wrong', hash: undefined, cost });
    return process.cpuUsage().user - before;
  };
  assert.ok(spent(11) > 4 * spent(6));
});

test('who is not in the file is checked at the highest cost in it', async (t) => {
  const asked: { hash: string | undefined; cost: number }[] = [];
  const checks: PasswordChecks = {
    check: async ({ hash, cost }) => {
      asked.push({ hash, cost });
      return false;
    },
    close: async () => {},
  };
  const ann = bcrypt.hashSync('a', 4);
  const { url } = await serve(t, { ann, bob: bcrypt.hashSync('b', 6) }, checks);
  for (const user of ['ann', 'eve', '', '__proto__']) await login(url, user, 'wrong');
  assert.deepEqual(asked, [
    { hash: ann, cost: 6 },
    { hash: undefined, cost: 6 },
    { hash: undefined, cost: 6 },
    { hash: undefined, cost: 6 },
  ]);
});

test('many requests with one login are one check', async (t) => {
  let checked = 0;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const checks: PasswordChecks = {
    check: () => {
      checked += 1;
      return promise;
    },
    close: async () => {},
  };
  const { url } = await serve(t, { ann: bcrypt.hashSync('right', 4) }, checks);
  const all = Array.from({ length: 20 }, () => login(url, 'ann', 'right'));
  while (checked === 0) await new Promise(setImmediate);
  resolve(true);
  for (const { status } of await Promise.all(all)) assert.equal(status, 200);
  assert.equal((await login(url, 'ann', 'right')).status, 200);
  assert.equal(checked, 1);
});

test('hashes that would take minutes are refused', (t) => {
  const file = join(tempDir(t), 'htpasswd');
  for (const cost of ['03', '18', '31']) {
    writeFileSync(file, `ann:$2y$${cost}$${'a'.repeat(53)}\n`);
    assert.throws(() => createHtpasswdGuard(file), { code: 'USAGE', message: /line 1 .* cost/ }, cost);
  }
});

test('a change of the file makes only those log in anew whom it concerns', async (t) => {
  let checked = 0;
  const checks: PasswordChecks = {
    check: async ({ password, hash }) => {
      checked += 1;
      return hash !== undefined && bcrypt.compareSync(password, hash);
    },
    close: async () => {},
  };
  const file = join(tempDir(t), 'htpasswd');
  const [ann, bob] = [bcrypt.hashSync('a', 4), bcrypt.hashSync('b', 4)];
  writeFileSync(file, `ann:${ann}\nbob:${bob}\n`);
  const { guard } = createHtpasswdGuard(file, { checks });
  const { url } = await startTestServer(t, { guard });
  assert.equal((await login(url, 'ann', 'a')).status, 200);
  assert.equal((await login(url, 'bob', 'b')).status, 200);
  writeFileSync(file, `ann:${ann}\nbob:${bcrypt.hashSync('other', 4)}\ncid:${ann}\n`);
  assert.equal((await login(url, 'ann', 'a')).status, 200);
  assert.equal(checked, 2, 'ann is remembered');
  assert.equal((await login(url, 'bob', 'b')).status, 401);
  writeFileSync(file, `cid:${ann}\n`);
  assert.equal((await login(url, 'ann', 'a')).status, 401, 'who was removed is out');
});
