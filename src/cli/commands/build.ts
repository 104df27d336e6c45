import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { type BuildRequest, build, buildIndex } from '../../index.ts';
import { callCommand } from '../call/call.ts';
import { parseCall } from '../call/parse-call.ts';
import type { CommandBody } from '../command.ts';
import { requestOf } from '../requests/command-request.ts';
import { indexPlatforms } from '../requests/platforms.ts';
import { runOptions } from '../run-context.ts';
import { writeMetadataFile } from './metadata-file.ts';

/** `envbuilder build`: builds, writes the outputs, and prints the image's digest. */
export const buildCommand: CommandBody = async (parsed, context, emit) => {
  const { options } = parsed;
  const call = parseCall(options);
  if (call.method !== 'build') return callCommand(call, parsed, context, emit);
  const request = await requestOf(parsed, context, emit);
  const toStdout = request.outputs.some((output) => output.type === 'docker' && output.path === '-');
  if (toStdout && context.stdout.isTTY) {
    throw new AppError('USAGE', 'an archive is not written to a terminal', {
      hint: 'redirect standard output, or name a file with dest=PATH',
    });
  }
  if (keepsNothing(request) && options['metadata-file'] === undefined) {
    const text =
      'the image will be kept nowhere: name a cache with --layer-cache-dir or --cache-repo, or an --output';
    emit({ type: 'message', level: 'info', text });
  }
  const run = runOptions(context, emit);
  const platforms = indexPlatforms(options);
  const result =
    platforms.length > 0 ? await buildIndex({ ...request, platforms }, run) : await build(request, run);
  const { redactor, stdout, cwd } = context;
  if (options['metadata-file'] !== undefined) {
    const path = resolve(cwd, options['metadata-file']);
    await writeMetadataFile(path, result, { tags: options.tag, redactor, signal: context.signal });
  }
  if (!toStdout) stdout.write(`${result.descriptor.digest}\n`);
};

/** Whether nothing of a build is left but its digest. */
export function keepsNothing({
  cache,
  outputs,
  push,
}: Pick<BuildRequest, 'cache' | 'outputs' | 'push'>): boolean {
  return !cache && !push && outputs.length === 0;
}
