import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDemoContext } from '../../scripts/lib/demo-context.ts';
import { root } from './measure.ts';

/** Something to be built, in the forms that a change gives it. */
export interface Work {
  readonly name: string;
  readonly about: string;
  readonly context: string;
  /** Writes the Dockerfile with this word in its first step, and that one in its last. */
  write(words: { readonly early: string; readonly late: string }): void;
}

/** How large the works are: 1 is what docs/benchmarks.md speaks of. */
export interface WorkOptions {
  readonly dir: string;
  /** Image that everything starts from; holds BusyBox. */
  readonly base: string;
  readonly scale: number;
}

const FILES = 200_000;
const FILES_PER_DIRECTORY = 200;
const HUGE_MIB = 5120;
const STEPS = 30;
const STAGES = 6;

/** Many small files, few huge ones, many steps, many stages. */
export function makeWorks(options: WorkOptions): readonly Work[] {
  return [manyFiles(options), hugeFiles(options), manySteps(options), manyStages(options)];
}

function manyFiles({ dir, base, scale }: WorkOptions): Work {
  const context = join(dir, 'files');
  const directories = Math.max(1, Math.round((FILES * scale) / FILES_PER_DIRECTORY));
  for (let d = 0; d < directories; d += 1) {
    const path = join(context, 'tree', `d${d}`);
    mkdirSync(path, { recursive: true });
    for (let f = 0; f < FILES_PER_DIRECTORY; f += 1) writeFileSync(join(path, `f${f}`), `${d} ${f}\n`);
  }
  const count = (directories * FILES_PER_DIRECTORY).toLocaleString('en');
  return workOf(
    'files',
    `${count} small files in a COPY, then one changed by a RUN`,
    context,
    ({ early, late }) => [
      `FROM ${base}`,
      `RUN echo ${early} > /early`,
      'COPY tree /tree',
      `RUN echo ${late} > /tree/d0/f0`,
    ],
  );
}

function hugeFiles({ dir, base, scale }: WorkOptions): Work {
  const mib = Math.round((HUGE_MIB * scale) / 4);
  const lines = [1, 2, 3].map((n) => `RUN head -c ${mib}m /dev/urandom > /huge-${n}`);
  return workOf(
    'huge',
    `four files of ${mib} MiB of noise, a step each`,
    join(dir, 'huge'),
    ({ early, late }) => [
      `FROM ${base}`,
      `RUN echo ${early} > /early`,
      ...lines,
      `RUN echo ${late} > /late && head -c ${mib}m /dev/urandom > /huge-4`,
    ],
  );
}

function manySteps({ dir, base }: WorkOptions): Work {
  const lines = Array.from({ length: STEPS - 2 }, (_, i) => `RUN echo ${i} > /step-${i}`);
  return workOf('steps', `${STEPS} steps that do next to nothing`, join(dir, 'steps'), ({ early, late }) => [
    `FROM ${base}`,
    `RUN echo ${early} > /early`,
    ...lines,
    `RUN echo ${late} > /late`,
  ]);
}

function manyStages({ dir, base }: WorkOptions): Work {
  const names = Array.from({ length: STAGES }, (_, i) => `s${i}`);
  return workOf(
    'stages',
    `${STAGES} stages whose files a last one copies`,
    join(dir, 'stages'),
    ({ early, late }) => [
      ...names.flatMap((name, i) => [
        `FROM ${base} AS ${name}`,
        `RUN mkdir /out && for i in $(seq 300); do echo ${i === 0 ? early : name} $i > /out/$i; done`,
      ]),
      `FROM ${base}`,
      ...names.map((name) => `COPY --from=${name} /out /${name}`),
      `RUN echo ${late} > /late`,
    ],
  );
}

function workOf(
  name: string,
  about: string,
  context: string,
  lines: (words: { readonly early: string; readonly late: string }) => readonly string[],
): Work {
  mkdirSync(context, { recursive: true });
  return {
    name,
    about,
    context,
    write: (words) => writeFileSync(join(context, 'Dockerfile'), `${lines(words).join('\n')}\n`),
  };
}

/** What `npm run demo` builds. */
export function makeDemoWork(context: string, base: string): Work {
  mkdirSync(context, { recursive: true });
  const original = readFileSync(join(root, 'demo/Dockerfile'), 'utf8').replace(
    /^ARG BASE=.*$/m,
    `ARG BASE=${base}`,
  );
  writeDemoContext(context, join(root, 'demo/Dockerfile'));
  writeFileSync(join(context, '.dockerignore'), 'Dockerfile\n');
  return {
    name: 'demo',
    about: 'the demo: 75 Debian packages, 2,000 sources, three stages',
    context,
    // A change before the packages would only measure apt; the early one is that of a source.
    write: ({ early, late }) => {
      writeFileSync(join(context, 'early.txt'), `${early}\n`);
      writeFileSync(join(context, 'Dockerfile'), original.replace('RUN bin/app', `RUN : ${late}; bin/app`));
    },
  };
}
