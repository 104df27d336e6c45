import { AppError, type SourceRange, type Where } from '../../core/error.ts';
import { given } from '../../core/given.ts';
import { didYouMean } from '../../core/suggest.ts';
import { expandWord, isPlain, type Lookup, narrowed } from '../expand/expand.ts';
import type { MountSpec } from '../types.ts';
import type { Escape } from './directives.ts';
import { checkMount, checkOrder, type MountDraft } from './mount-rules.ts';
import { csvFields, parseGoBool, parseSize, parseUnsigned } from './values.ts';

type Fail = (message: string, hint?: string) => never;
type SetOption = (draft: MountDraft, value: string, fail: Fail) => void;

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const SHARING = ['shared', 'private', 'locked'] as const;

const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};

/** Options whose value stays a string, so that an unexpanded one can be kept. */
const TEXT_OPTIONS: ReadonlySet<string> = new Set(['source', 'target', 'from', 'id', 'env']);

const OPTIONS: Readonly<Record<string, SetOption>> = {
  type: (draft, value, fail) => {
    draft.type = oneOf(TYPES, value, 'type', fail);
  },
  from: (draft, value, fail) => {
    if (/\$./s.test(value))
      fail('from= of a mount cannot contain a variable', 'name a stage that is FROM the variable instead');
    draft.from = value;
  },
  source: (draft, value) => {
    draft.source = value;
  },
  target: (draft, value) => {
    draft.target = value;
  },
  id: (draft, value) => {
    draft.id = value;
  },
  env: (draft, value) => {
    draft.env = value;
  },
  readonly: (draft, value, fail) => {
    draft.readonly = checked(parseGoBool(value), 'readonly', value, 'true or false', fail);
  },
  readwrite: (draft, value, fail) => {
    draft.readonly = !checked(parseGoBool(value), 'readwrite', value, 'true or false', fail);
  },
  required: (draft, value, fail) => {
    draft.required = checked(parseGoBool(value), 'required', value, 'true or false', fail);
  },
  size: (draft, value, fail) => {
    draft.size = checked(parseSize(value), 'size', value, 'bytes with a unit, for example 64m', fail);
  },
  sharing: (draft, value, fail) => {
    draft.sharing = oneOf(SHARING, value, 'sharing', fail);
  },
  mode: (draft, value, fail) => {
    draft.mode = checked(parseUnsigned(value, 8), 'mode', value, 'an octal mode, for example 0755', fail);
  },
  uid: (draft, value, fail) => {
    draft.uid = checked(parseUnsigned(value, 10), 'uid', value, 'a number', fail);
  },
  gid: (draft, value, fail) => {
    draft.gid = checked(parseUnsigned(value, 10), 'gid', value, 'a number', fail);
  },
};

/**
 * Reads the value of `RUN --mount=`. Text options with variables are kept as written, other options with variables are
 * left out until expandMount.
 * @throws AppError DOCKERFILE for an unknown option, a bad value, an option that the type does not take
 */
export function parseMount(text: string, range: SourceRange, escapeChar: Escape, where: Where): MountSpec {
  return readMount(text, range, where, (option, value) =>
    isPlain(value, escapeChar) || TEXT_OPTIONS.has(option) ? value : undefined,
  );
}

/**
 * The mount with the variables in all its values replaced and the options that were left out for them filled in.
 * @throws AppError DOCKERFILE as parseMount does, and as expandWord does
 */
export function expandMount(mount: MountSpec, lookup: Lookup, escapeChar: Escape, where: Where): MountSpec {
  return readMount(mount.text, mount.range, where, (option, value) =>
    option === 'from' ? value : expandWord(value, lookup, escapeChar, where),
  );
}

function readMount(
  text: string,
  range: SourceRange,
  where: Where,
  resolve: (option: string, value: string) => string | undefined,
): MountSpec {
  const failAt =
    (word: string): Fail =>
    (message, hint) => {
      throw new AppError('DOCKERFILE', message, {
        where: narrowed(where, word),
        ...(hint === undefined ? {} : { hint }),
      });
    };
  const fail = failAt('');
  const draft: MountDraft = { given: new Set(), typeUnknown: false };
  const fields =
    csvFields(text) ??
    fail('the quotes in --mount do not match', `quote an option with a comma twice: '"source=a,b"'`);
  for (const field of fields) readOption(draft, field, resolve, failAt(field));
  checkMount(draft, fail);
  const { type = 'bind', mode, uid, gid, size, sharing } = draft;
  const writable = type === 'cache' || type === 'tmpfs';
  return {
    ...given<Partial<MountSpec>>({
      source: draft.source || undefined,
      target: draft.target || undefined,
      from: draft.from || undefined,
      id: draft.id || undefined,
      env: draft.env || undefined,
      ...{ mode, uid, gid, size, sharing },
    }),
    type,
    readonly: draft.readonly ?? !writable,
    required: draft.required ?? false,
    text,
    range,
  };
}

function readOption(
  draft: MountDraft,
  field: string,
  resolve: (option: string, value: string) => string | undefined,
  fail: Fail,
): void {
  const equals = field.indexOf('=');
  const written = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
  const option = ALIASES[written] ?? written;
  const known = [...Object.keys(OPTIONS), ...Object.keys(ALIASES)];
  if (!Object.hasOwn(OPTIONS, option))
    fail(`--mount has no option ${written || '""'}`, didYouMean(written, known));
  const bare = option === 'readonly' || option === 'readwrite' || option === 'required';
  if (equals === -1 && !bare) fail(`the mount option ${written} needs a value`, `write ${written}=…`);
  const value = equals === -1 ? 'true' : resolve(option, field.slice(equals + 1));
  checkOrder(draft, option, fail);
  draft.given.add(option);
  if (value !== undefined) OPTIONS[option]!(draft, value, fail);
  else if (option === 'type') draft.typeUnknown = true;
}

function oneOf<T extends string>(known: readonly T[], value: string, option: string, fail: Fail): T {
  const lower = value.toLowerCase();
  return (
    known.find((one) => one === lower) ??
    fail(`the mount option ${option} has the unknown value "${value}"`, didYouMean(value, known))
  );
}

function checked<T>(value: T | undefined, option: string, text: string, form: string, fail: Fail): T {
  return value ?? fail(`the mount option ${option} has the invalid value "${text}"`, `write ${form}`);
}
