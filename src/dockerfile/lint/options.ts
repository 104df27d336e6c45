import { parseGoBool } from '../parse/values.ts';

/** Which checks are on; `skip` and `experimental` hold rule names, or are 'all'. */
export interface LintOptions {
  readonly skip: ReadonlySet<string> | 'all';
  /** Rules that are off unless they are named here. */
  readonly experimental: ReadonlySet<string> | 'all';
  /** Whether a finding is an error. */
  readonly error: boolean;
}

/** As a file without a directive has it. */
export const DEFAULT_OPTIONS: LintOptions = { skip: new Set(), experimental: new Set(), error: false };

/**
 * Reads `skip=Rule,Rule;error=true`; what follows a blank is a remark. Returns a sentence about what is wrong for a text
 * that it cannot read.
 */
export function parseLintOptions(text: string): LintOptions | string {
  let { skip, experimental, error } = DEFAULT_OPTIONS;
  const [options = ''] = text.trim().split(' ', 1);
  for (const part of options === '' ? [] : options.split(';')) {
    const equals = part.indexOf('=');
    const key = equals === -1 ? part : part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (equals === -1 || !['skip', 'experimental', 'error'].includes(key)) {
      return `the check directive has the unknown option "${part}"`;
    }
    if (key === 'skip') skip = rulesIn(value);
    if (key === 'experimental') experimental = rulesIn(value);
    if (key !== 'error') continue;
    const parsed = parseGoBool(value);
    if (parsed === undefined) return `the check directive has the invalid value "${value}" for error`;
    error = parsed;
  }
  return { skip, experimental, error };
}

/** Both together, as a comment above an instruction adds to what holds for the file. */
export function mergeOptions(file: LintOptions, own: LintOptions): LintOptions {
  return {
    skip: union(file.skip, own.skip),
    experimental: union(file.experimental, own.experimental),
    error: file.error,
  };
}

function rulesIn(value: string): LintOptions['skip'] {
  return value === 'all' ? 'all' : new Set(value.split(',').map((rule) => rule.trim()));
}

function union(a: LintOptions['skip'], b: LintOptions['skip']): LintOptions['skip'] {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b]);
}
