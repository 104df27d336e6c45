import type { OurRun } from './measure.ts';
import { difference, readCounts } from './registry-counts.ts';
import { type Row, type Run, type Turn, takenOf } from './rows.ts';
import type { Work } from './works.ts';

export interface RecorderOptions {
  /** Where the registry tells what it counts. */
  readonly metrics: string;
  readonly say: (row: Row) => void;
  /** A peer cannot do something; it is left out. */
  readonly failed: (what: string) => void;
}

export interface Recording {
  readonly what: string;
  readonly ours: (round: number) => Promise<OurRun>;
  readonly peers?: Readonly<Record<string, Turn>>;
  readonly rounds?: number;
  /** Peers that take their turn in the first rounds only, and in how many. */
  readonly slow?: { readonly peers: readonly string[]; readonly rounds: number };
  /** False where the memory of our process cannot be seen, or is not that of what is measured. */
  readonly withMemory?: boolean;
  readonly commands?: number;
  /** Before each turn, ours and theirs, so that all find the machine in the same state. */
  readonly beforeTurn?: () => Promise<void>;
  /** After each round, when nothing is measured. */
  readonly afterRound?: (round: number) => Promise<void>;
}

/** Does things by turns and keeps what they took. */
export interface Recorder {
  readonly rows: readonly Row[];
  record(work: Work, recording: Recording): Promise<Row>;
}

export function createRecorder({ metrics, say, failed }: RecorderOptions): Recorder {
  const rows: Row[] = [];
  return {
    rows,
    record: async (work, recording) => {
      const { what, ours, peers = {}, rounds = 1, slow, commands } = recording;
      const runs: Run[] = [];
      const taken: Record<string, number[]> = {};
      const broken = new Set<string>();
      for (let round = 0; round < rounds; round += 1) {
        await recording.beforeTurn?.();
        const before = await readCounts(metrics);
        const run = await ours(round);
        runs.push({ run, counts: difference(before, await readCounts(metrics)) });
        for (const [name, turn] of Object.entries(peers)) {
          if (broken.has(name) || (slow?.peers.includes(name) && round >= slow.rounds)) continue;
          try {
            await recording.beforeTurn?.();
            const { ms } = await turn(round);
            taken[name] = [...(taken[name] ?? []), ms];
          } catch (error) {
            broken.add(name);
            delete taken[name];
            failed(`${name} cannot do "${work.name}, ${what}": ${lastLine(error)}`);
          }
        }
        await recording.afterRound?.(round);
      }
      const row: Row = {
        work: work.name,
        what,
        ours: takenOf(runs, recording.withMemory ?? true),
        peers: taken,
        ...(commands !== undefined && { commands }),
      };
      rows.push(row);
      say(row);
      return row;
    },
  };
}

function lastLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 160);
}
