/** What a program needs that makes dev containers of its own, in namespaces, and runs commands in them. */

import { removeTree } from '../sys/remove-tree.ts';

export { configFileOf } from '../devcontainer/load.ts';
export { startInUserNamespace, whyNoNamespace } from '../sys/user-namespace.ts';
export {
  containerNamed,
  type DockerContainer,
  FILE_LABEL,
  FOLDER_LABEL,
  findContainers,
  OWN_LABEL,
} from '../up/docker/containers.ts';
export { createDockerEngine, type DockerEngine } from '../up/docker/engine.ts';
export { execInDocker } from '../up/docker/exec.ts';
export { removeFromDocker, splitLabel, upInDocker } from '../up/docker/up.ts';
export { down } from '../up/down.ts';
export { exec } from '../up/exec.ts';
export { mountOf } from '../up/mounts.ts';
export { serviceBuild } from '../up/services/read.ts';
export { listServices, statusOf } from '../up/services/store.ts';
export { checkName, createContainerStore } from '../up/store.ts';
export { up } from '../up/up.ts';

/** Deletes a directory with all that is in it; no link is followed. */
export function removeDirectory(directory: string): void {
  removeTree(directory);
}
