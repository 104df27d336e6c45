import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDemoContext } from '../../scripts/lib/demo-context.ts';
import { root } from './measure.ts';

export interface Rounds {
  readonly uncached: number;
  readonly cached: number;
  /** In how many of these rounds a peer takes its turn whose turns last minutes. */
  readonly slow: number;
}

/** No more than so many of any. */
export function fewerRounds({ uncached, cached, slow }: Rounds, most: number): Rounds {
  return { uncached: Math.min(uncached, most), cached: Math.min(cached, most), slow: Math.min(slow, most) };
}

/** Something to be built, in the forms that a change gives it. */
export interface Work {
  readonly name: string;
  readonly about: string;
  readonly context: string;
  /** The image that it starts from. */
  readonly base: string;
  /** How often what counts is measured, by turns with the peers. */
  readonly rounds: Rounds;
  /** Unpacking it takes seconds, so that a ratio to programs which do nothing else says something. */
  readonly isLarge: boolean;
  /** Writes the Dockerfile with this word in its first step, and that one in its last. */
  write(words: { readonly early: string; readonly late: string }): void;
  /** The commands of its RUNs, and what has to be copied between them; undefined where nobody asks. */
  readonly alone?: readonly AloneStep[];
}

/** A step of a work that is done with nothing around it. */
export interface AloneStep {
  /** Run by `/bin/sh -c` in the root directory; this is what is timed. */
  readonly run?: string;
  /** From the context or, absolute, from the root directory; to a place in the root directory. */
  readonly copy?: { readonly from: string; readonly to: string };
}

/** How large the works are: 1 is what docs/benchmarks.md speaks of. */
export interface WorkOptions {
  /** Made with its parents. */
  readonly dir: string;
  /** `host:port` of a registry that has the base images. */
  readonly registry: string;
  readonly scale: number;
}

const FILES = 200_000;
const FILES_PER_DIRECTORY = 200;
const HUGE_MIB = 5120;
const STEPS = 30;
const STAGES = 6;
const FEW: Rounds = { uncached: 1, cached: 3, slow: 1 };
const MANY: Rounds = { uncached: 5, cached: 5, slow: 5 };

/** By name, what makes them. */
export const WORKS: Readonly<Record<string, (options: WorkOptions) => Work>> = {
  demo: demoWork,
  steps: manySteps,
  stages: manyStages,
  files: manyFiles,
  huge: hugeFiles,
};

function manyFiles(options: WorkOptions): Work {
  const context = join(options.dir, 'files');
  const directories = Math.max(1, Math.round((FILES * options.scale) / FILES_PER_DIRECTORY));
  for (let d = 0; d < directories; d += 1) {
    const path = join(context, 'tree', `d${d}`);
    mkdirSync(path, { recursive: true });
    for (let f = 0; f < FILES_PER_DIRECTORY; f += 1) writeFileSync(join(path, `f${f}`), `${d} ${f}\n`);
  }
  const count = (directories * FILES_PER_DIRECTORY).toLocaleString('en');
  const about = `${count} small files in a COPY, then one changed by a RUN`;
  return workOf(
    { name: 'files', about, context, rounds: FEW, isLarge: true },
    options,
    (base, { early, late }) => [
      `FROM ${base}`,
      `RUN echo ${early} > /early`,
      'COPY tree /tree',
      `RUN echo ${late} > /tree/d0/f0`,
    ],
  );
}

function hugeFiles(options: WorkOptions): Work {
  const mib = Math.round((HUGE_MIB * options.scale) / 4);
  const about = `four files of ${mib} MiB of noise, a step each`;
  const context = join(options.dir, 'huge');
  return workOf(
    { name: 'huge', about, context, rounds: FEW, isLarge: true },
    options,
    (base, { early, late }) => [
      `FROM ${base}`,
      `RUN echo ${early} > /early`,
      ...[1, 2, 3].map((n) => `RUN head -c ${mib}m /dev/urandom > /huge-${n}`),
      `RUN echo ${late} > /late && head -c ${mib}m /dev/urandom > /huge-4`,
    ],
  );
}

