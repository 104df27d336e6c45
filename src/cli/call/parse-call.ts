import { AppError } from '../../core/error.ts';
import { didYouMean } from '../../core/suggest.ts';
import { parseGoBoolean } from '../../index.ts';
import type { Options } from '../options/table.ts';

const METHODS = ['build', 'check', 'outline', 'targets'] as const;

/** What `--call` asks for. */
export interface Call {
  readonly method: (typeof METHODS)[number];
  readonly format: 'text' | 'json';
  /** Whether findings leave the exit code alone. */
  readonly ignoreStatus: boolean;
}

/** Reads `--call` in Docker's notation, and `--check`. @throws AppError USAGE */
export function parseCall(options: Pick<Options, 'call' | 'check'>): Call {
  const [name = '', ...rest] = options.call.split(',');
  const named = METHODS.find((one) => one === name);
  if (!named) throw wrong(`--call does not know "${name}"`, didYouMean(name, METHODS));
  if (options.check && named !== 'build' && named !== 'check')
    throw wrong(`--check and --call=${name} differ`);
  let format: Call['format'] = 'text';
  let ignoreStatus = false;
  for (const part of rest) {
    const [key = '', value = 'true'] = part.split('=', 2);
    if (key === 'format' && (value === 'json' || value === 'text')) format = value;
    else if (key === 'ignorestatus' && parseGoBoolean(value) !== undefined)
      ignoreStatus = parseGoBoolean(value)!;
    else throw wrong(`--call does not understand "${part}"`);
  }
  return { method: options.check ? 'check' : named, format, ignoreStatus };
}

function wrong(message: string, hint?: string): AppError {
  const form = 'write --call=METHOD[,format=text|json][,ignorestatus]; METHOD is check, outline or targets';
  return new AppError('USAGE', message, { hint: hint ?? form });
}
