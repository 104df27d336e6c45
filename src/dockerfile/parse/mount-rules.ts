import type { MountSpec } from '../types.ts';

/** A mount while its options are read, in any order. */
export type MountDraft = { -readonly [Key in keyof MountSpec]?: MountSpec[Key] | undefined } & {
  /** Options that only some types take, as written. */
  readonly given: Set<string>;
  /** Whether the type itself is a variable, so that nothing that depends on it can be checked yet. */
  typeUnknown: boolean;
};

/** Which types take an option that not all take (Dockerfile reference, "RUN --mount"). */
const TAKEN_BY: Readonly<Record<string, readonly string[]>> = {
  required: ['secret', 'ssh'],
  size: ['tmpfs'],
  sharing: ['cache'],
  mode: ['secret', 'ssh', 'cache'],
  uid: ['secret', 'ssh', 'cache'],
  gid: ['secret', 'ssh', 'cache'],
};

/** Options that BuildKit reads by the type that stands before them. */
const AFTER_TYPE = ['required', 'size'];

/** Checks that the type of a mount stands before an option that needs it; nothing when it is not known yet. */
export function checkOrder(
  draft: MountDraft,
  option: string,
  fail: (message: string, hint?: string) => never,
): void {
  const types = TAKEN_BY[option];
  const { type = 'bind' } = draft;
  if (!AFTER_TYPE.includes(option) || draft.typeUnknown || types?.includes(type)) return;
  fail(`a ${type} mount has no option ${option}`, `write type=${types?.join(' or type=')} before it`);
}

/** Checks the options of a mount against each other; nothing when its type is not known yet. */
export function checkMount(draft: MountDraft, fail: (message: string, hint?: string) => never): void {
  if (draft.typeUnknown) return;
  const type = draft.type ?? 'bind';
  for (const option of draft.given) {
    const types = TAKEN_BY[option];
    if (types && !types.includes(type)) {
      fail(
        `a ${type} mount has no option ${option}`,
        `${option} belongs to type=${types.join(' and type=')}`,
      );
    }
  }
  if (type === 'ssh' && draft.source) fail('an ssh mount has no option source', 'name the agent with id=');
  if (type !== 'secret') return;
  if (draft.from) fail('a secret mount has no option from');
  if (!draft.source && !draft.target && !draft.id) fail('a secret mount needs an id', 'add id=NAME');
  if (draft.source && draft.id) fail('a secret mount has both source and id', 'keep id, they mean the same');
}
