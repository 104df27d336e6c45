/** No name, version or address is longer; what is longer is no such thing. */
const LONGEST = 1000;

/** A text as it may stand in a document: one line, without control characters; undefined where nothing is left, or too much. */
export function oneLine(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST) return undefined;

  const text = value
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
  return text === '' ? undefined : text;
}

/** Fields by name; a later one of a name wins. */
export type Fields = ReadonlyMap<string, string>;

/**
 * The paragraphs of a file of fields, as dpkg and Python write them (deb822(5), RFC 822): `Name: value`, and lines that
 * begin with a blank go on with the field before. Names are in lower case.
 */
export function* paragraphs(text: string): Generator<Fields> {
  let fields = new Map<string, string>();
  let last: string | undefined;
  for (const line of lines(text)) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      last = undefined;
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (last !== undefined) fields.set(last, `${fields.get(last)}\n${line.slice(1)}`);
    } else {
      const colon = line.indexOf(':');
      last = colon < 0 ? undefined : line.slice(0, colon).toLowerCase();
      if (last !== undefined) fields.set(last, line.slice(colon + 1).trim());
    }
  }
  if (fields.size > 0) yield fields;
}

/** The lines of a text, one after the other: a database has a hundred thousand. */
export function* lines(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length : end;
    yield text.charCodeAt(next - 1) === 13 && next > at ? text.slice(at, next - 1) : text.slice(at, next);
    at = next + 1;
  }
}
