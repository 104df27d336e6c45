import { AppError } from '../../core/error.ts';
import { makeIndex, parseReference } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { parseAge } from '../options/quantities.ts';
import { registrySettings } from '../requests/registries.ts';

/** `envbuilder index`: makes an index of images that are there, and prints its digest. */
export const indexCommand: CommandBody = async ({ options, operands }, context, emit) => {
  if (operands.length === 0)
    throw new AppError('USAGE', 'no image is named', {
      hint: 'write envbuilder index --tag NAME IMAGE…',
    });
  if (options.tag.length === 0)
    throw new AppError('USAGE', 'the index has no name', { hint: 'give it one with --tag' });
  for (const name of [...operands, ...options.tag]) parseReference(name);
  for (const name of options.tag)
    if (parseReference(name).digest !== undefined)
      throw new AppError('USAGE', `--tag is "${name}", and nobody can choose a digest`, {
        hint: 'write REPOSITORY:TAG',
      });
  const digest = await makeIndex(
    {
      images: operands,
      tags: options.tag,
      waitMs: parseAge(options.wait, '--wait'),
      registries: registrySettings(options, context.env),
    },
    { onEvent: emit, signal: context.signal },
  );
  const image = `${options.tag[0]!.replace(/:[^/:]*$/, '')}@${digest}`;
  emit({ type: 'message', level: 'info', text: `made ${image}, as ${options.tag.join(', ')}`, image });
  context.stdout.write(`${digest}\n`);
};
