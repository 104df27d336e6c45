import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import { projectRoot } from '../support/envbuilder.ts';
import { forms } from './forms.ts';
import { mutation } from './kinds/mutations.ts';
import { allPairs, type Finding, inTurn, openSession, type Pair, type Session } from './session.ts';

export interface HostileFuzz {
  /** How long mutations are tried after everything else. */
  readonly seconds: number;
  /** The first mutation. */
  readonly seed: number;
  /** Only inputs and ways whose `form/kind/way` matches; a mutation is named `form/mutation-SEED/way`. */
  readonly only?: RegExp;
  /** Of ways that share a reader, each kind takes one, in turn. */
  readonly turns?: boolean;
  /** Only each so-manieth of what is left; all when left out. */
  readonly every?: number;
  /** Left out, Docker is not asked. */
  readonly engine?: DockerEngine;
}

/** Runs at the same time; each has threads of its own. */
const PARALLEL = 2;
/** Runs between two lines that say how many there were. */
const PROGRESS = 100;

/** Tries everything hostile, and then mutations; prints a table and what is wrong. Gives how many inputs did harm. */
export async function fuzzHostile({
  seconds,
  seed,
  only = /./,
  turns = false,
  every = 1,
  engine,
}: HostileFuzz): Promise<number> {
  const wanted = allPairs().filter(({ name }) => only.test(name));
  const pairs = (turns ? inTurn(wanted) : wanted).filter((_, at) => at % every === 0);
  const starts = pairs.some(({ way }) => way.start === true);
  const session = await openSession({
    parallel: PARALLEL,
    starts,
    ...(engine ? { engine } : {}),
  });
  const findings: Finding[] = [];
  const note = (finding: Finding): void => {
    findings.push(finding);
    if (findings.length % PROGRESS === 0) process.stdout.write(`${findings.length} done\n`);
    if (finding.problems.length > 0) process.stdout.write(tell(finding));
  };
  try {
    process.stdout.write(`${pairs.length} inputs and ways\n`);
    await session.tryAll(pairs, note);
    process.stdout.write(`${tableOf(findings)}\n${tallyOf(findings)}`);
    const seeded = /mutation-(\d+)/.exec(only.source)?.[1];
    if (seeded !== undefined) await session.tryAll(allPairs([mutation(Number(seeded))]), note);
    else await mutate(session, seconds, seed, note);
  } finally {
    await session.close();
  }
  const bad = findings.filter(({ problems }) => problems.length > 0);
  process.stdout.write(`${findings.length} runs, ${bad.length} with problems\n`);
  return bad.length;
}

async function mutate(
  session: Session,
  seconds: number,
  first: number,
  note: (finding: Finding) => void,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const seeds = function* (): Generator<Pair> {
    for (let seed = first; performance.now() < end; seed += 1) yield* allPairs([mutation(seed)]);
  };
  let count = 0;
  await session.tryAll(seeds(), (finding) => {
    count += 1;
    note(finding);
  });
  if (seconds > 0) process.stdout.write(`${count} mutations from seed ${first} on\n`);
}

/** What is wrong with one input, how to see it again, and where its output stands. */
function tell({ pair, outcome, problems, output }: Finding): string {
  const dir = join(projectRoot, 'fuzz-out');
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `hostile-${pair.name.replaceAll('/', '-')}`);
  writeFileSync(file, output);
  const again = `npm run fuzz -- --hostile --only '^${pair.name}$'`;
  return `BAD ${pair.name}: ${outcome}\n${problems.map((problem) => `    ${problem}\n`).join('')}    ${again}\n    ${file}\n`;
}

/** How many kinds and ways of each form were tried. */
function tallyOf(findings: readonly Finding[]): string {
  const forms = Map.groupBy(findings, ({ pair }) => pair.form);
  const rows = [...forms].map(([form, own]) => [
    form,
    `${new Set(own.map(({ pair }) => pair.kind.name)).size} kinds`,
    `${new Set(own.map(({ pair }) => pair.way.name)).size} ways`,
    `${own.length} runs`,
    `${own.filter(({ problems }) => problems.length > 0).length} with problems`,
    `${Math.max(...own.map(({ cpuSeconds }) => cpuSeconds))} s and ${Math.round(Math.max(...own.map(({ peakMiB }) => peakMiB)))} MiB at most`,
  ]);
  return lines(rows);
}

/** Kinds as rows, ways as columns, for each form. */
function tableOf(findings: readonly Finding[]): string {
  return forms
    .map(({ name, kinds, ways }) => {
      const own = findings.filter(({ pair }) => pair.form === name);
      if (own.length === 0) return '';
      const by = new Map(own.map((finding) => [finding.pair.name, finding]));
      const columns = ways.filter((way) => own.some(({ pair }) => pair.way.name === way.name));
      const rows = kinds
        .filter((kind) => own.some(({ pair }) => pair.kind.name === kind.name))
        .map((kind) => [
          kind.name,
          ...columns.map((way) => cell(by.get(`${name}/${kind.name}/${way.name}`))),
        ]);
      return `\n${lines([[name, ...columns.map((way) => way.name)], ...rows])}`;
    })
    .join('');
}

function cell(finding: Finding | undefined): string {
  if (!finding) return '';
  const short = finding.outcome.replace('refused ', '');
  return finding.problems.length > 0 ? `${short}!` : short;
}

function lines(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((text, at) => text.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
