import type { MissingCause } from '../../core/error.ts';
import { plainText } from '../../core/plain-text.ts';

/** A row of the table of causes. */
interface CauseRow {
  /** What is said; `{names}` stands for what changed, `{was}` and `{is}` for both of its states, `{what}` for details. */
  readonly says: string;
  /** Whether it is told by comparing with an earlier build, whose time is then named. */
  readonly compared?: true;
  /** For the reference. */
  readonly about: string;
}

/**
 * Every cause of a step that is not taken from the cache, by its code. Messages, JSON and docs/reference/miss-causes.md are
 * made of this table.
 */
export const MISS_CAUSES = {
  'never-built': {
    says: 'no build of these stages has left a trace in this cache',
    about:
      'Nothing to compare with: the first build, or one of other stages, another platform or other times of files',
  },
  'new-step': {
    says: 'it is a new step',
    compared: true,
    about: 'The earlier build had no such instruction',
  },
  'step-before': {
    says: 'a step before it is made anew: {what}',
    about: 'The files that it works on are not those of the earlier build',
  },
  'base-stage': {
    says: 'the stage {names}, which it goes on from, is made anew',
    about: '`FROM` names a stage that changed',
  },
  'base-image': {
    says: 'base image {names} was {was} and is {is}',
    compared: true,
    about: 'The name in `FROM` leads to an image with other layers',
  },
  'base-name': {
    says: 'FROM names {is} and named {was}',
    compared: true,
    about: '`FROM` names another image, or a stage in place of one',
  },
  'base-settings': {
    says: 'the base image has another {names}',
    compared: true,
    about:
      'Its layers are the same, but not the variables, user, directory, shell or `ONBUILD` of its config',
  },
  'cache-salt': {
    says: 'the cache salt is another one',
    compared: true,
    about: '`--cache-salt` keeps caches apart',
  },
  'key-schema': {
    says: 'this version of envbuilder makes other keys',
    compared: true,
    about: 'The earlier build was one of a version with another key schema',
  },
  'command-changed': { says: 'its command changed', compared: true, about: 'The command of a `RUN`' },
  'shell-changed': {
    says: 'its SHELL changed',
    compared: true,
    about: 'What a command in shell form is given to',
  },
  'script-changed': { says: 'its script changed', compared: true, about: 'A heredoc of a `RUN`' },
  'arg-changed': {
    says: 'ARG {names} changed',
    compared: true,
    about: 'The value of a build argument that the command sees',
  },
  'arg-added': {
    says: 'ARG {names} is new',
    compared: true,
    about: 'A build argument that had no value, or was not declared',
  },
  'arg-removed': {
    says: 'ARG {names} is gone',
    compared: true,
    about: 'A build argument that has no value any more',
  },
  'env-changed': {
    says: 'ENV {names} changed',
    compared: true,
    about: 'The value of a variable of the image',
  },
  'env-added': {
    says: 'ENV {names} is new',
    compared: true,
    about: 'A variable of the image that was not there',
  },
  'env-removed': {
    says: 'ENV {names} is gone',
    compared: true,
    about: 'A variable of the image that is not there any more',
  },
  'env-order': {
    says: 'the order of its variables changed',
    compared: true,
    about: 'A command can print its variables in their order',
  },
  'user-changed': {
    says: 'its USER changed',
    compared: true,
    about: 'The user that a `RUN` or `WORKDIR` is done as',
  },
  'workdir-changed': {
    says: 'its WORKDIR changed',
    compared: true,
    about: 'The directory of a `RUN`, or the path of a `WORKDIR`',
  },
  'network-changed': { says: '--network changed', compared: true, about: '`RUN --network`' },
  'security-changed': { says: '--security changed', compared: true, about: '`RUN --security`' },
  'device-changed': { says: '--device changed', compared: true, about: '`RUN --device`' },
  'hostname-changed': {
    says: 'the name of its host changed',
    compared: true,
    about: '`BUILDKIT_SANDBOX_HOSTNAME`',
  },
  'secret-changed': {
    says: 'the mount of the secret {names} changed',
    compared: true,
    about: 'An option of `RUN --mount=type=secret`; the value of a secret never counts',
  },
  'secret-added': {
    says: 'the secret {names} is new',
    compared: true,
    about: 'A secret that was not mounted',
  },
  'secret-removed': {
    says: 'the secret {names} is gone',
    compared: true,
    about: 'A secret that is not mounted any more',
  },
  'ssh-changed': {
    says: 'the mount of the SSH agent {names} changed',
    compared: true,
    about: 'An option of `RUN --mount=type=ssh`',
  },
  'ssh-added': {
    says: 'the SSH agent {names} is new',
    compared: true,
    about: 'An agent that was not mounted',
  },
  'ssh-removed': {
    says: 'the SSH agent {names} is gone',
    compared: true,
    about: 'An agent that is not mounted any more',
  },
  'mount-changed': {
    says: 'the mount at {names} changed',
    compared: true,
    about: 'An option of another mount of a `RUN`',
  },
  'mount-added': { says: 'the mount at {names} is new', compared: true, about: 'A mount that was not there' },
  'mount-removed': {
    says: 'the mount at {names} is gone',
    compared: true,
    about: 'A mount that is not there any more',
  },
  'mount-files-changed': {
    says: 'files that are mounted at {names} changed',
    compared: true,
    about: 'What a bind mount or a cache mount shows of a context, a stage or an image',
  },
  'file-changed': {
    says: '{names} changed',
    compared: true,
    about: 'Content, mode or type of files that are copied',
  },
  'file-added': {
    says: '{names} is new',
    compared: true,
    about: 'Files that were not there, or were left out',
  },
  'file-removed': {
    says: '{names} is gone',
    compared: true,
    about: 'Files that are not there any more, or are left out',
  },
  'files-changed': {
    says: 'the files that it copies changed',
    compared: true,
    about: 'Which ones is not known: the earlier build took the step from the cache, or there are too many',
  },
  'inline-changed': {
    says: 'the heredoc {names} changed',
    compared: true,
    about: 'A file that stands in the Dockerfile',
  },
  'url-changed': {
    says: 'what {names} answers with changed',
    compared: true,
    about: 'A download of `ADD`: its content, name or time',
  },
  'git-changed': { says: '{names} has another commit', compared: true, about: 'A repository of `ADD`' },
  'sources-changed': {
    says: 'it has other sources',
    compared: true,
    about: 'Sources of a `COPY` or `ADD` came or went',
  },
  'stage-changed': {
    says: 'the stage {names}, which it copies from, is made anew',
    compared: true,
    about: '`COPY --from` of a stage',
  },
  'image-changed': {
    says: 'the image {names}, which it copies from, is another one',
    compared: true,
    about: '`COPY --from` of an image',
  },
  'destination-changed': {
    says: 'its destination changed',
    compared: true,
    about: 'Where a `COPY` or `ADD` puts files',
  },
  'chown-changed': { says: '--chown changed', compared: true, about: '`COPY --chown`' },
  'chmod-changed': { says: '--chmod changed', compared: true, about: '`COPY --chmod`' },
  'link-changed': { says: '--link changed', compared: true, about: '`COPY --link`' },
  'parents-changed': { says: '--parents changed', compared: true, about: '`COPY --parents`' },
  'exclude-changed': { says: '--exclude changed', compared: true, about: '`COPY --exclude`' },
  'something-changed': {
    says: 'something changed that traces do not hold',
    compared: true,
    about: 'The keys differ, but no part that was noted; two values in 260,000 look alike in a trace',
  },
  expired: {
    says: 'its record is of {what}, older than {is}',
    about: '`--cache-ttl-days`',
  },
  unsigned: {
    says: 'its record is not signed',
    about: 'There are trusted keys, and the record has no signature',
  },
  'unknown-key': {
    says: 'its record is signed by no trusted key, but by {names}',
    about: 'See `--cache-trusted-keys`',
  },
  'wrong-signature': {
    says: 'the signature of {names} is not one of its record',
    about: 'The record was changed after it was signed',
  },
  'record-unreadable': {
    says: 'its record cannot be read: {what}',
    about: 'The record is damaged, or of another version',
  },
  'cache-unreachable': {
    says: 'the cache cannot be asked: {what}',
    about: 'The registry is down, or refuses the login',
  },
  'layer-gone': {
    says: 'its layer {names} is gone from the cache',
    about: 'The record is there, and a layer that it names is not',
  },
  'record-gone': {
    says: 'it was built, but its record is gone',
    compared: true,
    about: 'The key is the same; the record was removed, or never stored',
  },
  'other-build': {
    says: 'its record is of another build than those of other stages',
    about: 'Layers of two builds are never mixed',
  },
  'no-cache': { says: 'nothing is taken from the cache with --no-cache', about: '`--no-cache`' },
} as const satisfies Readonly<Record<string, CauseRow>>;

