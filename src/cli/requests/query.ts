import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import { didYouMean } from '../../core/suggest.ts';
import { OPTIONS } from '../options/table.ts';

/**
 * The environment with what a query sets: the JSON object that Terraform's external data source writes to the standard input of
 * its program. Its keys are options, as `git_url` or `git-url`, or their variables; an empty value is as if it were not there.
 * @throws AppError USAGE; no value is ever shown
 */
export function withQuery(env: Environment, text: string): Environment {
  if (text.trim() === '') return env;
  let query: unknown;
  try {
    query = JSON.parse(text);
  } catch {
    throw notQuery('is not JSON');
  }
  if (typeof query !== 'object' || query === null || Array.isArray(query)) throw notQuery('is not an object');
  const set: Record<string, string> = {};
  for (const [key, value] of Object.entries(query)) {
    if (typeof value !== 'string') throw notQuery(`has a value for "${key}" that is not a string`);
    const variable = variableOf(key);
    if (value !== '') set[variable] = value;
  }
  return Object.freeze({ ...env, ...set });
}

function variableOf(key: string): string {
  const name = key.toLowerCase().replaceAll('_', '-');
  const row = OPTIONS.find(({ name: own, variable }) => own === name || (variable && variable === key));
  if (row?.variable) return row.variable;
  const known = OPTIONS.flatMap((each) => (each.variable ? [each.name.replaceAll('-', '_')] : []));
  throw new AppError('USAGE', `the query on standard input has the unknown key "${key}"`, {
    hint: didYouMean(key, known) ?? 'its keys are options that have a variable, as git_url or cache_repo',
  });
}

function notQuery(what: string): AppError {
  return new AppError('USAGE', `the query on standard input ${what}`, {
    hint: '--output terraform reads a JSON object of strings, as Terraform writes it, or nothing',
  });
}
