import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { readConfiguration } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { definitionRequest } from '../requests/command-request.ts';

/** `envbuilder read-configuration`: prints a devcontainer.json, and what it is merged with, as JSON. */
export const readConfigurationCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  const { cwd, signal, stdout } = context;
  if (operands.length > 0) {
    throw new AppError('USAGE', `unexpected argument ${operands[0]}`, {
      hint: 'the workspace is named with --workspace-folder',
    });
  }
  const folder = resolve(cwd, options['workspace-folder'] ?? '.');
  const { config } = options;
  const request = {
    ...definitionRequest(parsed, folder, context),
    ...(config === undefined ? {} : { devcontainerJsonPath: resolve(cwd, config) }),
    merged: options['include-merged-configuration'],
    features: options['include-features-configuration'],
  };
  const configuration = await readConfiguration(request, { onEvent: emit, signal });
  stdout.write(`${JSON.stringify(configuration)}\n`);
};
