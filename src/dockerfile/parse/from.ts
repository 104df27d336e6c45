import type { FromInstruction } from '../types.ts';
import { readFlags } from './flags.ts';
import { fail, nodeOf, type Statement } from './statement.ts';
import { plainWords } from './words.ts';

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/** `FROM [--platform=…] image [AS name]`. */
export function parseFrom(statement: Statement): FromInstruction {
  const flags = readFlags(statement, { platform: 'value' });
  const [image, as, name, extra] = plainWords(statement.rest.text, statement.rest.start);
  if (!image)
    fail(statement, undefined, 'FROM needs an image', 'write FROM image, or FROM scratch for an empty base');
  if (as && (as.text.toLowerCase() !== 'as' || !name)) {
    fail(statement, as, `FROM does not understand "${as.text}" here`, 'write FROM image AS name');
  }
  if (extra)
    fail(statement, extra, `FROM has the superfluous word "${extra.text}"`, 'write FROM image AS name');
  const lower = name?.text.toLowerCase();
  if (name && !STAGE_NAME.test(lower!)) {
    const hint = 'begin with a letter, then letters, digits, - _ and . only';
    fail(statement, name, `"${name.text}" is no valid stage name`, hint);
  }
  const platform = flags.value('platform');
  return {
    kind: 'from',
    ...nodeOf(statement),
    image: image.text,
    ...(platform === undefined ? {} : { platform }),
    ...(lower === undefined ? {} : { name: lower }),
  };
}
