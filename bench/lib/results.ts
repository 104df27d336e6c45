import type { Row } from './rows.ts';

/** What was measured, on what. */
export interface Measurements {
  readonly machine: string;
  readonly versions: readonly string[];
  readonly works: readonly { readonly name: string; readonly about: string }[];
  /** What is not in it, and why. */
  readonly missing: readonly string[];
  readonly rows: readonly Row[];
  /** How many processes wanted a processor during the run, the least and the most. */
  readonly load: readonly [number, number];
  /** Milliseconds of processor time for `--version`. */
  readonly startCpu: number;
}

/** When, from what and how a part of the rows was made. */
export interface RunFacts {
  readonly command: string;
  readonly date: string;
  readonly commit: string;
  readonly works: readonly string[];
  readonly load: readonly [number, number];
}

/** All rows that docs/benchmarks.md is made of. */
export interface Results extends Omit<Measurements, 'load'> {
  readonly runs: readonly RunFacts[];
}

/** The results of a run alone. */
export function resultsOf(
  measured: Measurements,
  facts: Pick<RunFacts, 'command' | 'date' | 'commit'>,
): Results {
  const { load, ...rest } = measured;
  return { ...rest, runs: [{ ...facts, load, works: measured.works.map(({ name }) => name) }] };
}

/** Earlier results with those of later works, which replace what was known of the same works. */
export function mergeResults(earlier: Results, later: Results): Results {
  const isNew = (name: string): boolean => later.works.some((work) => work.name === name);
  const kept = earlier.runs
    .map((run) => ({ ...run, works: run.works.filter((name) => !isNew(name)) }))
    .filter(({ works }) => works.length > 0);
  const rows: readonly Row[] = earlier.rows.filter(({ work }) => !isNew(work));
  return {
    ...later,
    runs: [...kept, ...later.runs],
    works: [...earlier.works.filter(({ name }) => !isNew(name)), ...later.works],
    missing: [...new Set([...earlier.missing, ...later.missing])],
    versions: [...new Set([...earlier.versions, ...later.versions])],
    rows: [...rows, ...later.rows],
  };
}
