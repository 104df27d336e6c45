/**
 * The fields of `type=bind,source=…,target=…`, as docker run takes it: a field in double quotes may hold commas. One without
 * a value is empty.
 */
export function splitMount(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [part] of text.matchAll(/"(?:[^"]|"")*"|[^,]+/g)) {
    const plain = part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
    const equals = plain.indexOf('=');
    const name = (equals < 0 ? plain : plain.slice(0, equals)).trim().toLowerCase();
    fields.set(name, equals < 0 ? '' : plain.slice(equals + 1));
  }
  return fields;
}
