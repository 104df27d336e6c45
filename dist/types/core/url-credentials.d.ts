/** Credentials in a URL (RFC 3986, section 3.2.1); a name alone is one only over HTTP, where tokens are written so. */
export declare const URL_USERINFO: RegExp;
/** What stands in place of a secret. */
export declare const MASK = "***";
/** The text with the credentials of every URL in it masked. */
export declare function maskUrlCredentials(text: string): string;
/** The value of an Authorization header for the credentials of a URL (RFC 7617); undefined when it has none. */
export declare function basicAuthOf({ username, password }: URL): string | undefined;
