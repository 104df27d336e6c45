import { lint, optionsOf } from '../lint/lint.ts';
import { failAt, linesRange, readSource, type Source } from '../source.ts';
import type { ArgInstruction, Dockerfile, FromInstruction, Instruction } from '../types.ts';
import { readDirectives } from './directives.ts';
import { parseStatement } from './instruction.ts';
import { fail, readStatements, type Statement } from './statement.ts';
import type { Unit } from './unit.ts';

/**
 * Parses a Dockerfile as BuildKit's front end does: source → lines → logical lines with heredocs → instructions → stages.
 * Nothing is expanded yet; see types.ts for the fields that need it.
 * @param file the name that ranges and errors carry
 * @param check options of the checks that count instead of the file's, see optionsOf
 * @throws AppError DOCKERFILE with the range and the line of what is wrong; USAGE for options that are malformed
 */
export function parseDockerfile(content: Buffer | string, file: string, check?: string): Dockerfile {
  const source = readSource(content, file);
  const directives = readDirectives(source);
  const { escape: escapeChar } = directives;
  const statements = readStatements({ source, next: directives.lineCount }, escapeChar);
  if (statements.length === 0)
    failAt(source, linesRange(source, 1, 1), `${file} has no instructions`, 'begin with FROM');
  const units = readUnits(statements);
  const dockerfile = {
    file,
    lines: source.lines,
    escape: escapeChar,
    directives: directives.values,
    checks: optionsOf(source, directives.values, check),
    comments: commentsOf(statements),
    ...groupUnits(source, units),
  };
  return { ...dockerfile, warnings: lint(dockerfile, units) };
}

function commentsOf(statements: readonly Statement[]): Dockerfile['comments'] {
  const described = statements.filter(({ line }) => line.comments.length > 0);
  return new Map(described.map(({ line }) => [line.startLine, line.comments]));
}

function readUnits(statements: readonly Statement[]): Unit[] {
  let stage = -1;
  return statements.map((statement) => {
    const node = parseStatement(statement);
    if (node.kind === 'from') stage += 1;
    if (stage === -1 && node.kind !== 'arg') {
      const keyword = statement.keyword.text.toUpperCase();
      fail(
        statement,
        statement.keyword,
        `${keyword} stands before the first FROM`,
        'only ARG may stand before FROM',
      );
    }
    return { statement, node, stage };
  });
}

function groupUnits(source: Source, units: readonly Unit[]): Pick<Dockerfile, 'metaArgs' | 'stages'> {
  const metaArgs: ArgInstruction[] = [];
  const stages: { index: number; from: FromInstruction; instructions: Instruction[] }[] = [];
  for (const { node, stage } of units) {
    if (node.kind === 'from') stages.push({ index: stage, from: node, instructions: [] });
    else if (stage >= 0) stages[stage]!.instructions.push(node);
    else if (node.kind === 'arg') metaArgs.push(node);
  }
  if (stages.length === 0) {
    failAt(
      source,
      linesRange(source, 1, 1),
      `${source.file} has no FROM`,
      'begin with FROM image, or FROM scratch',
    );
  }
  return { metaArgs, stages };
}
