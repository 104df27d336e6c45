import type { CommandName } from './options/types.ts';

process.exitCode = await main(process.argv.slice(2));

/** Runs the command line; only what a command needs is loaded. Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [first = '', second = ''] = args;
  if (first === 'version' || first === '--version') {
    const { version } = await import('./version.ts');
    process.stdout.write(`envbuilder ${version()}\n`);
    return 0;
  }
  const topic = helpTopic(args);
  if (topic !== undefined) {
    const { helpText } = await import('./help.ts');
    process.stdout.write(helpText(topic));
    return 0;
  }
  const named = commandAt(args);
  const command = named ?? (first === '' || first.startsWith('-') ? 'start' : undefined);
  const { dispatch } = await import('./dispatch.ts');
  const word = first === 'help' ? second : first === 'registry' ? `registry ${second}` : first;
  return dispatch(command, word, named ? args.slice(named.split(' ').length) : args);
}

/** What help is asked for, if any; `help` with an unknown word is left to the dispatcher's error. */
function helpTopic(args: readonly string[]): CommandName | undefined {
  const [first, second] = args;
  if (first === 'help') return second === undefined ? 'start' : commandAt(args.slice(1));
  const flags = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (flags.includes('--help') || flags.includes('-h')) return commandAt(args) ?? 'start';
  return undefined;
}

/** The command that arguments begin with, of one word or two. */
function commandAt([first = '', second = '']: readonly string[]): CommandName | undefined {
  const commands: readonly CommandName[] = [
    'build',
    'probe',
    'read-configuration',
    'warm',
    'k8s',
    'registry serve',
    'registry gc',
    'registry check',
  ];
  return commands.find((name) => name === first || name === `${first} ${second}`);
}
