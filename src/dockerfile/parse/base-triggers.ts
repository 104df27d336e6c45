import { AppError, type SourceRange } from '../../core/error.ts';
import { readSource } from '../source.ts';
import type { Instruction } from '../types.ts';
import { parseStatement } from './instruction.ts';
import { readStatements } from './statement.ts';

/**
 * Reads a trigger that a base image's config holds.
 * @param origin where the base is named; every range in the result is this one, since the trigger stands in no file
 * @throws AppError DOCKERFILE at `origin`, naming the trigger, when it is not exactly one instruction that can follow FROM
 */
export function parseOnbuildTrigger(trigger: string, origin: SourceRange): Instruction {
  const where = { range: origin };
  const refuse = (reason: string, details: { hint?: string; cause?: unknown }): never => {
    throw new AppError('DOCKERFILE', `the base image has the ONBUILD trigger "${trigger}": ${reason}`, {
      where,
      ...details,
    });
  };
  try {
    const statements = readStatements({ source: readSource(trigger, origin.file), next: 0 }, '\\');
    const [statement] = statements;
    if (!statement || statements.length > 1) return refuse('it is not one instruction', {});
    const node = parseStatement(statement);
    return node.kind === 'from' ? refuse('FROM cannot be a trigger', {}) : placedAt(node, origin);
  } catch (error) {
    if (!(error instanceof AppError) || error.where === where) throw error;
    return refuse(error.message, { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
  }
}

function placedAt(node: Instruction, range: SourceRange): Instruction {
  const placed = <T extends { range: SourceRange }>(one: T): T => ({ ...one, range });
  if (node.kind === 'run') {
    return { ...placed(node), heredocs: node.heredocs.map(placed), mounts: node.mounts.map(placed) };
  }
  if (node.kind === 'copy') return { ...placed(node), heredocs: node.heredocs.map(placed) };
  if (node.kind === 'add') return { ...placed(node), heredocs: node.heredocs.map(placed) };
  return placed(node);
}
