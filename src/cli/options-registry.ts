import type { OptionRow } from './option-types.ts';

/** The registry that the program itself serves. */
export const SERVER_OPTIONS = [
  {
    name: 'dir',
    variable: 'ENVBUILDER_REGISTRY_DIR',
    type: 'string',
    placeholder: 'DIR',
    text: "The directory of the registry, in the CNCF Distribution registry's file layout; a layer cache directory is one.",
    commands: ['registry serve'],
    group: 'Registry server',
  },
  {
    name: 'addr',
    variable: 'ENVBUILDER_REGISTRY_ADDR',
    type: 'string',
    default: '127.0.0.1:5000',
    placeholder: 'HOST:PORT',
    text: 'Where to listen; :PORT is every address of the machine, and port 0 any that is free.',
    commands: ['registry serve'],
    group: 'Registry server',
  },
  {
    name: 'tls-cert',
    variable: 'ENVBUILDER_REGISTRY_TLS_CERT',
    type: 'string',
    placeholder: 'FILE',
    text: 'The certificate of the server with its chain, as PEM; needs --tls-key. Without it the server speaks plain HTTP.',
    commands: ['registry serve'],
    group: 'Registry server',
  },
  {
    name: 'tls-key',
    variable: 'ENVBUILDER_REGISTRY_TLS_KEY',
    type: 'string',
    placeholder: 'FILE',
    text: 'The key of the certificate, as PEM.',
    commands: ['registry serve'],
    group: 'Registry server',
  },
  {
    name: 'htpasswd',
    variable: 'ENVBUILDER_REGISTRY_HTPASSWD',
    type: 'string',
    placeholder: 'FILE',
    text: 'Let in only the users of this file, which has bcrypt hashes as `htpasswd -B` makes them. It is read again when it changes.',
    commands: ['registry serve'],
    group: 'Registry server',
  },
] as const satisfies readonly OptionRow[];
