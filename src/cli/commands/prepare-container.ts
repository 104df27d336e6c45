import { join } from 'node:path';
import { type Emit, silent } from '../../core/events.ts';
import { userCacheDir } from '../../core/user-cache-dir.ts';
import {
  type BuildOrder,
  type BuildRequest,
  build,
  type ContainerConfig,
  type DefinitionRequest,
  loadUp,
  readDevcontainer,
} from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import { makeRequest } from '../requests/build-request.ts';
import { containerDefinition } from '../requests/container-request.ts';
import { withDefinition } from '../requests/start-request.ts';
import type { CommandContext } from '../run-context.ts';

/** What is done where files of every owner can be made; plain data, as it may go to a process of its own. */
export type PrepareOrder =
  | ({ readonly work: 'build'; readonly folder: string } & BuildOrder)
  | { readonly work: 'remove'; readonly directory: string };

/** @returns the config of the image that was built @throws AppError of any code */
export async function prepareContainer(
  order: PrepareOrder,
  parsed: Parsed,
  context: CommandContext,
  emit: Emit,
): Promise<ContainerConfig> {
  if (order.work === 'remove') {
    const { removeDirectory } = await loadUp();
    removeDirectory(order.directory);
    return {};
  }
  const { folder, rootfs, archive, again, service } = order;
  const { signal } = context;
  const say = again === undefined ? emit : withoutWarnings(emit);
  const files = { context: folder, dockerfile: join(folder, 'Dockerfile') };
  const request = withCache(makeRequest(parsed, files, context), context);
  const definition = containerDefinition(parsed, folder, context);
  const defined =
    service === undefined
      ? withDefinition(request, await definedBy(definition, again === undefined ? emit : silent, signal))
      : await ofService(request, definition, service);
  const whole: BuildRequest = {
    ...defined,
    noCache: again === undefined && parsed.options['build-no-cache'],
    outputs: [
      ...(rootfs === undefined ? [] : [{ type: 'rootfs', path: rootfs } as const]),
      ...(archive === undefined ? [] : [{ type: 'docker', path: archive } as const]),
    ],
    ...(again === undefined
      ? {}
      : { push: false, workDir: join(again, 'work'), stateDir: join(again, 'state') }),
  };
  const { imageConfig } = await build(whole, { onEvent: say, signal });
  return imageConfig.config ?? {};
}

async function definedBy(definition: DefinitionRequest, onEvent: Emit, signal: AbortSignal) {
  const { build: defined, devcontainer } = await readDevcontainer(definition, { onEvent, signal });
  return { build: defined, devcontainer: { devcontainer, folder: definition.workspaceFolder } };
}

/** What options say of the image of the dev container is nothing of a service. */
async function ofService(
  { target: _, runtime: __, ...request }: BuildRequest,
  definition: DefinitionRequest,
  service: string,
): Promise<BuildRequest> {
  const { serviceBuild, configFileOf } = await loadUp();
  const configFile = configFileOf(definition, { emit: silent });
  const plain = { ...request, buildArgs: new Map(), contexts: new Map(), labels: new Map(), tags: [] };
  return withDefinition(plain, { build: serviceBuild(configFile, definition, service) });
}

/** A cache is needed where the user names none; with the whole image in it, a container is made anew without a registry. */
function withCache(request: BuildRequest, { env }: CommandContext): BuildRequest {
  if (request.cache !== undefined) return request;
  const path = join(userCacheDir(env), 'layers');
  return { ...request, cache: { type: 'directory', path }, push: true, failOnPushError: false };
}

function withoutWarnings(emit: Emit): Emit {
  return (event) => {
    if (event.type !== 'warning') emit(event);
  };
}
