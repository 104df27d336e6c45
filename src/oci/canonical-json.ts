/**
 * The one JSON text that we write for a value: no white space, fields sorted by UTF-16 code units (RFC 8785, section
 * 3.2.3) and undefined ones left out, so the same manifest or config always has the same digest.
 */
export function canonicalJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(sorted(value)), 'utf8');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value as Record<string, unknown>);
  // An integer-like name would be moved to the front by any object, so such maps are sorted by the engine as well.
  return Object.fromEntries(
    fields
      .filter(([, item]) => item !== undefined)
      .sort(compareNames)
      .map(([name, item]) => [name, sorted(item)]),
  );
}

function compareNames([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
