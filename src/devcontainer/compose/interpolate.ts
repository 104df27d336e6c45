import type { Environment } from '../../core/environment.ts';
import { AppError, type Where } from '../../core/error.ts';
import { withinStack } from '../../core/nesting.ts';

/** What variables stand for, and what is told about those that are not set. */
export interface Interpolation {
  readonly env: Environment;
  /** Called with the name of a variable that is not set and has no default. */
  readonly onUnset: (name: string) => void;
}

/** An operator after a variable's name, and whether it counts an empty value as not set. */
const OPERATOR = /^(:?)([-?+])/;
const NAME = /^[_a-zA-Z][_a-zA-Z0-9]*/;

/**
 * Replaces `$NAME`, `${NAME}` and its forms with `:-`, `-`, `:+`, `+`, `:?` and `?`, which may be nested; `$$` is a dollar
 * sign, and so is a `$` before anything else (Compose Specification, "Interpolation").
 * @throws AppError DEVCONTAINER for a `${` that is none of these, and for a variable that must be set
 */
export function interpolate(text: string, interpolation: Interpolation, where: Where): string {
  const { env, onUnset } = interpolation;
  let at = 0;
  return withinStack(
    () => read(undefined),
    () => {
      throw new AppError('DEVCONTAINER', 'the variables of a value are nested too deeply', { where });
    },
  );

  function read(end: '}' | undefined): string {
    let out = '';
    while (at < text.length) {
      const char = text[at]!;
      if (char === end) break;
      at += 1;
      out += char === '$' ? dollar() : char;
    }
    return out;
  }

  function dollar(): string {
    if (text[at] === '$') {
      at += 1;
      return '$';
    }
    if (text[at] !== '{') {
      const plain = name();
      return plain === undefined ? '$' : lookup(plain);
    }
    at += 1;
    const variable = name();
    if (variable === undefined) throw invalid();
    const [operator, colon, kind] = OPERATOR.exec(text.slice(at)) ?? [''];
    at += operator!.length;
    const value = colon ? env[variable] || undefined : env[variable];
    const word = operator === '' ? '' : read('}');
    if (text[at] !== '}') throw invalid();
    at += 1;
    if (operator === '') return lookup(variable);
    if (kind === '+') return value === undefined ? '' : word;
    if (value !== undefined) return value;
    if (kind === '-') return word;
    throw new AppError('DEVCONTAINER', `the variable ${variable} must be set${word ? `: ${word}` : ''}`, {
      where,
      hint: 'set it in the environment of envbuilder or in the .env file beside the Compose file',
    });
  }

  function name(): string | undefined {
    const [found] = NAME.exec(text.slice(at)) ?? [];
    at += found?.length ?? 0;
    return found;
  }

  function lookup(variable: string): string {
    const value = env[variable];
    if (value === undefined) onUnset(variable);
    return value ?? '';
  }

  function invalid(): AppError {
    return new AppError('DEVCONTAINER', `"${text}" has a "\${" that starts no variable`, {
      where,
      hint: 'a dollar sign is written $$ in a Compose file',
    });
  }
}

/** Interpolates all strings of a value, keys excepted. */
export function interpolateAll(
  value: unknown,
  interpolation: Interpolation,
  whereOf: (path: readonly (string | number)[]) => Where,
  path: readonly (string | number)[] = [],
): unknown {
  if (typeof value === 'string') return interpolate(value, interpolation, whereOf(path));
  if (Array.isArray(value)) {
    return value.map((item, i) => interpolateAll(item, interpolation, whereOf, [...path, i]));
  }
  if (value === null || typeof value !== 'object') return value;
  const entries = Reflect.ownKeys(value).map((key) => [
    key,
    interpolateAll(
      (value as Record<string | symbol, unknown>)[key],
      interpolation,
      whereOf,
      typeof key === 'symbol' ? path : [...path, key],
    ),
  ]);
  return Object.fromEntries(entries);
}