export type MissCode = keyof typeof MISS_CAUSES;

/** What a cause is told with. */
export interface CauseFacts {
  readonly names?: readonly string[];
  readonly was?: string;
  readonly is?: string;
  readonly what?: string;
}

/** Why a step was not taken from the cache. */
export interface MissCause extends MissingCause {
  readonly code: MissCode;
}

/** So many names are said, and the rest is counted. */
const NAMED = 3;
/** So many are handed on to programs. */
const MOST_NAMES = 100;

/** @param since RFC 3339: when the build was that the step is compared with */
export function missCause(code: MissCode, facts: CauseFacts = {}, since?: string): MissCause {
  const { says, compared }: CauseRow = MISS_CAUSES[code];
  const names = facts.names?.map((one) => plainText(one));
  const told = { names: listed(names ?? []), was: facts.was, is: facts.is, what: facts.what };
  const text = says.replace(/\{(\w+)\}/g, (_, name: keyof typeof told) => plainText(told[name] ?? ''));
  const time = compared && since !== undefined ? ` since the build of ${timeText(since)}` : '';
  return {
    code,
    text: `${manyOf(text, names ?? [])}${time}`,
    ...(names ? { names: names.slice(0, MOST_NAMES) } : {}),
  };
}

/** A time as 2026-11-28 14:02. */
export function timeText(time: string): string {
  return plainText(time.slice(0, 16).replace('T', ' '));
}

function listed(names: readonly string[]): string {
  if (names.length <= NAMED)
    return [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' and ');
  return `${names[0]} and ${names.length - 1} more`;
}

function manyOf(text: string, names: readonly string[]): string {
  if (names.length < 2) return text;
  return text.replace(/ is (new|gone)$/, ' are $1').replace(/ has another commit$/, ' have other commits');
}
