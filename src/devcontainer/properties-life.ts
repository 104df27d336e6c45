import * as v from 'valibot';
import type { PropertyRow } from './property-types.ts';
import * as t from './property-types.ts';

const HOOKS_WITH_WAIT = [
  'initializeCommand',
  'onCreateCommand',
  'updateContentCommand',
  'postCreateCommand',
  'postStartCommand',
] as const;

const COMMAND = 'a string, a list of strings, or an object of named commands';

/** Hooks, and what concerns editors. */
export const LIFE_ROWS: readonly PropertyRow[] = [
  {
    name: 'initializeCommand',
    scenario: 'all',
    schema: t.hookCommand,
    expects: COMMAND,
    support: 'cannot',
    lenience: ['omit'],
    text: 'It is for the machine that the container runs on, which envbuilder does not see; a warning says so.',
  },
  {
    name: 'onCreateCommand',
    scenario: 'all',
    schema: t.hookCommand,
    expects: COMMAND,
    merge: 'collect',
    support: 'works',
    text: 'Runs once in the life of a container; a start that builds makes a new one.',
  },
  {
    name: 'updateContentCommand',
    scenario: 'all',
    schema: t.hookCommand,
    expects: COMMAND,
    merge: 'collect',
    support: 'works',
    text: 'Runs after onCreateCommand, and in later starts when the clone in the workspace is at another commit.',
  },
  {
    name: 'postCreateCommand',
    scenario: 'all',
    schema: t.hookCommand,
    expects: COMMAND,
    merge: 'collect',
    support: 'works',
    text: 'Runs once in the life of a container, as onCreateCommand does.',
  },
  {
    name: 'postStartCommand',
    scenario: 'all',
    schema: t.hookCommand,
    expects: COMMAND,
    merge: 'collect',
    support: 'works',
    text: 'Runs in every start. With ENVBUILDER_POST_START_SCRIPT_PATH it is written to a script instead.',
  },
  {
    name: 'postAttachCommand',
    scenario: 'all',
    schema: t.hookCommand,
    expects: COMMAND,
    merge: 'collect',
    support: 'differs',
    text: 'It is for the moment when an editor attaches, which envbuilder does not see. With ENVBUILDER_RUN_ATTACH it runs in every start, beside the init command; without, a line says that it does not run.',
  },
  {
    name: 'waitFor',
    scenario: 'all',
    schema: v.picklist(HOOKS_WITH_WAIT),
    expects:
      'initializeCommand, onCreateCommand, updateContentCommand, postCreateCommand or postStartCommand',
    merge: 'last',
    support: 'differs',
    lenience: ['omit'],
    text: 'Hooks behind the one that is named run beside the init command, their output in the log of the container. Left out, the init command waits for all hooks, where the reference waits for updateContentCommand; ENVBUILDER_WAIT_FOR decides instead.',
  },
  {
    name: 'customizations',
    scenario: 'all',
    schema: t.anyObject,
    expects: 'an object',
    merge: 'collect-per-key',
    support: 'works',
    lenience: ['null', 'omit'],
    text: 'Kept in the image label and printed by read-configuration, for the tools that they are meant for.',
  },
  {
    name: 'forwardPorts',
    scenario: 'all',
    schema: v.array(t.port),
    expects: 'a list of ports, each a number or "host:port"',
    merge: 'ports',
    support: 'no effect',
    text: 'For editors; kept in the image label.',
  },
  {
    name: 'portsAttributes',
    scenario: 'all',
    schema: t.portsAttributes,
    expects: 'an object of port attributes',
    merge: 'last-per-key',
    support: 'no effect',
    text: 'For editors; kept in the image label.',
  },
  {
    name: 'otherPortsAttributes',
    scenario: 'all',
    schema: t.portAttributes,
    expects: 'an object of port attributes',
    merge: 'last',
    support: 'no effect',
    text: 'For editors; kept in the image label.',
  },
  {
    name: 'shutdownAction',
    scenario: 'all',
    schema: v.picklist(['none', 'stopContainer', 'stopCompose']),
    expects: 'none, stopContainer or stopCompose',
    merge: 'last',
    support: 'no effect',
    text: 'For the tool that stops the container; kept in the image label.',
  },
];
