import { stripVTControlCharacters } from 'node:util';

/** What may not reach a terminal, an editor or a log: control and format characters, lone surrogates, other line ends. */
const UNPRINTABLE = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/**
 * A line that may be anybody's, such as one that a RUN wrote, as text alone: nothing in it moves the cursor, colours,
 * rings, or sets a title. Tabs stay.
 */
export function printable(line: string): string {
  if (line.search(UNPRINTABLE) < 0) return line;
  return stripVTControlCharacters(line).replace(UNPRINTABLE, '');
}

/** The same with a `?` in the place of each such character, so that columns are where they were. */
export function printableInPlace(line: string): string {
  return line.replace(UNPRINTABLE, '?');
}

/** As `printable`, for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
