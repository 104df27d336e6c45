import { posix } from 'node:path';
import { parseChmod } from '../context/chmod.ts';
import { expandHeredoc } from '../dockerfile/expand/expand.ts';
import type { AddInstruction, CopyInstruction, Heredoc } from '../dockerfile/types.ts';
import { addInputs } from './add-inputs.ts';
import { type CopyRequest, contextInput } from './context-input.ts';
import { located } from './located.ts';
import { resolveFrom } from './mount-source.ts';
import { joinImagePath } from './paths.ts';
import type { StageDeps } from './stage-deps.ts';
import { expand, type StageState, whereOf, workdirOf } from './stage-state.ts';
import type { CopyInput, CopyOperation } from './types.ts';

/** A copy of everything into the root. */
export const COPY_ALL = {
  kind: 'copy',
  destination: '/',
  link: false,
  parents: false,
  excludes: [],
} as const satisfies Omit<CopyOperation, 'inputs'>;

/**
 * A COPY or ADD with its sources listed and hashed, as far as they are the context's, a URL's or a repository's.
 * @throws AppError DOCKERFILE for a destination, variable or checksum that cannot be; CONTEXT for a source that is not
 *   there; what \`sources\` throws, with the place
 */
export async function planCopy(
  deps: StageDeps,
  state: StageState,
  instruction: CopyInstruction | AddInstruction,
): Promise<CopyOperation> {
  const { range } = instruction;
  const word = (text: string): string => expand(state, text, range);
  const sources = instruction.sources.map(word);
  const { excludes } = instruction;
  const destination = joinImagePath(workdirOf(state), word(instruction.destination));
  const [chown, chmod] = [instruction.chown, instruction.chmod].map((text) => text && word(text));
  const parents = instruction.kind === 'copy' && instruction.parents;
  const where = whereOf(state.dockerfile, range);
  const placing = {
    destination,
    ...(chmod ? { chmod: await located(where, async () => parseChmod(chmod)) } : {}),
  };
  const request: CopyRequest = { deps, state, instruction, sources, excludes, parents, placing, chmod };
  const inputs =
    instruction.kind === 'copy'
      ? await copyInputs(request, instruction)
      : await addInputs(request, instruction);
  inputs.push(...instruction.heredocs.map((heredoc) => inlineInput(state, heredoc)));
  return {
    kind: 'copy',
    inputs,
    destination,
    ...(chown ? { chown } : {}),
    ...(chmod ? { chmod } : {}),
    link: instruction.link,
    parents,
    excludes,
  };
}

async function copyInputs(request: CopyRequest, instruction: CopyInstruction): Promise<CopyInput[]> {
  const { deps, state, sources } = request;
  if (sources.length === 0) return [];
  if (instruction.from === undefined) {
    return [await contextInput(request, sources, await deps.input.sources.context())];
  }
  const source = await resolveFrom(deps, state, instruction.from, instruction.range);
  if (source.type === 'context') return [await contextInput(request, sources, source.tree)];
  return [{ kind: 'from', source, paths: sources }];
}

function inlineInput(state: StageState, heredoc: Heredoc): CopyInput {
  const { dockerfile, environment } = state;
  const text = heredoc.expand
    ? expandHeredoc(heredoc.content, environment.lookup, whereOf(dockerfile, heredoc.range))
    : heredoc.content;
  return { kind: 'inline', name: posix.basename(heredoc.name), content: Buffer.from(text) };
}
