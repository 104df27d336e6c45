import { delimiter, join, resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import {
  type CloneRequest,
  type GitCredentials,
  gitProgram,
  parseGitUrl,
  type WorkspaceRequest,
} from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { Options } from '../options/table.ts';
import { repositoryOf } from './dotfiles.ts';
import { registrySettings } from './registries.ts';
import { workspaceName } from './workspace-name.ts';

/** Where a PATH is missing from the environment. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The workspace that the options ask for.
 * @throws AppError USAGE for values that cannot be meant, or contradict each other
 */
export function workspaceRequest(
  { options }: Parsed,
  { env, cwd }: { readonly env: Environment; readonly cwd: string },
): WorkspaceRequest {
  const url = options['git-url'];
  const folder = resolve(
    cwd,
    options['workspace-folder'] ?? join(options['workspace-base-dir'], workspaceName(url)),
  );
  if (!url) return { folder };
  return { folder, clone: cloneRequest(url, options, env) };
}

/**
 * The clone of the dotfiles that the options ask for: as that of the workspace, but whole and without submodules, as
 * @devcontainers/cli has it. Name and password are for the server of the workspace alone.
 * @throws AppError USAGE as workspaceRequest
 */
export function dotfilesClone(
  { options }: Parsed,
  { env }: { readonly env: Environment },
): CloneRequest | undefined {
  const given = options['dotfiles-url'];
  if (!given) return undefined;
  const url = repositoryOf(given);
  const { depth: _, credentials: all, ...request } = cloneRequest(url, options, env);
  const { username, password, ...keys } = all;
  const [here, workspace] = [url, options['git-url'] ?? ''].map((one) => parseGitUrl(one)?.origin);
  const credentials = here !== undefined && here === workspace ? all : keys;
  return { ...request, credentials, singleBranch: false, submodules: 0 };
}

function cloneRequest(url: string, options: Options, env: Environment): CloneRequest {
  const { insecure, extraCaPem, proxy } = registrySettings(options, env);
  const depth = options['git-clone-depth'];
  const submodules = submoduleLevels(options['git-clone-submodules']);
  const proxyUrl = options['git-http-proxy-url'];
  return {
    url,
    ...(depth ? { depth } : {}),
    singleBranch: options['git-clone-single-branch'],
    ...(submodules === undefined ? {} : { submodules }),
    credentials: credentials(options, env),
    network: {
      insecure,
      proxy,
      ...(extraCaPem === undefined ? {} : { extraCaPem }),
      ...(proxyUrl ? { proxyUrl } : {}),
    },
    git: gitProgram(env.PATH || DEFAULT_PATH),
  };
}

function credentials(options: Options, env: Environment): GitCredentials {
  const [username, password] = [options['git-username'], options['git-password']];
  const [path, base64] = [options['git-ssh-private-key-path'], options['git-ssh-private-key-base64']];
  if (path && base64) {
    throw new AppError('USAGE', 'two SSH keys are given, as a file and as text', {
      hint: 'set only one of ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH and ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64',
    });
  }
  return {
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(path ? { sshKeyFile: path } : {}),
    ...(base64 ? { sshKey: decodeKey(base64) } : {}),
    ...(env.SSH_AUTH_SOCK ? { sshAgent: env.SSH_AUTH_SOCK } : {}),
    sshKnownHosts: (env.SSH_KNOWN_HOSTS ?? '').split(delimiter).filter(Boolean),
  };
}

function decodeKey(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  if (/^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return text;
  throw new AppError('USAGE', 'ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64 is not a private key in base64', {
    hint: 'encode the key with `base64 -w0 FILE`',
  });
}

/** The Go program takes true, false and a number of levels. */
function submoduleLevels(text: string | undefined): number | undefined {
  const word = text?.trim().toLowerCase();
  if (!word) return undefined;
  if (word === 'true') return ALL_LEVELS;
  if (word === 'false') return 0;
  if (/^\d{1,4}$/.test(word)) return Number(word);
  throw new AppError('USAGE', `ENVBUILDER_GIT_CLONE_SUBMODULES is "${word}"`, {
    hint: 'write true, false, or how many levels of submodules to clone',
  });
}

const ALL_LEVELS = 10;
