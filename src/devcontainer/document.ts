import {
  findNodeAtLocation,
  getNodeValue,
  type JSONPath,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { AppError, type Position, type SourceRange, type Where } from '../core/error.ts';
import { isTooDeep, withinStack } from '../core/nesting.ts';

/** A file in JSON with comments, and where its values stand. */
export interface JsonDocument {
  readonly file: string;
  /** What the file holds: an object. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the value at a path stands; where its nearest parent does when there is none. */
  whereOf(path: JSONPath): Where;
  /** Where the key of a property stands. */
  whereOfKey(path: JSONPath): Where;
}

/**
 * Reads JSON with comments and trailing commas.
 * @throws AppError DEVCONTAINER at the first mistake, and when the file does not hold an object
 */
export function parseDocument(source: string, file: string): JsonDocument {
  const text = source.replace(/^\uFEFF/, '');
  const at = (offset: number, length: number): Where => {
    const range: SourceRange = {
      file,
      start: positionOf(text, offset),
      end: positionOf(text, offset + length),
    };
    return { range, sourceLine: text.split(/\r?\n/)[range.start.line - 1] ?? '' };
  };
  const errors: ParseError[] = [];
  const root = withinStack(
    () => parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true }),
    () => {
      throw tooDeep(file);
    },
  );
  const [first] = errors;
  if (first) {
    throw new AppError('DEVCONTAINER', MISTAKES[printParseErrorCode(first.error)] ?? 'this is not JSON', {
      where: at(first.offset, Math.max(1, first.length)),
      hint: 'devcontainer.json is JSON in which comments and trailing commas are allowed',
    });
  }
  if (root?.type !== 'object') {
    throw new AppError('DEVCONTAINER', `${file} must hold a JSON object`, {
      where: at(root?.offset ?? 0, root?.length ?? 1),
      hint: 'the least that it can hold is {"image": "…"}',
    });
  }
  // The parser's objects have no prototype, which others do not expect.
  const value = withinStack(
    () => JSON.parse(JSON.stringify(getNodeValue(root))),
    () => {
      throw tooDeep(file);
    },
  );
  if (isTooDeep(value)) throw tooDeep(file);
  const whereOfNode = (node: Node): Where => at(node.offset, node.length);
  return {
    file,
    value,
    whereOf: (path) => whereOfNode(nearestNode(root, path)),
    whereOfKey: (path) => {
      const node = findNodeAtLocation(root, path);
      return whereOfNode(
        node?.parent?.type === 'property' ? node.parent.children![0]! : nearestNode(root, path),
      );
    },
  };
}

function tooDeep(file: string): AppError {
  return new AppError('DEVCONTAINER', `${file} is nested too deeply`);
}

function nearestNode(root: Node, path: JSONPath): Node {
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node) return node;
  }
  return root;
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

const MISTAKES: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this word is neither a string in double quotes nor true, false or null',
  InvalidNumberFormat: 'this number is not as JSON writes numbers',
  PropertyNameExpected: 'a property name in double quotes is expected here',
  ValueExpected: 'a value is expected here',
  ColonExpected: 'a colon is expected here',
  CommaExpected: 'a comma is expected here',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  EndOfFileExpected: 'nothing may follow the object',
  UnexpectedEndOfComment: 'this comment has no end',
  UnexpectedEndOfString: 'this string has no closing quote',
  UnexpectedEndOfNumber: 'this number has no end',
  InvalidUnicode: 'this is not a Unicode escape',
  InvalidEscapeCharacter: 'JSON has no such escape',
  InvalidCharacter: 'this character cannot stand in a string',
};
