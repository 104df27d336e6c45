import { isatty } from 'node:tty';
import { type Emit, timed } from '../../core/events.ts';
import {
  type BuildRequest,
  type BuildResult,
  build,
  type Definition,
  loadContainer,
  type UserCommand,
} from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import { definitionOptions } from '../requests/definition-options.ts';
import { hookSecrets } from '../requests/hook-secrets.ts';
import { givenFolder } from '../requests/paths.ts';
import {
  defineBuild,
  type Source,
  settingsOfFile,
  startedDevcontainer,
} from '../requests/start-definition.ts';
import { inPlace, OWN_DIR, startRequest, withDefinition, workspaceBuild } from '../requests/start-request.ts';
import { dotfilesClone, workspaceRequest } from '../requests/workspace-request.ts';
import { type CommandContext, runOptions } from '../run-context.ts';

/** Starts this container up to the command that it ends up in, as the options say. */
export async function startContainer(
  parsed: Parsed,
  context: CommandContext,
  emit: Emit,
): Promise<UserCommand> {
  const { signal, redactor } = context;
  const { cloneForBuild, cloneInto, hideProcess, prepareWorkspace, requireInplaceRights, runAs, runStart } =
    await loadContainer();
  // What RUN and hooks start must not find our options in /proc.
  hideProcess('envbuilder');
  const place = workspaceRequest(parsed, context);
  const workspace = place.folder;
  const forHooks = hookSecrets(parsed, context);
  const start = {
    ...startRequest(parsed, { ...context, stdinIsTerminal: isatty(0) }, workspace),
    ...(forHooks === undefined ? {} : { hookSecrets: forHooks }),
  };
  const request = workspaceBuild(parsed, workspace, context);
  const { stateDir, allowOutside = [] } = request;
  const secrets = [...request.secrets.map(({ id }) => id), ...Object.keys(forHooks?.env ?? {})];
  const workspaceFixed = parsed.options['workspace-folder'] !== undefined;
  const known = { workspace, workspaceFixed, stateDir, allowOutside, secrets };
  const { overrideConfig } = definitionOptions(parsed, context.cwd);
  const override = overrideConfig === undefined ? {} : { overrideConfig };
  const definitionDeps = { ...context, ...givenFolder(parsed), ...override, ...known, emit };
  const dotfiles = dotfilesClone(parsed, context);
  const workspaceDeps = { emit, signal, addSecret: redactor.add };
  return runStart<Source>(start, {
    emit,
    signal,
    runAs,
    prepareWorkspace: () => timed(emit, 'clone', () => prepareWorkspace(place, workspaceDeps)),
    cloneForBuild: async () => {
      if (place.clone) return cloneForBuild(place.clone, request.workDir, workspaceDeps);
      return { folder: workspace, close: () => {} };
    },
    ...(dotfiles === undefined
      ? {}
      : {
          cloneDotfiles: async (directory: string) => {
            await cloneInto(directory, dotfiles, workspaceDeps);
          },
        }),
    requireRights: requireInplaceRights,
    define: (folder) => defineBuild(parsed, folder, definitionDeps),
    build: async (definition) => {
      await checkRoot(parsed, emit, signal);
      const whole = inPlace(withDefinition(request, definition), workspace, parsed);
      const say = (text: string): void => emit({ type: 'message', level: 'info', text });
      say(`building ${whatIsBuilt(definition)}`);
      const result = await build(whole, runOptions(context, emit));
      say(whatWasFound(result.summary, whole));
      return result.imageConfig.config ?? {};
    },
    describe: async (source, config, file) => {
      const settings = file === undefined ? undefined : await settingsOfFile(file, definitionDeps);
      return startedDevcontainer(source, config, definitionDeps, settings);
    },
  });
}

function whatIsBuilt({
  build: { dockerfile, dockerfileText, target },
  devcontainer,
}: Definition<Source>): string {
  const file = devcontainer?.devcontainer.configFile;
  if (file !== undefined) return `the dev container ${file}`;
  if (dockerfileText !== undefined) return dockerfileText.trim();
  return target === undefined ? dockerfile : `${dockerfile}, up to the stage ${target}`;
}

function whatWasFound(
  { stepsTotal, stepsHit, stepsBuilt }: BuildResult['summary'],
  { cache }: BuildRequest,
): string {
  const place =
    cache === undefined || cache.type === 'store'
      ? undefined
      : cache.type === 'directory'
        ? cache.path
        : cache.reference;
  const steps = `of ${stepsTotal} ${stepsTotal === 1 ? 'step' : 'steps'}`;
  const found = place === undefined ? 'there is no cache' : `${stepsHit} came from the cache ${place}`;
  return `${steps} ${stepsBuilt} ${stepsBuilt === 1 ? 'was' : 'were'} built; ${found}`;
}

/** Refuses to replace a root file system that is not a container's of ours, or warns at length where that is wanted. */
async function checkRoot({ options }: Parsed, emit: Emit, signal: AbortSignal): Promise<void> {
  const { assertSafe, countDown } = await loadContainer();
  const kanikoDir = options['kaniko-dir']?.trim();
  assertSafe({ ownDir: OWN_DIR, kanikoDir, force: options['force-safe'] });
  if (kanikoDir !== OWN_DIR) await countDown(emit, signal);
}
