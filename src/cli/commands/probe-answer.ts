import { relative, resolve, sep } from 'node:path';
import { AppError, type MissingCause } from '../../core/error.ts';
import type { Options } from '../options/table.ts';

/** What a probe found, as `--output json` prints it; docs/reference/probe.schema.json describes it. */
export interface ProbeAnswer {
  /** Whether the image is there whole, and can be pulled. */
  readonly exists: boolean;
  /** `repository@digest`; null when it is not there. */
  readonly image: string | null;
  /** Variables for the container, of the image or of the builder, so that it is what was asked for. No secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** What is missing first; null when nothing is. */
  readonly missing: MissingAnswer | null;
}

/** What is missing, as far as it is known; the line counts from 1. */
export interface MissingAnswer {
  readonly instruction: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly reason: string;
  /** The same by the codes of docs/reference/miss-causes.md; none where it is not a step that is missing. */
  readonly causes: readonly MissingCause[];
}

export type AnswerFormat = 'text' | 'json' | 'terraform';

/** The form that `--output` names. @throws AppError USAGE */
export function answerFormat({ output }: Pick<Options, 'output'>): AnswerFormat {
  const [format = 'text', ...more] = output;
  if (more.length === 0 && (format === 'text' || format === 'json' || format === 'terraform')) return format;
  throw new AppError('USAGE', `--output of a probe is "${output.join('" and "')}"`, {
    hint: 'it can be text, json or terraform; a probe writes no image',
  });
}

/**
 * The answer that an error is.
 * @param error of the probe
 * @param folder what the files of the Dockerfile are named relative to
 * @param hasFallback whether a start would go on with another image where there is nothing to build
 * @throws the error itself where it is no answer
 */
export function missingAnswer(error: unknown, folder: string, hasFallback: boolean): MissingAnswer {
  if (!(error instanceof AppError)) throw error;
  const { code, message, missing, where } = error;
  const answers =
    code === 'CACHE_MISS' || code === 'NOT_PUSHED' || (hasFallback && NO_DEFINITION.includes(code));
  if (!answers) throw error;
  return {
    instruction: missing?.instruction ?? null,
    file: where?.range ? within(folder, where.range.file) : null,
    line: where?.range?.start.line ?? null,
    // A clone lies somewhere else each time, and answers are to be compared.
    reason: (missing ? (missing.reason ?? 'no build has stored it in this cache') : message)
      .replaceAll(`${folder}/`, '')
      .replaceAll(folder, 'the repository'),
    causes: missing?.causes ?? [],
  };
}

/** Codes with which a definition fails after which a start takes the fallback image. */
const NO_DEFINITION: readonly string[] = ['DEVCONTAINER', 'DOCKERFILE', 'OUTSIDE'];

function within(folder: string, file: string): string {
  const path = relative(folder, resolve(folder, file));
  return path.startsWith(`..${sep}`) ? file : path;
}

/**
 * The line that is printed. Terraform's external data source takes an object whose values are all texts ("External Program
 * Protocol"): what is not there is an empty text, and `env` is JSON.
 */
export function answerText(answer: ProbeAnswer, format: Exclude<AnswerFormat, 'text'>): string {
  if (format === 'json') return `${JSON.stringify(answer)}\n`;
  const { exists, image, env, missing } = answer;
  const flat: Readonly<Record<string, string>> = {
    exists: String(exists),
    image: image ?? '',
    env: JSON.stringify(env),
    missing_instruction: missing?.instruction ?? '',
    missing_file: missing?.file ?? '',
    missing_line: missing?.line === null ? '' : String(missing?.line ?? ''),
    missing_reason: missing?.reason ?? '',
    missing_cause: missing?.causes[0]?.code ?? '',
  };
  return `${JSON.stringify(flat)}\n`;
}
