import { type AppError, EXIT_CODES } from '../core/error.ts';
import type { HelpTopic } from './help.ts';
import { COMMAND_NAMES, type CommandName } from './options/types.ts';
import { untilSignalled, type Work } from './until-signalled.ts';

/** Fulfilled when the command has ended and its exit code is set. Nothing is awaited here: a script has no await of its own. */
export const ended = main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

/** Loads what a start needs besides, for whoever compiles the program ahead. */
export async function loadStart(): Promise<void> {
  const [{ loadContainer }] = await Promise.all([import('../index.ts'), import('./commands/start.ts')]);
  await loadContainer();
}

/** Runs the command line; only what a command needs is loaded. Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [first = '', second = ''] = args;
  if (first === 'version' || first === '--version') {
    const { version } = await import('./version.ts');
    process.stdout.write(`envbuilder ${version()}\n`);
    return 0;
  }
  const topic = helpTopic(args) ?? (await bareTopic(args));
  if (topic !== undefined) {
    const { helpText } = await import('./help.ts');
    process.stdout.write(helpText(topic));
    return 0;
  }
  if (first === 'completion') return printCompletion(second);
  const named = commandAt(args);
  const command = named ?? (first === '' || first.startsWith('-') ? 'start' : undefined);
  const inside = await asRoot(command);
  if (inside !== undefined) return inside;
  const word =
    first === 'help'
      ? second
      : first === 'registry' || first === 'cache'
        ? `${first} ${second}`.trim()
        : first;
  // The command of an exec gets its signals, and ends or does not.
  const untilEnd = command === 'exec' ? unsignalled : untilSignalled;
  return untilEnd(async () => {
    const { dispatch } = await import('./dispatch.ts');
    return (signal) => dispatch(command, word, named ? args.slice(named.split(' ').length) : args, signal);
  });
}

/**
 * For an ordinary user, runs a build as root of a user namespace.
 * @returns the exit code; undefined where the command is to run here
 */
async function asRoot(command: CommandName | undefined): Promise<number | undefined> {
  if (command !== 'build' || process.geteuid?.() === 0) return undefined;
  const { runAsRoot } = await import('../index.ts');
  return runAsRoot((text) =>
    process.stderr.write(`envbuilder: files cannot be given to other users than root: ${text}\n`),
  );
}

async function unsignalled(load: () => Promise<Work>): Promise<number> {
  const work = await load();
  return work(new AbortController().signal);
}

/** @returns the exit code */
async function printCompletion(shell: string): Promise<number> {
  const { completion } = await import('./completion.ts');
  try {
    process.stdout.write(completion(shell));
    return 0;
  } catch (error) {
    const { code, message, hint } = error as AppError;
    process.stderr.write(`error: ${message}\nhint: ${hint}\n`);
    return EXIT_CODES[code].exit;
  }
}

/** Without arguments: nothing where a start is meant, else the help of the program, which touches nothing. */
async function bareTopic(args: readonly string[]): Promise<HelpTopic | undefined> {
  if (args.length > 0) return undefined;
  const { isStartMeant } = await import('./start-meant.ts');
  return isStartMeant(process.env) ? undefined : 'start';
}

/** What help is asked for, if any; `help` with an unknown word is left to the dispatcher's error. */
function helpTopic(args: readonly string[]): HelpTopic | undefined {
  const [first, second] = args;
  if (first === 'help') return second === undefined ? 'start' : (commandAt(args.slice(1)) ?? topicAt(second));
  if (first === 'exec') return second === '--help' || second === '-h' ? 'exec' : undefined;
  const flags = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (flags.includes('--help') || flags.includes('-h')) return commandAt(args) ?? topicAt(first) ?? 'start';
  return undefined;
}

/** A word that is no command with options of its own, and has a help all the same. */
function topicAt(word = ''): HelpTopic | undefined {
  const topics: readonly HelpTopic[] = ['cache', 'registry', 'completion', 'help', 'version'];
  return topics.find((topic) => topic === word);
}

/** The command that arguments begin with, of one word or two. */
function commandAt([first = '', second = '']: readonly string[]): CommandName | undefined {
  return COMMAND_NAMES.find((name) => name !== 'start' && (name === first || name === `${first} ${second}`));
}
