/** What a program needs that is process 1 of a container and turns it into the environment that it has built. */

export { fileSettings } from '../devcontainer/file-settings.ts';
export { devcontainerOfImage, resolveAfterBuild } from '../devcontainer/resolve.ts';
export { warnUngranted } from '../devcontainer/ungranted.ts';
export { assertSafe } from '../rootfs/inplace/guard.ts';
export { createCoderLogs, type LogLevel } from '../start/coder-logs.ts';
export { countDown } from '../start/countdown.ts';
export { runStart } from '../start/start.ts';
export { linkWorkspace, notPlaced } from '../start/workspace-link.ts';
export { becomeCommand } from '../sys/become-command.ts';
export { hideProcess } from '../sys/hide-process.ts';
export { probeMachine } from '../sys/machine.ts';
export { removeTree } from '../sys/remove-tree.ts';
export { requireInplaceRights } from '../sys/rights.ts';
export { runAs, type UserCommand } from '../sys/run-as.ts';
export { cloneInto } from '../workspace/clone.ts';
export { cloneForBuild, prepareWorkspace } from '../workspace/prepare.ts';
