import * as tables from './copy-tables.ts';
import * as flagTables from './flag-tables.ts';
import type { Random } from './random.ts';

/** Where a COPY or ADD stands. */
export interface CopyPlace {
  /** Names of the stages before this one. */
  readonly earlier: readonly string[];
  /** Whether the base image knows the users that `namedOwners` names. */
  readonly hasUsers: boolean;
}

/**
 * A COPY or ADD, with the body of a heredoc below it. Where we differ from BuildKit on purpose (decision 19) it gives nothing:
 * - `--exclude` comes with directories as sources only, since BuildKit does not apply it to a file that is named;
 * - names in `--chown` (`-1` is one) come with the base image that knows them, since BuildKit takes unknown ones for root;
 * - `--link` has a destination of its own, since BuildKit follows no symlink there;
 * - no owner is above 2^31-1, and no file of a context has attributes, which Docker's client loses.
 */
export function copyInstruction(random: Random, place: CopyPlace): string {
  const add = random.chance(0.25);
  const flags = ownerAndMode(random, place.hasUsers);
  const linked = random.chance(0.15);
  if (linked) flags.push(random.pick(['--link', '--link=true']));
  const destination = linked ? `/linked-${random.int(1e6)}/` : random.pick(tables.destinations);
  if (add && random.chance(0.35)) return addSpecial(random, flags, destination);
  const stage = add ? undefined : sourceStage(random, place.earlier);
  if (stage === undefined && random.chance(0.1)) return heredoc(random, add, flags, destination);
  if (stage !== undefined) flags.push(`--from=${stage}`);
  const excludes = random.chance(0.2);
  if (excludes) flags.push(`--exclude=${random.pick(flagTables.excludePatterns)}`);
  if (excludes && random.chance(0.25)) flags.push(`--exclude=${random.pick(flagTables.excludePatterns)}`);
  const pool =
    stage === undefined
      ? excludes
        ? tables.contextDirs
        : tables.contextSources
      : excludes
        ? tables.stageDirs
        : tables.stageSources;
  const words = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => random.pick(pool));
  words.push(destination);
  const json = random.chance(0.1) && words.every((word) => !/["\\]/.test(word));
  return [add ? 'ADD' : 'COPY', ...flags, json ? JSON.stringify(words) : words.join(' ')].join(' ');
}

function ownerAndMode(random: Random, hasUsers: boolean): string[] {
  const owners = hasUsers && random.chance(0.5) ? flagTables.namedOwners : flagTables.numericOwners;
  const modes = random.chance(0.8) ? flagTables.commonModes : flagTables.oddModes;
  return [
    ...(random.chance(0.25) ? [`--chown=${random.pick(owners)}`] : []),
    ...(random.chance(0.25) ? [`--chmod=${random.pick(modes)}`] : []),
  ];
}

function sourceStage(random: Random, earlier: readonly string[]): string | undefined {
  if (!random.chance(0.35)) return undefined;
  const image = '@REGISTRY@/busybox:1';
  if (earlier.length > 0) return random.pick([...earlier, '0', String(earlier.length - 1), image]);
  return random.chance(0.3) ? image : undefined;
}

function addSpecial(random: Random, flags: readonly string[], destination: string): string {
  const source = random.pick(tables.addSources);
  const more: string[] = [];
  if (random.chance(0.2)) more.push(random.pick(['--unpack', '--unpack=false', '--unpack=true']));
  if (source.includes('/git/') && random.chance(0.2)) more.push('--keep-git-dir');
  return ['ADD', ...flags, ...more, source, destination].join(' ');
}

function heredoc(random: Random, add: boolean, flags: readonly string[], destination: string): string {
  const tag = random.pick(['EOF', '"EOF"', "'EOF'", 'E.F']);
  const dash = random.chance(0.3);
  const tab = dash ? '\t' : '';
  return [
    [add ? 'ADD' : 'COPY', ...flags, `<<${dash ? '-' : ''}${tag}`, destination].join(' '),
    `${tab}body $SRC \${DST} \\$X \\\\ "q" \${Z:-default}`,
    '',
    '\t tab',
    `${tab}${tag.replaceAll(/["']/g, '')}`,
  ].join('\n');
}
