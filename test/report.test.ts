import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { schemaProblems } from '../src/core/json-schema.ts';
import type { Report } from '../src/report/page/types.ts';
import { type Browser, startBrowser } from './support/chromium.ts';
import { envbuilder, projectRoot } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { createSandbox, type Sandbox, type SandboxResult } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);
const schema = JSON.parse(readFileSync(join(projectRoot, 'docs/reference/report.schema.json'), 'utf8'));
const SECRET = 'swordfish-of-the-report';
const SECRETS = { ENVBUILDER_BUILD_SECRETS: `TOKEN=${SECRET}` };

/** Reports of builds that follow each other, with one that fails; all tests look at these. */
interface Reports {
  readonly box: Sandbox;
  readonly dir: string;
  readonly first: Report;
  readonly second: Report;
  readonly failed: Report;
  readonly failure: SandboxResult;
}

let made: Promise<Reports> | undefined;
after(async () => (await made?.catch(() => undefined))?.box.close());

const dockerfile = (host: string, end = ''): string => `FROM ${host}/busybox:1 AS tools
RUN head -c 300000 /dev/urandom > /large && head -c 1000 /dev/urandom > /small

FROM scratch AS taken
COPY --from=tools /small /

FROM ${host}/busybox:1 AS app
ARG VERSION=1
COPY src /src
RUN : '</script><script>document.title="hostile"</script>'; printf x > '/<b>"'"'"'&amp;' && printf y > "/$(printf 'turn\\342\\200\\256\\033[31m')"
RUN echo $VERSION > /version

FROM app
COPY --from=tools /large /small /opt/
COPY --from=taken /small /taken
RUN rm /opt/large && echo more >> /opt/small && echo new > /src/a
${end}`;

function reports(t: { skip(reason: string): void }): Promise<Reports> | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing === undefined) {
    made ??= build();
    return made;
  }
  t.skip(missing);
  return undefined;
}

async function build(): Promise<Reports> {
  const { host } = environment.services.registry!;
  const box = createSandbox({ Dockerfile: dockerfile(host), 'src/a': 'one' });
  const dir = box.path('reports');
  mkdirSync(dir);
  const run = async (name: string, more: readonly string[] = []): Promise<SandboxResult> =>
    box.build(
      [
        `--layer-cache-dir=${box.cache}`,
        `--report=${dir}/${name}.json`,
        ...more,
        `--report=${dir}/${name}.html`,
        `--output=type=oci,dest=${box.path(name)}`,
      ],
      { env: SECRETS },
    );
  const report = (name: string): Report => JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8'));
  const built = await run('first');
  assert.equal(built.code, 0, built.output);
  box.write({ 'src/a': 'two' });
  const again = await run('second', ['--build-arg=VERSION=2']);
  assert.equal(again.code, 0, again.output);
  box.write({ Dockerfile: dockerfile(host, 'RUN echo "the token is $TOKEN"; echo gone >&2; exit 7\n') });
  const failure = await run('failed', ['--build-arg=VERSION=2']);
  assert.notEqual(failure.code, 0, failure.output);
  return { box, dir, first: report('first'), second: report('second'), failed: report('failed'), failure };
}

test('a build tells what ran, what it waited for, and what its layers hold', async (t) => {
  const all = await reports(t);
  if (!all) return;
  const { first } = all;
  for (const one of [first, all.second, all.failed]) assert.deepEqual(schemaProblems(one, schema), []);
  assert.equal(first.outcome, 'done');
  assert.deepEqual(
    first.stages.map(({ name, from, reads, target }) => [name, from, reads, target]),
    [
      ['tools', null, [], false],
      ['taken', null, [0], false],
      ['app', null, [], false],
      ['stage-3', 2, [0, 1], true],
    ],
  );
  const steps = first.stages.flatMap((stage) => stage.steps);
  assert.deepEqual([...new Set(steps.map(({ outcome }) => outcome))], ['built']);
  for (const { spans } of steps) assert.equal(spans.at(-1)?.what, 'ran');
  // It could not begin before the stage was there, and that is no time of its own.
  const [waited] = first.stages[1]!.steps;
  assert.deepEqual(
    waited?.spans.map(({ what, stage }) => [what, stage]),
    [
      ['stage', 'tools'],
      ['ran', undefined],
    ],
  );
  assert.ok(waited.waitedMs > 0);
  const image = first.images[0]!;
  const origins = new Set(image.layers.map(({ origin }) => origin));
  assert.deepEqual([...origins].sort(), ['base', 'built']);
  // Base layers too: they were unpacked for the build.
  for (const layer of image.layers) assert.ok(layer.files, layer.createdBy ?? '');
  const copied = image.layers.find(({ createdBy }) => createdBy?.startsWith('COPY --from=tools'));
  assert.deepEqual(copied?.files, {
    count: 2,
    bytes: 301_000,
    largest: [
      { path: 'opt/large', bytes: 300_000 },
      { path: 'opt/small', bytes: 1000 },
    ],
  });
  const { waste } = image;
  assert.equal(waste.complete, true);
  assert.deepEqual(
    waste.largest.slice(0, 3).map(({ path, what }) => [path, what]),
    [
      ['opt/large', 'removed'],
      ['opt/small', 'replaced'],
      ['src/a', 'replaced'],
    ],
  );
  assert.ok(first.phases.some(({ name }) => name === 'run'));
});

