import type { Hook, HookCommand, HookName, LifecycleHooks, MetadataEntry } from './types.ts';

/** When a hook runs. `host` and `attach` are moments that a container cannot see. */
export type HookMoment = 'host' | 'creation' | 'content' | 'start' | 'attach';

/**
 * The hooks in order. `creation` runs once in the life of a container; `content` once, and again when the content of the
 * workspace is new; `start` in every start.
 */
export const LIFECYCLE: readonly { readonly name: HookName; readonly runs: HookMoment }[] = [
  { name: 'initializeCommand', runs: 'host' },
  { name: 'onCreateCommand', runs: 'creation' },
  { name: 'updateContentCommand', runs: 'content' },
  { name: 'postCreateCommand', runs: 'creation' },
  { name: 'postStartCommand', runs: 'start' },
  { name: 'postAttachCommand', runs: 'attach' },
];

/**
 * The hooks of metadata entries, lowest first; initializeCommand is no part of metadata.
 * @param originOf what an entry is called in messages
 */
export function collectHooks(
  entries: readonly MetadataEntry[],
  originOf: (entry: MetadataEntry, index: number) => string,
): LifecycleHooks {
  const hooksOf = (name: Exclude<HookName, 'initializeCommand'>): Hook[] =>
    entries.flatMap((entry, index) => {
      const command = entry[name];
      return command === undefined || isEmpty(command) ? [] : [{ origin: originOf(entry, index), command }];
    });
  return {
    initializeCommand: [],
    onCreateCommand: hooksOf('onCreateCommand'),
    updateContentCommand: hooksOf('updateContentCommand'),
    postCreateCommand: hooksOf('postCreateCommand'),
    postStartCommand: hooksOf('postStartCommand'),
    postAttachCommand: hooksOf('postAttachCommand'),
  };
}

function isEmpty(command: HookCommand): boolean {
  return typeof command === 'string' ? command === '' : Object.keys(command).length === 0;
}
