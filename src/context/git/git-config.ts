import { getCACertificates } from 'node:tls';
import { GIT_LIMITS } from '../../core/network-limits.ts';
import type { GitSettings } from './types.ts';
import { createUnnamedFile, type UnnamedFile } from './unnamed-file.ts';

/** What makes git run as its settings say: its environment, and the files that it points to. */
export interface GitSetup {
  readonly env: Readonly<Record<string, string>>;
  /** Descriptors that git must be given, after the standard streams and one more. */
  readonly files: readonly number[];
  /** Lines that ssh added for hosts whose keys it accepted unseen. */
  acceptedHosts(): readonly string[];
  close(): void;
}

/** The number of the first of our files in git; those before it are the standard streams and a lock. */
const FIRST_FILE = 4;

/** A file as git and its children find it. */
interface InheritedFile extends UnnamedFile {
  readonly path: string;
  /** For ssh, which closes what it inherits: as its parent has it, PARENT standing for that one's number. */
  readonly pathOfParent: string;
}

const PARENT = '@parent@';

/** Objects above this are neither compared with others nor held in memory whole. */
const BIG_FILE = '16m';

/**
 * Writes the configuration of git for some settings, which is all that git sees. Secrets are in unnamed files only: not in the environment, not in
 * arguments, not in the repository. The files are inherited, since nobody may look into our own entry in /proc once
 * hideProcess was called.
 */
export function createGitSetup(settings: GitSettings): GitSetup {
  const files: UnnamedFile[] = [];
  const file = (text: string): InheritedFile => {
    const number = FIRST_FILE + files.length;
    const made = createUnnamedFile(text);
    files.push(made);
    return { ...made, path: `/proc/self/fd/${number}`, pathOfParent: `/proc/${PARENT}/fd/${number}` };
  };
  const config = file(configText(configOf(settings, file)));
  const accepted = settings.ssh.knownHosts.length === 0 ? file('') : undefined;
  const ssh = sshCommand(settings, accepted?.pathOfParent, file);
  return {
    files: files.map(({ fd }) => fd),
    env: {
      PATH: settings.path,
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: config.path,
      GIT_SSH_COMMAND: ssh,
      GIT_SSH_VARIANT: 'ssh',
      ...(settings.templates === false ? { GIT_TEMPLATE_DIR: '' } : {}),
      ...proxyVariables(settings),
      ...(settings.ssh.agent === undefined ? {} : { SSH_AUTH_SOCK: settings.ssh.agent }),
    },
    acceptedHosts: () => accepted?.read().split('\n').filter(Boolean) ?? [],
    close: () => {
      for (const each of files.splice(0)) each.close();
    },
  };
}

/** What goes through no proxy, whatever the variables say; the registry client has the same rule (`oci/http/proxy.ts`). */
const LOOPBACK = ['localhost', '127.0.0.0/8', '::1'];

type ConfigEntry = readonly [section: string, subsection: string | undefined, key: string, value: string];

function configOf(settings: GitSettings, file: (text: string) => InheritedFile): readonly ConfigEntry[] {
  const {
    login,
    authorization,
    insecure,
    extraCaPem,
    proxyUrl,
    localSubmodules,
    slow = GIT_LIMITS,
  } = settings;
  const entries: ConfigEntry[] = [
    ['safe', undefined, 'directory', '*'],
    ['core', undefined, 'hooksPath', '/dev/null'],
    ['core', undefined, 'bigFileThreshold', BIG_FILE],
    ['core', undefined, 'deltaBaseCacheLimit', '32m'],
    ['pack', undefined, 'threads', '2'],
    ['http', undefined, 'lowSpeedLimit', String(slow.bytes)],
    ['http', undefined, 'lowSpeedTime', String(slow.seconds)],
    ['protocol', 'file', 'allow', localSubmodules ? 'always' : 'user'],
    ['advice', undefined, 'detachedHead', 'false'],
    ['gc', undefined, 'auto', '0'],
    ['maintenance', undefined, 'auto', 'false'],
  ];
  if (insecure) entries.push(['http', undefined, 'sslVerify', 'false']);
  else if (extraCaPem !== undefined)
    entries.push(['http', undefined, 'sslCAInfo', file(certificates(extraCaPem)).path]);
  if (proxyUrl !== undefined) entries.push(['http', undefined, 'proxy', proxyUrl]);
  if (authorization !== undefined) {
    const { scope, header } = authorization;
    entries.push(['http', scope, 'extraHeader', `Authorization: ${header}`]);
    entries.push(['http', scope, 'followRedirects', 'false']);
  }
  if (login !== undefined) {
    // Only the shell's own commands are used, since no other may be there.
    const answers = file(`username=${login.username}\npassword=${login.password}\n`).path;
    const print = `while IFS= read -r line; do printf '%s\\n' "$line"; done <${answers}`;
    entries.push(['credential', login.origin, 'helper', '']);
    entries.push(['credential', login.origin, 'helper', `!f() { test "$1" != get || { ${print}; }; }; f`]);
  }
  return entries;
}

function configText(entries: readonly ConfigEntry[]): string {
  const quoted = (text: string): string =>
    `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
  return entries
    .map(([section, sub, key, value]) => {
      const head = sub === undefined ? section : `${section} "${sub.replace(/[\\"]/g, '\\$&')}"`;
      return `[${head}]\n\t${key} = ${quoted(value)}\n`;
    })
    .join('');
}

/** git replaces its own list by the one that it is given. */
function certificates(extra: string): string {
  const usual = new Set([...getCACertificates('default'), ...getCACertificates('system')]);
  return [...usual, extra, ''].join('\n');
}

function proxyVariables({ proxy, proxyUrl }: GitSettings): Readonly<Record<string, string>> {
  if (proxyUrl !== undefined || (!proxy?.http && !proxy?.https)) return {};
  return {
    ...(proxy.http ? { http_proxy: proxy.http } : {}),
    ...(proxy.https ? { https_proxy: proxy.https } : {}),
    no_proxy: [...(proxy.noProxy ? [proxy.noProxy] : []), ...LOOPBACK].join(','),
  };
}

function sshCommand(
  { ssh }: GitSettings,
  accepted: string | undefined,
  file: (text: string) => InheritedFile,
): string {
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=30',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=8',
    'GlobalKnownHostsFile=/dev/null',
    'HashKnownHosts=no',
    'UpdateHostKeys=no',
    `StrictHostKeyChecking=${accepted === undefined ? 'yes' : 'accept-new'}`,
    `UserKnownHostsFile=${(accepted === undefined ? ssh.knownHosts : [accepted]).map(sshQuoted).join(' ')}`,
    ...(ssh.key === undefined
      ? ['IdentityFile=none']
      : ['IdentitiesOnly=yes', `IdentityFile=${file(privateKey(ssh.key)).pathOfParent}`]),
  ];
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', shellQuoted(option)])].join(' ');
}

/** A key as OpenSSH reads it: it minds carriage returns, and a missing end of the last line. */
function privateKey(text: string): string {
  return `${text.replaceAll('\r', '').trim()}\n`;
}

const sshQuoted = (path: string): string => `"${path.replaceAll('%', '%%')}"`;
const shellQuoted = (text: string): string =>
  `'${text.replaceAll("'", "'\\''").replaceAll(PARENT, `'"$PPID"'`)}'`;
