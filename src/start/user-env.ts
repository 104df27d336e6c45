import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Emit } from '../core/events.ts';
import type { runAs } from '../sys/run-as.ts';
import type { Account } from './account.ts';
import type { Variables } from './environment.ts';

/** The flags that make a shell of each kind. */
const FLAGS = { loginShell: '-lc', interactiveShell: '-ic', loginInteractiveShell: '-lic' } as const;

/** A start does not wait longer for a user's profile. */
const TIMEOUT_MS = 10_000;

/** PowerShell has words for its flags, and login has to be the first. */
function flagsOf(shell: string, kind: keyof typeof FLAGS): readonly string[] {
  if (!/^pwsh(?:-preview)?$/.test(basename(shell))) return [FLAGS[kind]];
  return kind === 'interactiveShell' ? ['-Command'] : ['-Login', '-Command'];
}

/** Variables that belong to the shell that was asked, and mean nothing to others. */
const OF_THE_SHELL = ['_', 'PWD', 'OLDPWD', 'SHLVL'];

/**
 * What the user's own shell gives other values than they have in an environment, as the property userEnvProbe asks for it:
 * profiles and the like may add to PATH.
 * @param deps.asked whether somebody asked for the probe: a shell that fails is a warning then; one that takes too long is
 * always one
 * @param deps.timeoutMs for tests
 * @returns for `mergeShell`; undefined where the shell could not be asked
 */
export async function probeUserEnvironment(
  kind: 'none' | keyof typeof FLAGS,
  deps: {
    readonly runAs: typeof runAs;
    readonly account: Account;
    readonly env: Variables;
    readonly emit: Emit;
    readonly signal: AbortSignal;
    readonly asked?: boolean;
    readonly timeoutMs?: number;
  },
): Promise<Variables | undefined> {
  const { account, env, emit, signal, asked = true, timeoutMs = TIMEOUT_MS } = deps;
  if (kind === 'none') return undefined;
  const { uid, gid, groups } = account;
  const shell = env.SHELL || account.shell;
  const mark = `envbuilder-${crypto.randomUUID()}`;
  const script = `printf %s ${mark}; cat /proc/self/environ; printf %s ${mark}`;
  const chunks: Buffer[] = [];
  const enough = new AbortController();
  const timer = sleep(timeoutMs, undefined, { signal: enough.signal }).then(
    () => enough.abort(),
    () => {},
  );
  let reason = 'printed no environment';
  let isSlow = false;
  try {
    const result = await deps.runAs(
      { argv: [shell, ...flagsOf(shell, kind), script], env, cwd: '/', uid, gid, groups },
      {
        onOutput: (stream, chunk) => stream === 'stdout' && chunks.push(chunk),
        signal: AbortSignal.any([signal, enough.signal]),
      },
    );
    const parts = Buffer.concat(chunks).toString('utf8').split(mark);
    if (parts.length === 3) return changed(env, parts[1]!);
    if (result.failure) reason = result.failure.message;
    else if (result.exitCode !== 0) reason = `exited with code ${result.exitCode}`;
  } catch (error) {
    if (signal.aborted) throw error;
    isSlow = true;
    reason = `took longer than ${timeoutMs / 1000} seconds`;
  } finally {
    enough.abort();
    await timer;
  }
  const text = `the environment of ${account.name} could not be read from ${shell}: it ${reason}`;
  // Nobody waits so long without a word.
  if (asked || isSlow)
    emit({ type: 'warning', code: 'START_FAILED', text, hint: 'set "userEnvProbe": "none" to go without' });
  else emit({ type: 'message', level: 'debug', text });
  return undefined;
}

function changed(env: Variables, block: string): Variables {
  const probed = block
    .split('\0')
    .filter((entry) => entry.includes('='))
    .map((entry): [string, string] => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    })
    .filter(([name, value]) => !OF_THE_SHELL.includes(name) && env[name] !== value);
  return Object.fromEntries(probed);
}

/** An environment with what a shell has changed; entries of PATH that its profile threw away are kept. */
export function mergeShell(env: Variables, added: Variables): Variables {
  const all: Variables = { ...env, ...added };
  return env.PATH && all.PATH ? { ...all, PATH: joinPaths(all.PATH, env.PATH) } : all;
}

/** The shell's path, with the entries that its profile threw away put back where they stood among the others. */
function joinPaths(ofShell: string, before: string): string {
  const path = ofShell.split(':');
  let at = 0;
  for (const entry of before.split(':')) {
    const found = path.indexOf(entry);
    if (found < 0) path.splice(at, 0, entry);
    at = (found < 0 ? at : found) + 1;
  }
  return path.join(':');
}
