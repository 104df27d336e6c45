import { getNodeValue, type ParseError, parseTree } from 'jsonc-parser';
import { AppError } from '../../core/error.ts';
import { isTooDeep, withinStack } from '../../core/nesting.ts';

/**
 * Reads an object in JSON, in which comments and trailing commas are allowed. No error repeats what is in it.
 * @param source what the text is, for the error
 * @throws AppError USAGE
 */
export function parseObject(text: string, source: string, hint: string): Readonly<Record<string, unknown>> {
  const value = withinStack(
    () => jsonValue(text),
    () => undefined,
  );
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && !isTooDeep(value))
    return value as Readonly<Record<string, unknown>>;
  throw new AppError('USAGE', `${source} is not an object in JSON`, { hint });
}

function jsonValue(text: string): unknown {
  const errors: ParseError[] = [];
  const root = parseTree(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: true });
  if (root === undefined || errors.length > 0) return undefined;
  // The parser's objects have no prototype, which others do not expect.
  return JSON.parse(JSON.stringify(getNodeValue(root)));
}