function manySteps(options: WorkOptions): Work {
  const commands = Array.from({ length: STEPS - 2 }, (_, i) => `echo ${i} > /step-${i}`);
  const about = `${STEPS} steps that do next to nothing`;
  const context = join(options.dir, 'steps');
  const alone = ['echo one > /early', ...commands, 'echo one > /late'].map((run) => ({ run }));
  return workOf(
    { name: 'steps', about, context, rounds: MANY, isLarge: false, alone },
    options,
    (base, { early, late }) => [
      `FROM ${base}`,
      `RUN echo ${early} > /early`,
      ...commands.map((command) => `RUN ${command}`),
      `RUN echo ${late} > /late`,
    ],
  );
}

function manyStages(options: WorkOptions): Work {
  const names = Array.from({ length: STAGES }, (_, i) => `s${i}`);
  const command = (word: string): string =>
    `mkdir /out && for i in $(seq 300); do echo ${word} $i > /out/$i; done`;
  const about = `${STAGES} stages whose files a last one copies`;
  const context = join(options.dir, 'stages');
  const alone = [
    ...names.map((name) => ({ run: `rm -rf /out; ${command(name)}` })),
    { run: 'echo one > /late' },
  ];
  return workOf(
    { name: 'stages', about, context, rounds: MANY, isLarge: false, alone },
    options,
    (base, { early, late }) => [
      ...names.flatMap((name, i) => [`FROM ${base} AS ${name}`, `RUN ${command(i === 0 ? early : name)}`]),
      `FROM ${base}`,
      ...names.map((name) => `COPY --from=${name} /out /${name}`),
      `RUN echo ${late} > /late`,
    ],
  );
}

function workOf(
  work: Omit<Work, 'write' | 'base'>,
  { registry }: WorkOptions,
  lines: (base: string, words: { readonly early: string; readonly late: string }) => readonly string[],
): Work {
  const base = `${registry}/busybox:1`;
  mkdirSync(work.context, { recursive: true });
  return {
    ...work,
    base,
    write: (words) => writeFileSync(join(work.context, 'Dockerfile'), `${lines(base, words).join('\n')}\n`),
  };
}

/** What `npm run demo` builds. */
function demoWork({ dir, registry }: WorkOptions): Work {
  const context = join(dir, 'demo');
  const base = `${registry}/debian:bookworm`;
  mkdirSync(context, { recursive: true });
  const original = withoutHeredocs(readFileSync(join(root, 'demo/Dockerfile'), 'utf8')).replace(
    /^ARG BASE=.*$/m,
    `ARG BASE=${base}`,
  );
  writeDemoContext(context, join(root, 'demo/Dockerfile'));
  writeFileSync(join(context, '.dockerignore'), 'Dockerfile\n');
  const packages = /^RUN (set -e .*)$/m.exec(original)?.[1] ?? '';
  return {
    name: 'demo',
    about: 'the demo: 75 Debian packages, 2,000 sources, three stages',
    context,
    base,
    rounds: { uncached: 1, cached: 5, slow: 1 },
    isLarge: true,
    // A change before the packages would only measure apt; the early one is that of a source.
    write: ({ early, late }) => {
      writeFileSync(join(context, 'early.txt'), `${early}\n`);
      writeFileSync(join(context, 'Dockerfile'), original.replace('RUN bin/app', `RUN : ${late}; bin/app`));
    },
    alone: [
      { run: packages },
      { copy: { from: '.', to: 'src' } },
      { run: 'cd /src && make --silent --jobs=2' },
      { run: 'useradd --create-home --shell /bin/bash dev' },
      { copy: { from: '/src/app', to: 'srv/app/bin/app' } },
      { run: 'cd /srv/app && bin/app > /etc/motd' },
    ],
  };
}

/** The same commands in a syntax that every peer knows. */
export function withoutHeredocs(dockerfile: string): string {
  return dockerfile.replaceAll(/^RUN <<EOF\n(.*?)^EOF$/gms, (_, body: string) => {
    const commands = body
      .replaceAll(/\\\n\s*/g, '')
      .trim()
      .split('\n');
    return `RUN ${commands.join(' && ')}`;
  });
}
