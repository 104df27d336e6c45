import { resolve } from 'node:path';
import { AppError } from '../core/error.ts';
import type { CommandBody } from './command.ts';
import { writeMetadataFile } from './metadata-file.ts';
import type { Parsed } from './parse.ts';
import { dockerfilePath } from './paths.ts';
import { type BuildFiles, makeRequest } from './request.ts';

/** `envbuilder build`: builds, writes the outputs, and prints the image's digest. */
export const buildCommand: CommandBody = async (parsed, context, emit) => {
  const { options } = parsed;
  const request = makeRequest(parsed, commandFiles(parsed, context.cwd), context);
  const toStdout = request.outputs.some((output) => output.type === 'docker' && output.path === '-');
  if (toStdout && context.stdout.isTTY) {
    throw new AppError('USAGE', 'an archive is not written to a terminal', {
      hint: 'redirect standard output, or name a file with dest=PATH',
    });
  }
  const { runBuild } = await import('../build/build.ts');
  const result = await runBuild(request, { emit, signal: context.signal });
  const { redactor, stdout, cwd } = context;
  if (options['metadata-file'] !== undefined) {
    writeMetadataFile(resolve(cwd, options['metadata-file']), result, { tags: options.tag, redactor });
  }
  if (!toStdout) stdout.write(`${result.imageDigest}\n`);
};

/**
 * Where the context and the Dockerfile of a command lie.
 * @throws AppError USAGE when there is more than one argument
 */
export function commandFiles({ operands, options, given, command }: Parsed, cwd: string): BuildFiles {
  if (operands.length > 1) {
    throw new AppError('USAGE', `there is more than one context: ${operands.join(', ')}`, {
      hint: `see envbuilder ${command} --help`,
    });
  }
  const context = resolve(cwd, operands[0] ?? options['build-context-path'] ?? '.');
  const named = { path: options['dockerfile-path'], how: given.get('dockerfile-path') };
  return { context, dockerfile: dockerfilePath(named, { base: context, cwd }) };
}
