import type { DeviceRequest } from '../types.ts';
import type { GivenFlag } from './flags.ts';
import { fail, type Statement } from './statement.ts';
import { csvFields, parseGoBool } from './values.ts';

/**
 * Reads `RUN --device=NAME[,required]`; NAME is also written `name=NAME`, and may have an = of its own.
 * @throws AppError DOCKERFILE
 */
export function parseDevice(statement: Statement, { value, range, token }: GivenFlag): DeviceRequest {
  const refuse = (message: string): never =>
    fail(statement, token, message, 'write --device=NAME or --device=NAME,required');
  let name = '';
  let required = false;
  const setName = (text: string): void => {
    if (name !== '') refuse(`--device has the two names "${name}" and "${text}"`);
    name = text;
  };
  for (const field of csvFields(value) ?? refuse('the quotes in --device do not match')) {
    const equals = field.indexOf('=');
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    if (key === 'name' && equals !== -1) setName(field.slice(equals + 1));
    else if (key === 'required') {
      const text = equals === -1 ? 'true' : field.slice(equals + 1);
      required = parseGoBool(text) ?? refuse(`required of --device has the invalid value "${text}"`);
    } else setName(field);
  }
  if (name === '') refuse('--device has no name');
  return { name, required, range };
}
