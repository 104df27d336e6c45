import { AppError } from '../../core/error.ts';
import { schemaProblems } from '../../core/json-schema.ts';
import { REPORT_SCHEMA } from './schema.ts';
import type { Report } from './types.ts';

/**
 * A report out of its JSON, which anybody may have written.
 * @param name of the file, for errors
 * @throws AppError USAGE where it is none, or one of another version
 */
export function parseReport(text: string, name: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('USAGE', `${name} is no JSON`, { cause, where: { path: name } });
  }
  const [problem] = schemaProblems(value, REPORT_SCHEMA);
  if (problem === undefined) return value as Report;
  throw new AppError('USAGE', `${name} is no report of envbuilder: ${problem}`, {
    where: { path: name },
    hint: 'write it with --report FILE.json and this version',
  });
}
