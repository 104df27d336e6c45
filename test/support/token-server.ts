import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { run } from '../../scripts/lib/shell.ts';

/** A token server for CNCF Distribution (its "Token Authentication Specification"). */
export interface TokenServer {
  /** Distribution's `auth` settings. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** How many tokens it has given. */
  readonly given: () => number;
  readonly stop: () => Promise<void>;
}

const ISSUER = 'test issuer';
const SERVICE = 'test registry';

/**
 * Starts one on a free port.
 * @param dir for its certificate
 * @param seconds life of a token
 */
export async function startTokenServer(
  dir: string,
  seconds: number,
  login: { readonly user: string; readonly password: string },
): Promise<TokenServer> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [keyFile, certFile] = [`${dir}/token.key`, `${dir}/token.crt`];
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const subject = ['-subj', '/CN=token', '-days', '2'];
  await run('openssl', ['req', '-x509', '-key', keyFile, ...subject, '-out', certFile]);
  const der = await run('sh', ['-c', `openssl x509 -in '${certFile}' -outform DER | base64 -w0`]);
  const expected = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  let given = 0;
  const server = createServer((request, response) => {
    if (request.headers.authorization !== expected) return response.writeHead(401).end('{}');
    given += 1;
    const url = new URL(request.url ?? '/', 'http://token');
    const token = makeToken(url.searchParams.getAll('scope'), seconds, der.trim(), privateKey);
    return response.end(JSON.stringify({ token, expires_in: seconds }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    settings: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certFile } },
    given: () => given,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function makeToken(
  scopes: readonly string[],
  seconds: number,
  certificate: string,
  key: Parameters<typeof sign>[2],
): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const access = scopes.map((scope) => {
    const [, type, name, actions = ''] = /^([^:]+):(.+):([^:]+)$/.exec(scope) ?? [];
    return { type, name, actions: actions.split(',') };
  });
  const header = encode({ typ: 'JWT', alg: 'RS256', x5c: [certificate] });
  const times = { iat: now, nbf: now - 60, exp: now + seconds };
  const claims = {
    iss: ISSUER,
    aud: SERVICE,
    sub: 'user',
    jti: randomBytes(8).toString('hex'),
    access,
    ...times,
  };
  const text = `${header}.${encode(claims)}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
}
