import { dirname, resolve } from 'node:path';
import { checkInside } from '../context/repository.ts';
import type { Environment } from '../core/environment.ts';
import { AppError, type Where } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { applyBuildOptions } from './build-options.ts';
import { type BuildForm, buildOfImage } from './build-source.ts';
import { composeForm } from './compose/compose-form.ts';
import type { ReadConfig } from './read-config.ts';
import { readDockerfile } from './read-dockerfile.ts';
import type { DefinitionBuild } from './types.ts';

const OLD_KEYS = { file: ['dockerFile'], context: ['context'] };
const NOTHING = { below: { env: {} }, ungranted: [] } as const;

/**
 * The build of a devcontainer.json: its Dockerfile, else its Compose service, else its image, as the reference
 * implementation chooses.
 * @throws AppError DEVCONTAINER when it has none of them, or a file that it names is not there
 */
export function buildForm(
  read: ReadConfig,
  { env, defaultImage }: { readonly env: Environment; readonly defaultImage?: string },
  emit: Emit,
): BuildForm {
  const { config, document, file } = read;
  const names = ['dockerFile', 'dockerComposeFile', 'image'].filter((name) => name in config);
  const dockerfile = config.dockerFile ?? config.build?.dockerfile;
  if (config.dockerFile === undefined && dockerfile !== undefined) names.unshift('build.dockerfile');
  if (names.length > 1) {
    emit({
      type: 'warning',
      code: 'DEVCONTAINER',
      text: `${names.join(' and ')} exclude each other; ${names[0]} is taken`,
      ...rangeOf(document.whereOfKey([names[1]!.split('.')[0]!])),
    });
  }
  if (dockerfile !== undefined) return dockerfileForm(read, dockerfile, emit);
  if (config.dockerComposeFile !== undefined) return composeForm(read, env, emit);
  if (config.image !== undefined) return imageForm(read, config.image);
  if (defaultImage !== undefined) {
    const text = `${file} does not say what to build; it is built from ${defaultImage}`;
    emit({ type: 'message', level: 'info', text });
    return imageForm(read, defaultImage);
  }
  const keys = 'build' in config ? (['build'] as const) : [];
  throw new AppError('DEVCONTAINER', `${file} does not say what to build`, {
    where: document.whereOf([...keys]),
    hint: 'add "image", or "build" with "dockerfile", or "dockerComposeFile" with "service"',
  });
}

function rangeOf({ range }: Where): { readonly range?: NonNullable<Where['range']> } {
  return range === undefined ? {} : { range };
}

function dockerfileForm(read: ReadConfig, name: string, emit: Emit): BuildForm {
  const { config, document, base: folder, roots } = read;
  const dockerfile = resolve(folder, name);
  const inBuild = config.dockerFile === undefined;
  const keys = inBuild ? { file: ['build', 'dockerfile'], context: ['build', 'context'] } : OLD_KEYS;
  const context = inBuild ? config.build?.context : config.context;
  const named = { property: keys.file.join('.'), where: document.whereOf(keys.file) };
  const text = readDockerfile(dockerfile, { roots, ...named });
  const directory = context ? resolve(folder, context) : dirname(dockerfile);
  const contextNamed = { property: keys.context.join('.'), where: document.whereOf(keys.context) };
  checkInside(directory, roots, context ? contextNamed : named);
  const build: DefinitionBuild = {
    context: directory,
    dockerfile,
    ...(config.build?.target === undefined ? {} : { target: config.build.target }),
    buildArgs: new Map(Object.entries(config.build?.args ?? {})),
    contexts: new Map(),
    labels: new Map(),
  };
  return { build: applyBuildOptions(build, read, emit), text, ...NOTHING };
}

function imageForm(read: ReadConfig, image: string): BuildForm {
  if (/\s/.test(image) || image === '') {
    throw new AppError('DEVCONTAINER', `"${image}" is not the name of an image`, {
      where: read.document.whereOf(['image']),
    });
  }
  return { ...buildOfImage(read, image), ...NOTHING };
}
