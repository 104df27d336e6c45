import { MASK, maskUrlCredentials, URL_USERINFO } from '../core/url-credentials.ts';

/** Masks secrets in everything that is printed. */
export interface Redactor {
  /**
   * Registers a secret; it is masked as it stands, line by line, base64-encoded and URL-encoded. Text of fewer than four
   * characters is not masked: it would hide half of the output and protects nothing.
   */
  add(secret: string): void;
  /** The text with every registered secret, and every password in a URL, replaced by `***`. */
  text(text: string): string;
  /** The same for every string in a JSON-like value, keys included; other values stay as they are. */
  value(value: unknown): unknown;
  /** Length of the longest text that is masked: how much of an unfinished line may be the start of a secret. */
  longest(): number;
}

const SHORTEST = 4;

/** A redactor that knows no secrets yet. */
export function createRedactor(): Redactor {
  const secrets = new Set<string>();
  let pattern: RegExp | undefined;

  const text = (input: string): string => {
    pattern ??= secretPattern(secrets);
    const masked = secrets.size === 0 ? input : input.replace(pattern, MASK);
    return maskUrlCredentials(masked);
  };
  const value = (input: unknown): unknown => {
    if (typeof input === 'string') return text(input);
    if (Array.isArray(input)) return input.map(value);
    if (input === null || typeof input !== 'object') return input;
    return Object.fromEntries(Object.entries(input).map(([key, item]) => [text(key), value(item)]));
  };
  return {
    add: (secret) => {
      for (const form of secretForms(secret)) secrets.add(form);
      pattern = undefined;
    },
    text,
    value,
    longest: () => Math.max(0, ...[...secrets].map(({ length }) => length)),
  };
}

/**
 * The secrets in a Docker config: `auth` values with what they decode to, passwords and tokens. The text need not be valid.
 */
export function dockerConfigSecrets(json: string): readonly string[] {
  const found: string[] = [];
  for (const [, key, value = ''] of json.matchAll(
    /"(auth|password|identitytoken|registrytoken)"\s*:\s*"((?:[^"\\]|\\.)*)"/gi,
  )) {
    const plain = value.replace(/\\(["\\/])/g, '$1');
    found.push(plain);
    if (key?.toLowerCase() !== 'auth') continue;
    const decoded = Buffer.from(plain, 'base64').toString('utf8').replace(/\0+$/, '');
    found.push(decoded, decoded.slice(decoded.indexOf(':') + 1));
  }
  return found;
}

/** The passwords, or names without a password over HTTP, in the URLs of a text. */
export function urlSecrets(text: string): readonly string[] {
  return [...text.matchAll(URL_USERINFO)].map(([match]) => {
    const userinfo = match.slice(match.indexOf('://') + 3, -1);
    const secret = userinfo.slice(userinfo.indexOf(':') + 1);
    return safeDecode(secret);
  });
}

/** What of a secret is masked: the whole, its lines, and other spellings of it. */
export function secretForms(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const forms = [secret, secret.trim(), ...lines];
  for (const plain of new Set([secret, secret.trim()])) {
    const base64 = Buffer.from(plain).toString('base64');
    forms.push(base64, base64.replace(/=+$/, ''), encodeURIComponent(plain.toWellFormed()));
  }
  return forms.filter((form) => form.trim().length >= SHORTEST);
}

function secretPattern(secrets: ReadonlySet<string>): RegExp {
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((secret) => RegExp.escape(secret)).join('|'), 'g');
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
