/*
 * What a change of the demo costs in a build that keeps times and in a reproducible one: the table in docs/reproducible.md.
 * Run by hand:
 *   node bench/changes.ts [--program ENVBUILDER]
 * Builds the demo, whose apt-get leaves nothing that differs, for the first time; then with a comment in that RUN (early), in
 * the last RUN (late), and in both. Prints, with ratios to the first build, the time on the clock and that of processors,
 * which a machine that does much else changes less, how many steps ran, and what was extracted. --program measures another
 * checkout's.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { withLocalDebian } from '../scripts/lib/debian-image.ts';
import { writeDemoContext } from '../scripts/lib/demo-context.ts';
import { capture, seconds } from '../scripts/lib/shell.ts';
import { formatBytes } from '../src/core/units.ts';

const root = join(import.meta.dirname, '..');
const LISTS = 'rm -rf /var/lib/apt/lists/*';
const LEFT = `${LISTS} /var/cache/apt/*.bin /var/log/apt /var/log/*.log /var/cache/ldconfig/aux-cache`;
const LAST = 'RUN bin/app > /etc/motd';

const { values } = parseArgs({ options: { program: { type: 'string' } } });
const program = values.program ?? join(root, 'envbuilder');
const dir = temporaryDir('changes');
const context = join(dir, 'context');

/** The demo's Dockerfile with comments in its first and in its last RUN. */
function dockerfile(early: string, late: string): string {
  const text = readFileSync(join(root, 'demo/Dockerfile'), 'utf8');
  for (const part of [LISTS, LAST]) if (!text.includes(part)) throw new Error(`the demo has no "${part}"`);
  return text.replace(LISTS, `${LEFT}\n: ${early}`).replace(LAST, `${LAST} && : ${late}`);
}

interface Built {
  readonly ms: number;
  readonly steps: number;
  /** Of the build and all that it ran, in milliseconds. */
  readonly cpuMs: number;
  /** Bytes that were extracted. */
  readonly extracted: number;
}

/** What is read of events. */
interface Said {
  readonly type: string;
  readonly what?: string;
  readonly done?: number;
  readonly total?: number;
  readonly built?: number;
}

async function build(base: string, args: readonly string[], early: string, late: string): Promise<Built> {
  const file = join(dir, 'Dockerfile');
  writeFileSync(file, dockerfile(early, late));
  const own = [`--work-dir=${join(dir, 'work')}`, `--state-dir=${join(dir, 'state')}`, '--progress=json'];
  const all = ['build', `--file=${file}`, `--build-arg=BASE=${base}`, ...own, ...args, context];
  const start = performance.now();
  const timed = ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', program, ...all];
  const { code, stderr } = await capture('bash', timed);
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`a build ended with ${code}:\n${stderr.slice(-4000)}`);
  const lines = stderr.trim().split('\n');
  const cpuMs = lines
    .at(-1)!
    .split(' ')
    .reduce((sum, one) => sum + 1000 * Number(one), 0);
  const events = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Said);
  const steps = events.findLast(({ type }) => type === 'summary')!.built!;
  const extracted = events
    .filter(({ what, done, total }) => what === 'extract' && done === total)
    .reduce((sum, { total = 0 }) => sum + total, 0);
  return { ms, cpuMs, steps, extracted };
}

try {
  const files = writeDemoContext(context, join(root, 'demo/Dockerfile'));
  process.stdout.write(`${files} files\n| | change | time | processor | steps that ran | extracted |\n`);
  await withLocalDebian(async (base) => {
    for (const kind of ['reproducible', 'kept']) {
      const args = [
        `--layer-cache-dir=${join(dir, kind)}`,
        ...(kind === 'reproducible' ? ['--reproducible'] : []),
      ];
      let first: Built | undefined;
      for (const [name, early, late] of [
        ['none', 'one', 'one'],
        ['late', 'one', 'two'],
        ['early', 'two', 'two'],
        ['both', 'three', 'three'],
      ] as const) {
        const made = await build(base, args, early, late);
        first ??= made;
        const share = (one: number, whole: number): string =>
          `${seconds(one)} (${((100 * one) / whole).toFixed(0)} %)`;
        const times = [share(made.ms, first.ms), share(made.cpuMs, first.cpuMs)];
        const cells = [kind, name, ...times, String(made.steps), formatBytes(made.extracted)];
        process.stdout.write(`| ${cells.join(' | ')} |\n`);
      }
    }
  });
} finally {
  rmSync(dir, { recursive: true, force: true });
}
