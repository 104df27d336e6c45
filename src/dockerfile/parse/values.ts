const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** Bytes from a size such as `64m`, `1.5GiB`, `100`: units are powers of 1024. Undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (!match || (match[2] === '' && /i/i.test(text))) return undefined;
  return Math.trunc(Number(match[1]) * 1024 ** UNITS.indexOf(match[2]!.toLowerCase()));
}

/** A boolean as Go's strconv.ParseBool reads it. */
export function parseGoBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return undefined;
}

/** An unsigned 32-bit number in a base of 8 or 10. */
export function parseUnsigned(text: string, base: 8 | 10): number | undefined {
  if (!(base === 8 ? /^[0-7]+$/ : /^[0-9]+$/).test(text)) return undefined;
  const value = Number.parseInt(text, base);
  return value <= 0xffffffff ? value : undefined;
}

/** The fields of one line of comma-separated values (RFC 4180); undefined when its quotes do not match. */
export function csvFields(text: string): string[] | undefined {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const match = /(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/y;
    match.lastIndex = at;
    const found = match.exec(text);
    if (!found) return undefined;
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2]!);
    at += found[0].length + 1;
    if (at > text.length) return fields;
  }
}

/** Nanoseconds from a duration such as `1m30s`, `500ms`, `1.5h`, as Go's time.ParseDuration reads it. */
export function parseDuration(text: string): number | undefined {
  const units: Record<string, number> = {
    ns: 1,
    us: 1e3,
    µs: 1e3,
    μs: 1e3,
    ms: 1e6,
    s: 1e9,
    m: 60e9,
    h: 3600e9,
  };
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|[\u00b5\u03bc]s|ms|s|m|h))+|0)$/.exec(text);
  if (!match) return undefined;
  let total = 0;
  for (const [, number, unit] of match[2]!.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|[\u00b5\u03bc]s|ms|s|m|h)/g)) {
    total += Number(number) * units[unit!]!;
  }
  return match[1] === '-' ? -total : Math.round(total);
}
