import { isMap, isNode, LineCounter, type Node, parseDocument, Scalar, visit } from 'yaml';
import { type Named, readDefinition } from '../../context/repository.ts';
import { AppError, type SourceRange, toAppError, type Where } from '../../core/error.ts';
import { isTooDeep } from '../../core/nesting.ts';

type Path = readonly (string | number)[];

/** A YAML file, and where its values stand. */
export interface YamlFile {
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the value at a path stands, or its nearest parent. */
  whereOf(path: Path): Where;
}

/** Of a Compose file: its tree takes eighty times the memory, and files of projects with a hundred services have a tenth. */
const MOST_CHARACTERS = 1024 * 1024;

/** How many nodes the aliases of a file may stand for. */
const MOST_ALIASES = 1000;

/** Stands for a value tagged `!reset`: what other files say of it is forgotten. */
export const RESET = Symbol('reset');

/** The key under which a value tagged `!override` stands: it replaces what other files say. */
export const OVERRIDE = Symbol('override');

/**
 * Reads a Compose file, with aliases and merge keys resolved.
 * @param named what names the file, and who
 * @throws AppError DEVCONTAINER when it cannot be read, is not YAML, or holds no mapping; OUTSIDE
 */
export function readYaml(
  path: string,
  roots: readonly string[],
  named: Named & { readonly where: Where; readonly by: 'definition' | 'operator' },
): YamlFile {
  const { where } = named;
  let text: string;
  try {
    text = readDefinition(path, roots, named).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw toAppError(error, 'DEVCONTAINER', `cannot read ${path}`, { where });
    throw new AppError('DEVCONTAINER', `there is no Compose file ${path}`, { where });
  }
  const lines = new LineCounter();
  const most = (what: string): AppError => new AppError('DEVCONTAINER', `${path} is ${what}`, { where });
  if (text.length > MOST_CHARACTERS) throw most(`longer than ${MOST_CHARACTERS} characters`);
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const at = (from: number, to: number): Where => {
    const position = (offset: number) => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    };
    const range: SourceRange = { file: path, start: position(from), end: position(Math.max(to, from + 1)) };
    return { range, sourceLine: text.split(/\r?\n/)[range.start.line - 1] ?? '' };
  };
  const [problem] = document.errors;
  if (problem) {
    throw new AppError('DEVCONTAINER', `this is not YAML: ${problem.message.replace(/\.$/, '')}`, {
      where: at(...problem.pos),
    });
  }
  if (!isMap(document.contents)) {
    throw new AppError('DEVCONTAINER', `${path} must hold a mapping with services`, { where: at(0, 1) });
  }
  const root = document.contents as unknown as Node;
  const whereOf = (place: Path): Where => {
    for (let length = place.length; length > 0; length -= 1) {
      const node = document.getIn(place.slice(0, length), true);
      if (isNode(node) && node.range) return at(node.range[0], node.range[1]);
    }
    return at(root.range?.[0] ?? 0, root.range?.[1] ?? 1);
  };
  try {
    visit(document, {
      Node: (_, node) => {
        if (node.tag === '!reset') return new Scalar(RESET);
        if (node.tag !== '!override') return undefined;
        return new Scalar({ [OVERRIDE]: node.toJS(document) });
      },
    });
    const value = document.toJS({ maxAliasCount: MOST_ALIASES }) as Record<string, unknown>;
    if (isTooDeep(value)) throw new Error('it is nested too deeply');
    return { path, value, whereOf };
  } catch (error) {
    // The parser's own limits: aliases that stand for too much, and nesting.
    throw new AppError('DEVCONTAINER', `${path} cannot be read as YAML`, { where, cause: error });
  }
}
