import { readFileSync } from 'node:fs';
import type { CliResult } from './envbuilder.ts';

/** Digest of the manifest, as `--metadata-file` has it. @throws Error when the file says nothing of it */
export function imageDigest(metadataFile: string): string {
  const metadata = JSON.parse(readFileSync(metadataFile, 'utf8')) as Record<string, unknown>;
  const digest = metadata['containerimage.digest'];
  if (typeof digest !== 'string') throw new Error(`no digest in ${JSON.stringify(metadata)}`);
  return digest;
}

/** The events of a run with `--progress=json` that are of one type, in order. */
export function eventsOf(result: CliResult, type: string): readonly Readonly<Record<string, unknown>>[] {
  return result.stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter((event) => event.type === type);
}

/** What became of each step in a run with `--progress=json`: `stage.step` → `hit`, `built` or `failed`. */
function stepOutcomes(result: CliResult): Readonly<Record<string, string>> {
  const finished = eventsOf(result, 'step-finished') as readonly {
    readonly id: { readonly stage: number; readonly step: number };
    readonly outcome: string;
  }[];
  return Object.fromEntries(finished.map(({ id, outcome }) => [`${id.stage}.${id.step}`, outcome]));
}

/** Steps of a run with `--progress=json` that were executed, as `stage.step`. */
export function builtSteps(result: CliResult): readonly string[] {
  return Object.entries(stepOutcomes(result))
    .filter(([, outcome]) => outcome !== 'hit')
    .map(([id]) => id)
    .sort();
}

/** The reference in the last line that a probe prints, or undefined. */
export function cachedImage(result: CliResult): string | undefined {
  const last = result.stdout.trimEnd().split('\n').at(-1) ?? '';
  return /^ENVBUILDER_CACHED_IMAGE=(.+@sha256:[0-9a-f]{64})$/.exec(last)?.[1];
}
