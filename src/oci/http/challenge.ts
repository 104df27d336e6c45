/** One challenge of a WWW-Authenticate header; parameter names are lower case. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Parses a WWW-Authenticate header (RFC 9110, section 11.6.1), several challenges in one value included. What cannot be
 * parsed ends the list.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { scheme: string; params: Record<string, string> }[] = [];
  const token = /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (let match = token.exec(header); match !== null; match = token.exec(header)) {
    const [, name = '', quoted, plain] = match;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) found.push({ scheme: name.toLowerCase(), params: {} });
    else if (found.length > 0) found.at(-1)!.params[name.toLowerCase()] = value;
  }
  return found;
}

/** The challenge to answer: bearer before basic, as registries that offer both prefer it. */
export function chooseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined;
  const challenges = parseChallenges(header);
  const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.realm !== undefined);
  return bearer ?? challenges.find(({ scheme }) => scheme === 'basic');
}
