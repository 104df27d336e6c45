/* What people see on a terminal while a build runs: in a window of tmux, at several sizes and after it was resized. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { serveRegistry } from '../src/index.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { openGate } from './support/gate.ts';
import { createSandbox } from './support/sandbox.ts';
import { openScreen } from './support/screen.ts';

const environment = useEnvironment(['registry']);

/** What nobody's build should do to a terminal. */
const HOSTILE = String.raw`\033[2J\033[1;1H\033]0;evil title\007\033[31mred\n`;
const LINES = 30;

/** Two steps that say much and stop at gates, and one that waits for the first of them. */
function dockerfile(base: string, [first, second]: readonly [string, string]): string {
  const say = (name: string): string => `for i in $(seq ${LINES}); do echo "${name} $i 日本語の出力"; done`;
  return `FROM ${base} AS build
RUN printf '${HOSTILE}'; ${say('first')}; wget -q -O- ${first} && echo made > /made
FROM ${base} AS other
RUN ${say('second')}; wget -q -O- ${second} && echo made > /other
FROM ${base}
COPY --from=build /made /made
COPY --from=other /other /other
`;
}

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

interface Expected {
  readonly columns: number;
  readonly rows: number;
  /** Lines of output that each of the two steps shows. */
  readonly output: readonly [number, number];
}

/** All that is to be seen while both steps stand at their gates; of a terminal that has been something else, nothing. */
function isDrawn(text: string, { columns, rows, output: [first, second] }: Expected): boolean {
  const lines = text.split('\n');
  return (
    lines.length <= rows &&
    lines.every((line) => !/[▸◦│·]/.test(line) || line.length < columns) &&
    count(text, /▸ \[build 1\/1\] RUN printf/g) === 1 &&
    count(text, /▸ \[other 1\/1\] RUN for/g) === 1 &&
    count(text, /◦ \[stage-2 1\/2\]/g) === 1 &&
    count(text, /^\d.* · 0 of 4 steps · 2 running/gm) === 1 &&
    count(text, /^ {2}│ first \d+ 日本語の出力$/gm) === first &&
    count(text, /^ {2}│ second \d+ 日本語の出力$/gm) === second &&
    // Before, there are as many lines of what a step says as it goes on.
    ['first', 'second'].every((name) => text.includes(`│ ${name} ${LINES} `))
  );
}

const SMALL: Expected = { columns: 80, rows: 24, output: [6, 6] };
const LARGE: Expected = { columns: 200, rows: 50, output: [6, 6] };
const NARROW: Expected = { columns: 44, rows: 24, output: [6, 6] };
const LOW: Expected = { columns: 80, rows: 9, output: [2, 2] };

async function onScreen(t: TestContext, size: Expected, others: readonly Expected[]): Promise<void> {
  const missing = missingService(environment.services, ['registry']);
  if (missing) return t.skip(missing);
  const gates = [await openGate(t), await openGate(t)] as const;
  const held = gates.map((gate) => gate.hold());
  const base = `${environment.services.registry!.host}/busybox:1`;
  const box = createSandbox({ Dockerfile: dockerfile(base, [gates[0].url, gates[1].url]) });
  t.after(box.close);
  const screen = await openScreen(t, size);
  const begun = await box.build(['--progress=auto', `--layer-cache-dir=${box.cache}`], {
    under: screen.under,
  });
  assert.equal(begun.code, 0, begun.output);
  const waiting = /^◦ \[stage-2 1\/2\] COPY --from=build .*│ waiting for the stage build$/m;
  await screen.waitFor('both steps show their output', (text) => isDrawn(text, size) && waiting.test(text));
  for (const other of others) {
    await screen.resize(other.columns, other.rows);
    await screen.waitFor(`${other.columns} by ${other.rows} are used`, (text) => isDrawn(text, other));
  }
  assert.notEqual(await screen.title(), 'evil title');
  for (const { release } of held) release();
  const end = await screen.end();
  const last = others.at(-1) ?? size;
  if (last !== LOW) {
    for (const step of ['[build 1/1] RUN', '[other 1/1] RUN', '[stage-2 1/2] COPY', '[stage-2 2/2] COPY'])
      assert.equal(end.split(`✔ ${step}`).length, 2, `${step}:\n${end}`);
    assert.doesNotMatch(end, /[▸◦│·]/);
  }
  // Standard output is the same terminal: the picture takes none of it away.
  assert.match(end, /^sha256:[0-9a-f]{64}\ndone in .*: 4 steps, 0 from the cache, 4 built$/m);
}

test('a terminal of 80 by 24 shows six lines of each step', (t) => onScreen(t, SMALL, []));

test('a terminal of 200 by 50, which gets narrower, wider and lower', (t) =>
  onScreen(t, LARGE, [NARROW, SMALL, LOW]));

test('a login at a terminal asks for the password, and shows nothing of it', async (t) => {
  const box = createSandbox();
  t.after(box.close);
  const htpasswd = box.path('htpasswd');
  writeFileSync(htpasswd, `me:${bcrypt.hashSync('a-long-swordfish', 4)}\n`);
  const registry = await serveRegistry({ dir: box.path('registry'), htpasswd });
  t.after(() => registry.close());
  const { host } = new URL(registry.url);
  const config = box.path('.docker/config.json');
  for (const [typed, answer] of [
    ['a-short-swordfish', /error: .*401/],
    ['', /error: no password is given/],
    ['a-long-swordfish', /logged in to .* as me/],
  ] as const) {
    const screen = await openScreen(t, SMALL);
    await box.build(['--username=me'], { command: 'login', context: host, under: screen.under });
    await screen.waitFor('it asks', (text) => text.endsWith(`Password of me at ${host}:`));
    assert.equal(existsSync(config), false);
    await screen.type(typed);
    const end = await screen.end();
    assert.match(end, answer);
    assert.doesNotMatch(end, /swordfish/);
  }
  assert.match(readFileSync(config, 'utf8'), new RegExp(host));
});
