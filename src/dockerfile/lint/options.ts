import { parseGoBool } from '../parse/values.ts';

/** What a `check` directive says; `skip` holds rule names, or is 'all'. */
export interface LintOptions {
  readonly skip: ReadonlySet<string> | 'all';
  /** Whether a finding is an error. */
  readonly error: boolean;
}

/**
 * Reads `skip=Rule,Rule;error=true`; what follows a blank is a remark. Returns a sentence about what is wrong for a text
 * that it cannot read.
 */
export function parseLintOptions(text: string): LintOptions | string {
  let skip: LintOptions['skip'] = new Set();
  let error = false;
  for (const part of text.split(' ', 1)[0]!.split(';')) {
    const equals = part.indexOf('=');
    const key = equals === -1 ? part : part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (equals === -1 || !['skip', 'experimental', 'error'].includes(key)) {
      return `the check directive has the unknown option "${part}"`;
    }
    if (key === 'skip') skip = value === 'all' ? 'all' : new Set(value.split(',').map((rule) => rule.trim()));
    if (key !== 'error') continue;
    const parsed = parseGoBool(value);
    if (parsed === undefined) return `the check directive has the invalid value "${value}" for error`;
    error = parsed;
  }
  return { skip, error };
}
