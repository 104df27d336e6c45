import type { CommandName } from './option-types.ts';

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
  const command = isCommand(first) ? first : first === '' || first.startsWith('-') ? 'start' : undefined;
  const { dispatch } = await import('./dispatch.ts');
  return dispatch(command, first === 'help' ? second : first, isCommand(first) ? args.slice(1) : args);
}

/** What help is asked for, if any; `help` with an unknown word is left to the dispatcher's error. */
function helpTopic(args: readonly string[]): CommandName | undefined {
  const [first = '', second] = args;
  if (first === 'help') return second === undefined ? 'start' : isCommand(second) ? second : undefined;
  const flags = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (flags.includes('--help') || flags.includes('-h')) return isCommand(first) ? first : 'start';
  return undefined;
}

function isCommand(word: string): word is 'build' | 'probe' {
  return word === 'build' || word === 'probe';
}
