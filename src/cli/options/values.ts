import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import type { OptionRow, OptionValue } from './types.ts';

/** What a value is checked as, and how it is called in errors. */
export interface ValueContext {
  readonly row: OptionRow;
  /** The flag or variable that the value comes from. */
  readonly source: string;
  /** Looks up a build argument that is named without a value. */
  readonly env: Environment;
}

/** As Go's strconv.ParseBool has them, in any case. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['t', true],
  ['1', true],
  ['false', false],
  ['f', false],
  ['0', false],
]);

/**
 * The typed value of an option.
 * @param texts as often as the flag was given; of a variable always one
 * @throws AppError USAGE that names the flag or variable; never shows the value of a secret
 */
export function parseValue(texts: readonly string[], context: ValueContext): OptionValue {
  const { row } = context;
  const last = texts.at(-1) ?? '';
  switch (row.type) {
    case 'boolean':
      return parseBoolean(last, context);
    case 'integer':
      return parseInteger(last, context);
    case 'list':
      return texts.flatMap((text) => splitItems(text, context));
    case 'map':
      return parseMap(
        texts.flatMap((text) => splitItems(text, context)),
        context,
      );
    case 'string':
      return checkChoice(last, context);
  }
}

/** What an option is worth when nothing sets it. */
export function defaultValue(row: OptionRow): OptionValue | undefined {
  if (row.default !== undefined) return row.default;
  if (row.type === 'boolean') return false;
  if (row.type === 'list') return [];
  return row.type === 'map' ? new Map() : undefined;
}

/**
 * The fields of one line of comma-separated values (RFC 4180, section 2): a field in double quotes may hold commas, and
 * two double quotes in it stand for one. Undefined when a quote is left open.
 */
export function splitCommas(text: string): string[] | undefined {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]!;
    if (quoted && char === '"' && text[i + 1] === '"') {
      field += '"';
      i += 1;
    } else if (char === '"' && (quoted || field === '')) quoted = !quoted;
    else if (char === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  return quoted ? undefined : [...fields, field];
}

function parseBoolean(text: string, { source }: ValueContext): boolean {
  const value = BOOLEANS.get(text.toLowerCase());
  if (value !== undefined) return value;
  throw new AppError('USAGE', `${source} is "${text}", which is neither true nor false`, {
    hint: 'write true, 1, false or 0',
  });
}

function parseInteger(text: string, { source }: ValueContext): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new AppError('USAGE', `${source} is "${text}", which is not a whole number of 0 or more`);
}

function splitItems(text: string, { row, source }: ValueContext): string[] {
  if (row.split === 'whole') return [text];
  const items = row.split === 'semicolon' ? text.split(/[;,]/) : splitCommas(text);
  if (items)
    return items.map((item) => (row.type === 'map' ? item : item.trim())).filter((item) => item !== '');
  throw new AppError('USAGE', `${source} has a double quote that is not closed`);
}

function parseMap(items: readonly string[], { row, source, env }: ValueContext): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const item of items) {
    const equals = item.indexOf('=');
    const name = (equals < 0 ? item : item.slice(0, equals)).trim();
    if (name === '' || (equals < 0 && row.secret)) {
      throw new AppError('USAGE', `${source} has an item that is not NAME=value`, {
        hint: `write it as ${row.placeholder ?? 'NAME=value'}`,
      });
    }
    // As with docker build, an argument that is named but not set here is as if it were not given.
    const value = equals < 0 ? env[name] : item.slice(equals + 1);
    if (value !== undefined) map.set(name, value);
  }
  return map;
}

function checkChoice(text: string, { row, source }: ValueContext): string {
  if (!row.choices || row.choices.includes(text)) return text;
  throw new AppError('USAGE', `${source} is "${text}"`, { hint: `it can be ${row.choices.join(', ')}` });
}
