import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { capture } from '../scripts/lib/shell.ts';
import { projectRoot } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';

const environment = useEnvironment(['registry']);

const BASE = 'debian:bookworm-slim';
const DIR = '/tmp/tutorial';
/** What the page says of exit codes and output outside of its blocks, by the command before it. */
const SAID = new Map([
  ['chroot', { code: 0, output: '3 /srv/words.txt' }],
  ['envbuilder probe . --layer-cache-dir ../cache\n', { code: 11, output: '' }],
  ['sed', { code: 10, output: '' }],
]);

interface Step {
  readonly script: string;
  /** Lines that the page shows of its output. */
  readonly shown: readonly string[];
}

/** The commands of the page, each with the block of output that follows it. */
function stepsOf(page: string): Step[] {
  const steps: { script: string; shown: string[] }[] = [];
  for (const [, language, text] of page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (language === 'sh') steps.push({ script: text!, shown: [] });
    else steps.at(-1)!.shown.push(...text!.trimEnd().split('\n'));
  }
  return steps;
}

/** Without what differs from machine to machine. */
function settled(text: string): string {
  return text
    .replace(/\b\d+(\.\d+)? ?m?s\b/g, 'TIME')
    .replace(/sha256:[0-9a-f]+…?/g, 'DIGEST')
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g, 'DATE');
}

test('every command of the tutorial does what the tutorial says', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const dir = temporaryDir('tutorial');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const here = (text: string): string =>
    text.replaceAll(DIR, dir).replaceAll(BASE, `${environment.services.registry!.host}/busybox:1`);
  const [first, ...steps] = stepsOf(readFileSync(join(projectRoot, 'docs/tutorial.md'), 'utf8'));
  const env = { PATH: `${projectRoot}:${process.env.PATH}`, HOME: dir, NO_COLOR: '1' };
  const prepared = await capture('/bin/sh', ['-euc', here(first!.script)], { cwd: projectRoot, env });
  assert.equal(prepared.code, 0, prepared.stderr);
  const digests = new Set<string>();
  for (const { script, shown } of steps) {
    const { code, stdout, stderr } = await capture('/bin/sh', ['-uc', here(script)], {
      cwd: join(dir, 'hello'),
      env,
    });
    const output = `${stdout}\n${stderr}`;
    const said = [...SAID].find(([start]) => script.startsWith(start))?.[1];
    assert.equal(code, said?.code ?? 0, output);
    assert.ok(output.includes(said?.output ?? ''), output);
    const lines = settled(output).split('\n');
    for (const line of shown) assert.ok(lines.includes(settled(here(line))), `${line} is not in\n${output}`);
    if (script.startsWith('envbuilder build . -t')) digests.add(stdout.toString());
  }
  assert.equal(digests.size, 1, 'the digest is the one of the first build');
  assert.equal(steps.length, 6);
});