test('a later build tells what changed, and what lies in layers of the cache', async (t) => {
  const all = await reports(t);
  if (!all) return;
  const [tools, , app] = all.second.stages;
  assert.deepEqual(
    tools!.steps.map(({ outcome }) => outcome),
    ['hit'],
  );
  assert.deepEqual(
    app!.steps.map(({ causes }) => causes[0]?.code),
    ['file-changed', 'arg-changed', 'arg-changed'],
  );
  const { layers, waste } = all.second.images[0]!;
  assert.equal(layers.filter(({ files }) => files === null).length, 0);
  assert.equal(waste.complete, true);
});

test('a build that fails has a report as well, and no report holds a secret', async (t) => {
  const all = await reports(t);
  if (!all) return;
  const { failed, dir, failure } = all;
  assert.equal(failed.outcome, 'failed');
  assert.equal(failed.error?.code, 'BUILD_FAILED');
  const step = failed.stages.flatMap(({ steps }) => steps).find(({ outcome }) => outcome === 'failed');
  assert.deepEqual([...(step?.output ?? [])].sort(), ['gone', 'the token is ***']);
  assert.match(failed.error.frame.join('\n'), /Dockerfile:17:1[\s\S]*\^\^\^/);
  assert.doesNotMatch(failure.output, new RegExp(SECRET));
  for (const name of ['first', 'second', 'failed'])
    for (const kind of ['html', 'json']) {
      const text = readFileSync(join(dir, `${name}.${kind}`), 'utf8');
      assert.ok(
        !text.includes(SECRET) && !text.includes(Buffer.from(SECRET).toString('base64')),
        `${name}.${kind}`,
      );
    }
});

test('the file of a report is one of two kinds, and one that cannot be written is an error', async (t) => {
  const all = await reports(t);
  if (!all) return;
  const { box } = all;
  const other = await box.build([`--report=${box.path('report.txt')}`]);
  assert.match(other.output, /is named as neither[\s\S]*\.html or \.json/);
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['report', [], /one directory or report is to be named/],
    ['report', [box.path('none')], /cannot list/],
    ['report', [box.context], /holds no reports/],
  ];
  for (const [command, args, says] of cases) {
    const result = await box.build(args.slice(0, -1), { command, context: args.at(-1) ?? '--verbose' });
    assert.notEqual(result.code, 0);
    assert.match(result.output, says);
  }
});

