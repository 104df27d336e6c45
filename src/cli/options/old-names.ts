import type { Environment } from '../../core/environment.ts';
import type { OptionRow } from './types.ts';

const PREFIX = 'ENVBUILDER_';

/** What envbuilder (Go) reads without the prefix as well, with a warning, in a start. */
const OLD_NAMES = [
  'BASE_IMAGE_CACHE_DIR',
  'BINARY_PATH',
  'BUILD_CONTEXT_PATH',
  'BUILD_SECRETS',
  'CACHE_REPO',
  'CACHE_TTL_DAYS',
  'DEVCONTAINER_DIR',
  'DEVCONTAINER_JSON_PATH',
  'DOCKERFILE_PATH',
  'DOCKER_CONFIG_BASE64',
  'EXIT_ON_BUILD_FAILURE',
  'EXIT_ON_PUSH_FAILURE',
  'EXPORT_ENV_FILE',
  'FALLBACK_IMAGE',
  'FORCE_SAFE',
  'GET_CACHED_IMAGE',
  'GIT_CLONE_DEPTH',
  'GIT_CLONE_SINGLE_BRANCH',
  'GIT_CLONE_THINPACK',
  'GIT_HTTP_PROXY_URL',
  'GIT_PASSWORD',
  'GIT_SSH_PRIVATE_KEY_BASE64',
  'GIT_SSH_PRIVATE_KEY_PATH',
  'GIT_URL',
  'GIT_USERNAME',
  'IGNORE_PATHS',
  'INIT_ARGS',
  'INIT_COMMAND',
  'INIT_SCRIPT',
  'INSECURE',
  'LAYER_CACHE_DIR',
  'POST_START_SCRIPT_PATH',
  'PUSH_IMAGE',
  'REMOTE_REPO_BUILD_MODE',
  'SETUP_SCRIPT',
  'SKIP_REBUILD',
  'SSL_CERT_BASE64',
  'VERBOSE',
  'WORKSPACE_BASE_DIR',
  'WORKSPACE_FOLDER',
] as const;

/** The flag that envbuilder (Go) has, hidden from its help, for an option whose variable has an old name. */
export function legacyFlag({ name, variable = '' }: OptionRow): string | undefined {
  const isOld = OLD_NAMES.some((old) => variable === `${PREFIX}${old}`);
  return isOld ? `legacy-${name}` : undefined;
}

/**
 * The environment of a start with every variable under the name that it has today. The old names are gone from it, as in
 * envbuilder (Go), so that no user code finds them; a variable that has both is worth what the new one says.
 */
export function readOldNames(env: Environment): {
  readonly env: Environment;
  /** Old names that count here. */
  readonly used: readonly string[];
} {
  const found = OLD_NAMES.filter((name) => env[name] !== undefined);
  const used = found.filter((name) => env[name] && !env[`${PREFIX}${name}`]);
  const old = new Set<string>(found);
  const kept = Object.entries(env).filter(([name]) => !old.has(name));
  const renamed = used.map((name) => [`${PREFIX}${name}`, env[name]] as const);
  return { env: Object.freeze(Object.fromEntries([...kept, ...renamed])), used };
}
