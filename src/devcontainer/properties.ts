import { BUILD_ROWS } from './properties-build.ts';
import { CONTAINER_ROWS } from './properties-container.ts';
import { LIFE_ROWS } from './properties-life.ts';
import type { PropertyRow, SupportRow } from './property-types.ts';

/** Every property of devcontainer.json that the published schema has, in the order of docs/devcontainer-support.md. */
export const PROPERTIES: readonly PropertyRow[] = [...BUILD_ROWS, ...CONTAINER_ROWS, ...LIFE_ROWS];

/** Keys of the schema that are about the file itself, and keys that older tools wrote. */
export const OTHER_KEYS: readonly string[] = ['$schema', 'extensions', 'settings', 'devPort', 'codespaces'];

/** Variables in strings, as docs/devcontainer-support.md lists them. */
export const VARIABLES: readonly SupportRow[] = [
  {
    name: '${localEnv:NAME}',
    support: 'works',
    text: 'A variable of the environment that envbuilder runs in, without its own options. `${localEnv:NAME:default}` has a default; without one, a variable that is not set is empty. `env` is an older name.',
  },
  {
    name: '${containerEnv:NAME}',
    support: 'differs',
    text: 'A variable of the container, with a default as above: of the image in `containerEnv`, of image and `containerEnv` everywhere else. The reference leaves it as it is in `containerEnv`.',
  },
  {
    name: '${NAME}',
    support: 'differs',
    text: 'In a start, in `containerEnv` and `remoteEnv`: a variable of the container as it is by then, that of the image, /etc/environment and `containerEnv`, as envbuilder (Go) has it. One that nothing sets stays as it is, with a warning. The reference does not know it.',
  },
  { name: '${localWorkspaceFolder}', support: 'works', text: 'The workspace.' },
  { name: '${localWorkspaceFolderBasename}', support: 'works', text: 'The name of its folder.' },
  {
    name: '${containerWorkspaceFolder}',
    support: 'differs',
    text: 'As in the reference, but that in a start without `workspaceFolder`, or where the workspace cannot be there, it is the folder that the workspace lies in.',
  },
  { name: '${containerWorkspaceFolderBasename}', support: 'differs', text: 'The name of that folder.' },
  {
    name: '${devcontainerId}',
    support: 'works',
    text: 'The digest of the workspace folder and the path of devcontainer.json, as the specification has it.',
  },
];
