import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { removeTree } from '../sys/remove-tree.ts';
import type { Account } from './account.ts';
import { chownTree } from './chown-tree.ts';
import type { NamedHooks } from './hooks.ts';

/** The user's own settings, which a start brings along. */
export interface Dotfiles {
  /** Their repository, without credentials. */
  readonly repository: string;
  /** Where they are put, for the user; `~` is the home, which relative paths are in too. */
  readonly target: string;
  /** What is run there; left out, the first of the usual scripts, and without any the files are linked from the home. */
  readonly installCommand?: string;
}

export interface DotfilesDeps {
  /** Where the clone is kept until the user has it. */
  readonly ownDir: string;
  readonly account: Account;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Clones into a directory that is not there yet. */
  readonly clone: (directory: string) => Promise<void>;
}

/** What the hook is called in messages, and in what a start keeps. */
export const DOTFILES = 'dotfiles' as const;
const CLONE = 'dotfiles-clone-';

/** As @devcontainers/cli looks for them. */
const SCRIPTS = [
  ...['install.sh', 'install', 'bootstrap.sh', 'bootstrap', 'script/bootstrap'],
  ...['setup.sh', 'setup', 'script/setup'],
];

/** Takes a clone, a target, a command or '' and the names of scripts; run as the user, who may write only what is theirs. */
const TAKE = `clone=$1 target=$2 command=$3
shift 3
if [ ! -e "$target" ]; then
  mkdir -p "$(dirname "$target")" && mv "$clone" "$target" || exit
fi`;

/** The same without a clone: the address is in a variable, since others can read arguments, and $1 is without its login. */
const CLONE_INSIDE = `origin=$1 target=$2 command=$3 url=$DOTFILES_URL branch=$DOTFILES_BRANCH
shift 3
unset DOTFILES_URL DOTFILES_BRANCH
if [ ! -e "$target" ]; then
  if ! command -v git > /dev/null 2>&1; then
    echo "there is no git to clone $origin with" >&2
    exit 127
  fi
  mkdir -p "$(dirname "$target")" &&
    GIT_TERMINAL_PROMPT=0 git clone --quiet --depth 1 \${branch:+--branch "$branch"} -- "$url" "$target" &&
    git -C "$target" remote set-url origin "$origin" || exit
fi`;

const INSTALL = `cd "$target" || exit
run() {
  [ -x "$1" ] || chmod +x "$1"
  echo "running $1 in $target"
  "$1"
  exit
}
if [ -n "$command" ]; then
  if [ -f "./$command" ]; then run "./$command"; fi
  if [ -f "$command" ]; then run "$command"; fi
  echo "there is no file $command in $target" >&2
  exit 126
fi
for script in "$@"; do
  if [ -f "$script" ]; then run "./$script"; fi
done
status=0
for file in "$target"/.*; do
  case \${file##*/} in . | .. | .git) continue ;; esac
  [ -e "$file" ] || [ -L "$file" ] || continue
  echo "linking $file"
  ln -sf "$file" "$HOME" || status=1
done
exit $status`;

/**
 * Clones dotfiles to where only their user reads them, unless the user has them already, and says how they are installed.
 * The clone holds no credentials.
 * @returns the hook; undefined after a warning where they cannot be cloned
 * @throws the reason of the signal when it is aborted
 */
export async function fetchDotfiles(
  { repository, target, installCommand = '' }: Dotfiles,
  { ownDir, account, emit, signal, clone }: DotfilesDeps,
): Promise<NamedHooks | undefined> {
  const { place, argv } = installation({ target, installCommand }, account);
  const hook = (tree: string): NamedHooks => ({
    name: DOTFILES,
    hooks: [{ origin: repository, command: argv(TAKE, tree) }],
    optional: true,
  });
  try {
    removeDotfiles(ownDir);
    if (statSync(place, { throwIfNoEntry: false }) !== undefined) return hook('');
    const made = mkdtempSync(join(ownDir, CLONE));
    const tree = join(made, 'tree');
    await clone(tree);
    await chownTree(made, account);
    return hook(tree);
  } catch (error) {
    removeDotfiles(ownDir);
    signal.throwIfAborted();
    const { code, message, hint } = toAppError(error, 'WORKSPACE', `cannot fetch the dotfiles ${repository}`);
    const text = `${message}; the start goes on without the dotfiles ${repository}`;
    emit({ type: 'warning', code, text, ...(hint === undefined ? {} : { hint }) });
    return undefined;
  }
}

/**
 * Has the container's own git clone dotfiles as their user, as @devcontainers/cli does it, and installs them.
 * @param url of the repository, with the login that it needs, and perhaps `#BRANCH`
 */
export function dotfilesInside(
  { repository, target, installCommand = '' }: Dotfiles,
  url: string,
  account: Pick<Account, 'home'>,
): NamedHooks {
  const { argv } = installation({ target, installCommand }, account);
  const [address = '', branch = ''] = url.split('#');
  return {
    name: DOTFILES,
    hooks: [{ origin: repository, command: argv(CLONE_INSIDE, maskedLogin(address)) }],
    optional: true,
    env: { DOTFILES_URL: address, DOTFILES_BRANCH: branch },
  };
}

function maskedLogin(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  [url.username, url.password] = ['', ''];
  return url.href;
}

function installation(
  { target, installCommand }: Required<Pick<Dotfiles, 'target' | 'installCommand'>>,
  { home }: Pick<Account, 'home'>,
) {
  const place = resolve(home, inHome(target, home));
  const argv = (begin: string, from: string): readonly string[] => {
    const command = inHome(installCommand, home);
    return ['/bin/sh', '-c', `${begin}\n${INSTALL}`, DOTFILES, from, place, command, ...SCRIPTS];
  };
  return { place, argv };
}

/** Removes clones that no user has taken. */
export function removeDotfiles(ownDir: string): void {
  for (const name of readdirSync(ownDir)) if (name.startsWith(CLONE)) removeTree(join(ownDir, name));
}

/** A path with the home that its beginning names, as a shell writes it. */
function inHome(path: string, home: string): string {
  return path.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, () => home);
}