test('runs that are over are listed, and each says what it waited for and how it ended', async (t) => {
  const all = await reports(t);
  if (!all) return;
  const { box, dir, failed } = all;
  const ask = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, output } = await envbuilder(['report', ...args]);
    assert.equal(code, 0, output);
    return stdout;
  };
  const data = JSON.parse(await ask('-o', 'json', dir)) as {
    report: string;
    started: string;
    outcome: string;
  }[];
  assert.deepEqual(
    data.map(({ started }) => started),
    data
      .map(({ started }) => started)
      .sort()
      .reverse(),
  );
  const table = (await ask('-o', 'text', dir)).trimEnd().split('\n');
  assert.match(table[0]!, /^STARTED +COMMAND +RESULT +TIME +CACHED +LONGEST +REPORT$/);
  assert.equal(table.length, data.length + 1);
  const name = data.find(({ outcome }) => outcome === 'failed')!.report;
  assert.match(table.find((line) => line.endsWith(name))!, /failed \(BUILD_FAILED\)/);
  const text = await ask('-o', 'text', join(dir, name));
  assert.match(text, /^build of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: failed \(BUILD_FAILED\) after /);
  assert.match(text, /^ +\S+ m?s +\d+ % {2}/m);
  assert.ok(text.includes(`error: ${failed.error!.text.slice(0, 40)}`), text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the names of files in these builds have them.
  assert.doesNotMatch(text + table.join('\n'), /[\u0000-\u0009\u001b\u202e]/);
  assert.deepEqual(JSON.parse(await ask('-o', 'json', join(dir, name))), failed);
  assert.match(await ask(join(dir, name)), /^<!doctype html>/i);

  const kept = box.path('kept');
  mkdirSync(kept);
  const old = Array.from(
    { length: 200 },
    (_, i) => `20200101T0000${String(i % 60).padStart(2, '0')}Z-build-${i}.json`,
  );
  for (const one of [...old, 'mine.json']) writeFileSync(join(kept, one), '{}');
  const built = await box.build([`--report=${kept}/`, `--layer-cache-dir=${box.cache}`]);
  const names = readdirSync(kept);
  assert.equal(names.length, 201);
  assert.ok(names.includes('mine.json') && !names.includes('20200101T000000Z-build-0.json'));
  const [fresh] = names.filter((one) => /^20(?!200101)/.test(one));
  const one = JSON.parse(await ask('-o', 'json', join(kept, fresh!)));
  assert.equal(one.outcome, built.code === 0 ? 'done' : 'failed');
});

test('a start that fails has a report', async (t) => {
  const all = await reports(t);
  if (!all) return;
  const { box } = all;
  const file = box.path('start.json');
  const result = await box.build([], {
    command: 'start',
    env: {
      ENVBUILDER_REPORT: file,
      ENVBUILDER_WORKSPACE_FOLDER: box.context,
      ENVBUILDER_INIT_SCRIPT: 'true',
    },
  });
  assert.notEqual(result.code, 0);
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  assert.deepEqual(schemaProblems(report, schema), []);
  assert.deepEqual([report.command, report.outcome], ['start', 'failed']);
});

/** What the answer to each question of docs/report.md has to say. */
const ANSWERS: Readonly<Record<string, RegExp>> = {
  'Why was it not cached?': /missing .*COPY src \/src\n +src\/a changed/,
  'What is large?': /kB|MB/,
  'What is old?': /COPY src \/src/,
  'Who made this layer?': /sha256:/,
  'What changed between two images?': /changed +\S+ .*\/version/,
};

