import stringWidth from 'string-width';

const segments = new Intl.Segmenter();

/** Columns that a text takes on a terminal, without those of its colours. */
export const widthOf: (text: string) => number = stringWidth;

/** A printable line of at most so many columns, wide characters counted as such; what is cut off ends with `…`. */
export function cut(line: string, columns: number): string {
  const text = line.replaceAll('\t', '    ').trimEnd();
  if (columns < 1) return '';
  // Most that a terminal shows of such a line, however long it is.
  const head = text.slice(0, columns * 8);
  if (head.length === text.length && stringWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of segments.segment(head)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
