import { AppError, type SourceRange, type Where } from '../core/error.ts';
import { decodePath } from '../core/path-bytes.ts';

/** A file as physical lines, without line ends and byte order mark. */
export interface Source {
  readonly file: string;
  readonly lines: readonly string[];
  /** The indices of the lines before whose line feed a carriage return stood. */
  readonly returns: ReadonlySet<number>;
}

/**
 * Splits a source at its line feeds; one carriage return before each is set apart, so files from Windows mean the same.
 * Bytes that are not UTF-8 become path strings, so that file names in COPY survive.
 */
export function readSource(content: Buffer | string, file: string): Source {
  const text = typeof content === 'string' ? content : decodePath(content);
  const returns = new Set<number>();
  const lines = (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n').map((line, index) => {
    if (!line.endsWith('\r')) return line;
    returns.add(index);
    return line.slice(0, -1);
  });
  if (lines.at(-1) === '') lines.pop();
  return { file, lines, returns };
}

/** The range of whole lines, counted from 1, both included. */
export function linesRange(source: Source, first: number, last: number): SourceRange {
  const end = source.lines[last - 1] ?? '';
  return {
    file: source.file,
    start: { line: first, column: 1 },
    end: { line: last, column: end.length + 1 },
  };
}

/** A whole line of a file, counted from 1, with its text. */
export function whereOfLine(
  text: string,
  file: string,
  line: number,
): Where & { readonly range: SourceRange } {
  const source = readSource(text, file);
  return { ...whereIn(source, linesRange(source, line, line)), range: linesRange(source, line, line) };
}

/** A range with the source line that it starts on. */
export function whereIn(source: Source, range: SourceRange): Where {
  const line = source.lines[range.start.line - 1];
  return line === undefined ? { range } : { range, sourceLine: line };
}

/** Throws AppError DOCKERFILE at a range. */
export function failAt(source: Source, range: SourceRange, message: string, hint?: string): never {
  throw new AppError('DOCKERFILE', message, {
    where: whereIn(source, range),
    ...(hint === undefined ? {} : { hint }),
  });
}
