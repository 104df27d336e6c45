/** Credentials in a URL (RFC 3986, section 3.2.1); a name alone is one only over HTTP, where tokens are written so. */
export const URL_USERINFO =
  /(\b[a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#@:]*:[^\s/?#@]*|(?<=https?:\/\/)[^\s/?#@]+)@/gi;

/** What stands in place of a secret. */
export const MASK = '***';

/** The text with the credentials of every URL in it masked. */
export function maskUrlCredentials(text: string): string {
  return text.includes('://') ? text.replace(URL_USERINFO, `$1${MASK}@`) : text;
}

/** The value of an Authorization header for the credentials of a URL (RFC 7617); undefined when it has none. */
export function basicAuthOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}
