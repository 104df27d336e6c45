import { GIT_MISSING } from '../context/git/git.ts';
import { gitFailureKind, gitReason } from '../context/git/git-failure.ts';
import type { GitUrl } from '../context/git/git-url.ts';
import type { GitFailureKind, GitResult } from '../context/git/types.ts';
import { AppError, type ErrorCode } from '../core/error.ts';
import type { CloneRequest } from './types.ts';

/** The kind of failure that a result of git tells of. */
export function failureKind({ code, messages }: GitResult): GitFailureKind {
  return code === GIT_MISSING ? 'missing-program' : gitFailureKind(messages);
}

/** The error for a clone that failed, with what the user can do about it. */
export function cloneError(result: GitResult, url: GitUrl, request: CloneRequest): AppError {
  const kind = failureKind(result);
  const hint = hintFor(kind, url, request, result.messages);
  return new AppError(codeOf(kind), `cannot clone ${url.remote}: ${gitReason(result.messages)}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: new Error(result.messages.join('\n')),
    where: { url: url.remote },
  });
}

function codeOf(kind: GitFailureKind): ErrorCode {
  if (kind === 'auth' || kind === 'proxy-auth') return 'AUTH';
  return kind === 'disk-full' ? 'DISK_FULL' : 'WORKSPACE';
}

function hintFor(
  kind: GitFailureKind,
  url: GitUrl,
  { credentials, git }: CloneRequest,
  messages: readonly string[],
): string | undefined {
  switch (kind) {
    case 'missing-program':
      return `install git, or check that ${git.file} can be run`;
    case 'auth':
      if (url.transport === 'http') {
        return credentials.password === undefined &&
          credentials.username === undefined &&
          url.login === undefined
          ? 'set ENVBUILDER_GIT_USERNAME and ENVBUILDER_GIT_PASSWORD; a token goes into either of them'
          : 'check ENVBUILDER_GIT_USERNAME and ENVBUILDER_GIT_PASSWORD, and that the token may read this repository';
      }
      if (credentials.sshKey !== undefined || credentials.sshKeyFile !== undefined)
        return 'check that the public key is registered there, and that the private key has no passphrase';
      return credentials.sshAgent === undefined
        ? 'set ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH or ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64; there is no SSH agent either'
        : 'the SSH agent has no key that is accepted: add one with ssh-add, or set ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH';
    case 'proxy-auth':
      return 'put the user and the password of the proxy into its URL';
    case 'host-key':
      if (messages.some((line) => /^Host key for .* has changed/.test(line)))
        return 'ask whoever runs the host whether it has a new key, since it may be another host in its place; then replace the key in the file that SSH_KNOWN_HOSTS names';
      return 'add the key of the host to the file that SSH_KNOWN_HOSTS names (ssh-keyscan prints it), or unset the variable';
    case 'certificate':
      return 'set ENVBUILDER_SSL_CERT_BASE64 or ENVBUILDER_SSL_CERT_FILE to the certificate authority of the server';
    case 'no-reference':
      return `check that "${url.fragment ?? ''}" is a branch, a tag or a whole commit of the repository`;
    case 'no-repository':
      return 'check the URL; a server may also say so when the credentials may not read it';
    case 'network':
    case 'slow':
      if (url.transport === 'ssh')
        return 'check the name of the host, the port, and that this container can reach it; SSH goes through no proxy';
      return 'check the host, the network and the proxy settings (ENVBUILDER_GIT_HTTP_PROXY_URL, HTTPS_PROXY)';
    case 'disk-full':
      return 'free some space, or clone less with ENVBUILDER_GIT_CLONE_DEPTH=1';
    case 'other':
      return url.transport === 'ssh'
        ? 'try "ssh -v" with the same user, host and port from here to see more'
        : undefined;
  }
}