test('each question of a newcomer is one command', async (t) => {
  const all = await reports(t);
  if (!all) return;
  const { box, second } = all;
  box.write({ 'src/a': 'three' });
  const page = readFileSync(join(projectRoot, 'docs/report.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\S.*\?) \| `envbuilder (.*)` \|$/gm)];
  assert.deepEqual(
    rows.map(([, question]) => question),
    Object.keys(ANSWERS),
  );
  const key = second.stages[0]!.steps[0]!.key!.slice('sha256:'.length, 27);
  const images = ['first', 'second'].map((name) => `oci-layout://${box.path(name)}:latest`).join(' ');
  for (const [, question, command] of rows) {
    const line = command!
      .replace('--cache-repo REPOSITORY', `--layer-cache-dir ${box.cache}`)
      .replace('KEY', key)
      .replace('IMAGE IMAGE', images)
      .replace(' . ', ` ${box.context} `);
    const result = await envbuilder(line.split(' '), { env: SECRETS });
    assert.equal(result.code, 0, `${line}: ${result.output}`);
    assert.match(result.stdout, ANSWERS[question!]!, line);
  }
});

describe('in a browser', () => {
  let browser: Browser;
  let pages: readonly string[] = [];
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  const allPages = async (t: { skip(reason: string): void }): Promise<readonly string[]> => {
    const all = await reports(t);
    if (!all || pages.length > 0) return pages;
    const { box, dir } = all;
    writeFileSync(join(dir, 'other.json'), '{"form": "<b>"}');
    const trend = box.path('trend.html');
    const result = await box.build([`--output=${trend}`], { command: 'report', context: dir });
    assert.equal(result.code, 0, result.output);
    assert.match(result.output, /other\.json is no report of envbuilder.*left out/);
    const printed = await box.build([], { command: 'report', context: dir });
    assert.equal(printed.stdout, readFileSync(trend, 'utf8'));
    pages = [...['first', 'second', 'failed'].map((name) => join(dir, `${name}.html`)), trend];
    return pages;
  };

  test('every page fits, complains of nothing and loads nothing, narrow and wide, light and dark', async (t) => {
    for (const page of await allPages(t))
      for (const width of [360, 1600])
        for (const scheme of ['light', 'dark'] as const) {
          browser.takeNotes();
          await browser.open(page, { width, scheme });
          const what = `${page} at ${width} in the ${scheme}`;
          const { requests, complaints } = browser.takeNotes();
          assert.deepEqual(complaints, [], what);
          assert.deepEqual(
            requests.filter((url) => !url.startsWith('data:')),
            [`file://${page}`],
            what,
          );
          const scripts = await browser.evaluate<number>('document.scripts.length');
          assert.equal(scripts, 0, what);
          assert.doesNotMatch(await browser.evaluate<string>('document.title'), /^hostile/, what);
          const wide = await browser.evaluate<readonly string[]>(TOO_WIDE);
          assert.deepEqual(wide, [], what);
          const contrast = await browser.evaluate<number>(CONTRAST);
          assert.ok(contrast >= 7, `${what}: ${contrast}`);
          const dim = await browser.evaluate<readonly string[]>(DIM);
          assert.deepEqual(dim, [], what);
        }
  });

  test('all of it is reached and opened by the keyboard', async (t) => {
    for (const page of await allPages(t)) {
      await browser.open(page, { width: 1600, scheme: 'light' });
      const wanted = await browser.evaluate<number>(FOCUSABLE);
      const seen = new Set<string>();
      for (let i = 0; i < wanted; i += 1) {
        await browser.press('Tab');
        seen.add(await browser.evaluate<string>(FOCUSED));
      }
      assert.equal(seen.size, wanted, `${page}: ${[...seen].slice(-3)}`);
      if ((await browser.evaluate<number>(`document.querySelectorAll('summary').length`)) === 0) continue;
      await browser.evaluate(`document.querySelector('summary').focus()`);
      await browser.press('Enter');
      assert.equal(await browser.evaluate<boolean>(`document.querySelector('details').open`), true, page);
    }
  });

  test('on paper everything is open and light', async (t) => {
    for (const page of await allPages(t)) {
      await browser.open(page, { width: 800, scheme: 'dark', media: 'print' });
      const closed = await browser.evaluate<number>(CLOSED);
      assert.equal(closed, 0, page);
      assert.equal(
        await browser.evaluate<string>('getComputedStyle(document.body).backgroundColor'),
        'rgb(255, 255, 255)',
      );
      const pdf = await browser.pdf();
      assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
    }
  });
});

/** Elements that stand out of the page, other than inside of what scrolls by itself. */
const TOO_WIDE = `[...document.querySelectorAll('body *')]
  .filter((one) => !one.closest('.scroll, svg, .skip, .cut') && one.getBoundingClientRect().right > innerWidth + 0.5)
  .map((one) => one.outerHTML.slice(0, 80))
  .concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls'] : [])`;

const LUMINANCE = `const luminance = (color) => {
    const [r, g, b] = color.match(/[0-9.]+/g).map((one) => one / 255)
      .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };`;

/** Contrast of the text of the page (WCAG 2.2, 1.4.6). */
const CONTRAST = `(() => { ${LUMINANCE}
  const { color, backgroundColor } = getComputedStyle(document.body);
  return contrast(color, backgroundColor);
})()`;

/** Texts without the contrast that they need at least (WCAG 2.2, 1.4.3). */
const DIM = `(() => { ${LUMINANCE}
  const background = (one) => {
    const { backgroundColor } = getComputedStyle(one);
    return backgroundColor === 'rgba(0, 0, 0, 0)' ? background(one.parentElement) : backgroundColor;
  };
  return [...document.querySelectorAll('main *, header *')]
    .filter((one) => !one.closest('svg') && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((one) => contrast(getComputedStyle(one).color, background(one)) < 4.5)
    .map((one) => one.outerHTML.slice(0, 80));
})()`;

const FOCUSABLE = `document.querySelectorAll('a[href], summary, [tabindex="0"]').length
  - [...document.querySelectorAll('details:not([open]) > :not(summary)')]
    .reduce((sum, one) => sum + one.querySelectorAll('a[href], summary, [tabindex="0"]').length
      + (one.matches('[tabindex="0"]') ? 1 : 0), 0)`;

/** What has the focus, as the place of it in the page. */
const FOCUSED = `String([...document.querySelectorAll('*')].indexOf(document.activeElement))`;

/** Parts of details that cannot be seen. */
const CLOSED = `[...document.querySelectorAll('details > :not(summary)')]
  .filter((one) => one.getBoundingClientRect().height === 0 || !one.checkVisibility({ contentVisibilityAuto: true })).length`;
