import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { type BuildRequest, build, type ProbeResult, probe } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { requestOf } from '../requests/command-request.ts';
import type { CommandContext } from '../run-context.ts';

/** `envbuilder probe`: prints the cached image. */
export const probeCommand: CommandBody = async (parsed, context, emit) => {
  const request = await requestOf(parsed, context, emit);
  await probeAndPrint(request, context, emit);
};

/**
 * Probes, and prints the line that names the image. An image that was never pushed although all its layers are there is
 * pushed when the request asks for it; nothing is built for that.
 * @throws AppError CACHE_MISS, NOT_PUSHED
 */
export async function probeAndPrint(
  request: BuildRequest,
  { stdout, signal }: Pick<CommandContext, 'stdout' | 'signal'>,
  emit: Emit,
): Promise<void> {
  const run = { onEvent: emit, signal };
  let result: ProbeResult;
  try {
    result = await probe(request, run);
  } catch (error) {
    if (!request.push || !(error instanceof AppError) || error.code !== 'NOT_PUSHED') throw error;
    const push = { ...request, noCache: false, outputs: [], failOnPushError: true, onlyCached: true };
    await build(push, run);
    result = await probe(request, run);
  }
  stdout.write(`ENVBUILDER_CACHED_IMAGE=${result.reference}\n`);
}
