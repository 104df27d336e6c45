import { fileURLToPath } from 'node:url';
import { AppError, type AppErrorDetails, type ErrorCode } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { entryPoint } from '../../core/own-files.ts';
import { type ContainerConfig, loadUp, type PrepareDeps } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { CommandContext } from '../run-context.ts';
import type { PrepareOrder } from './prepare-container.ts';

/** What comes back from a namespace. */
export type PrepareAnswer =
  | { readonly image: ContainerConfig }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: AppErrorDetails;
      };
    };

/** Prepares containers in this process as root, and for an ordinary user in one that is root of a user namespace. */
export function prepareDeps(
  parsed: Parsed,
  context: CommandContext,
  folder: string,
  emit: Emit,
): PrepareDeps {
  const prepare = async (order: PrepareOrder, ids: Ids): Promise<ContainerConfig> => {
    if (process.geteuid?.() !== 0) return inNamespace(order, ids, context, emit);
    const { prepareContainer } = await import('./prepare-container.ts');
    return prepareContainer(order, parsed, context, emit);
  };
  return {
    build: (order, ids) => prepare({ work: 'build', folder, ...order }, ids),
    remove: async (directory, ids) => {
      await prepare({ work: 'remove', directory }, ids);
    },
  };
}

type Ids = Parameters<PrepareDeps['build']>[1];

/** Runs this program's own arguments once more, to carry out an order. */
async function inNamespace(
  order: PrepareOrder,
  ids: Ids,
  { signal }: CommandContext,
  emit: Emit,
): Promise<ContainerConfig> {
  const { startInUserNamespace, whyNoNamespace } = await loadUp();
  const command = [
    ...[process.execPath, ...process.execArgv, fileURLToPath(entryPoint('container-inside'))],
    ...process.argv.slice(2),
  ];
  const started = await startInUserNamespace(command, {
    // The container itself says it as well, when it is started.
    warn: (text) => emit({ type: 'message', level: 'debug', text }),
    ...(ids === undefined ? {} : { ids }),
    streams: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  if (started === undefined) {
    const { why, hint } = whyNoNamespace();
    throw new AppError('PERMISSION', `a container of an ordinary user needs a user namespace: ${why}`, {
      hint,
    });
  }
  const { child, inside, exited, go } = started;
  let answer: PrepareAnswer | undefined;
  child.on('message', (message: PrepareAnswer) => {
    answer = message;
  });
  const abort = (): void => {
    if (inside !== undefined && child.exitCode === null) process.kill(inside, 'SIGTERM');
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    go();
    child.send(order);
    const [code, ended] = await exited;
    signal.throwIfAborted();
    if (answer === undefined)
      throw new AppError('INTERNAL', `what prepares the container ended with ${ended ?? `code ${code}`}`);
  } finally {
    signal.removeEventListener('abort', abort);
  }
  if ('image' in answer) return answer.image;
  const { code, message, details } = answer.error;
  throw new AppError(code, message, details);
}
