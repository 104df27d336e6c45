import type { OptionRow } from './types.ts';

/** Who logs in. */
export const LOGIN_OPTIONS = [
  {
    name: 'username',
    short: 'u',
    type: 'string',
    placeholder: 'NAME',
    text: 'The user to log in as.',
    commands: ['login'],
    group: 'Registries',
  },
  {
    name: 'password-stdin',
    type: 'boolean',
    text: 'Read the password or token from standard input, up to the end of its line. Without it the terminal asks for it.',
    commands: ['login'],
    group: 'Registries',
  },
  {
    name: 'password',
    short: 'p',
    type: 'string',
    placeholder: 'PASSWORD',
    text: 'Refused: everybody on the machine can read the arguments of a program. Use --password-stdin.',
    commands: ['login'],
    group: 'Registries',
    secret: true,
  },
] as const satisfies readonly OptionRow[];
