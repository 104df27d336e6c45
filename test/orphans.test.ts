import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { until } from '../src/core/testing.ts';
import { noNamespaces } from './support/user-namespaces.ts';

/*
 * Whoever is killed by SIGKILL, as by the kernel when there is no memory left, can end nothing; every kind of program that
 * we start has to end all the same, with all that it has started.
 */

/** A program that ignores all that can be ignored, and has children of its own; it makes the file READY. */
const STUBBORN = `trap '' HUP INT TERM PIPE
sh -c 'sleep 3000; :' &
setsid sh -c 'sleep 3000; :' &
: >@READY@
sleep 3000
:`;
/** One that is alone, as what is told from a process that leaves its children to us. */
const ALONE = `trap '' HUP INT TERM PIPE
: >@READY@
exec sleep 3000`;

interface Kind {
  /** What starts it in the process that is killed, and gives a promise; `program` is the path of the script. */
  readonly code: string;
  readonly imports: string;
  readonly script?: string;
  /** How many processes there are at least before it is killed. */
  readonly least: number;
}

const from = (path: string): string => JSON.stringify(import.meta.resolve(`../src/${path}`));

/** A command of ours, for whom it is run. */
const COMMAND = `{
  argv: [program], env: { PATH: process.env.PATH }, cwd: '/', uid: process.getuid(), gid: process.getgid(), groups: [],
}`;

/** A command whose output is read, and one with the streams of the process that starts it. */
function bothWays(
  name: string,
  kind: (options: string) => Pick<Kind, 'imports' | 'code'>,
): Readonly<Record<string, Kind>> {
  const both = { script: STUBBORN, least: 4 };
  return {
    [name]: { ...both, ...kind('{ onOutput: () => {} }') },
    [`${name}, with our streams`]: { ...both, ...kind('{}') },
  };
}

const KINDS: Readonly<Record<string, Kind>> = {
  git: {
    script: STUBBORN,
    least: 4,
    imports: `import { createGit } from ${from('context/git/git.ts')};`,
    code: `createGit({ file: program, path: process.env.PATH, ssh: { knownHosts: [] } }).run(['clone'])`,
  },
  'a RUN in a container': {
    script: STUBBORN,
    least: 4,
    imports: `import { createHereRunner } from ${from('sys/run-here.ts')}; import { createSyscalls } from ${from('sys/syscalls.ts')};`,
    code: `createHereRunner(createSyscalls()).run({
        root: '/', argv: [program], env: { PATH: process.env.PATH }, cwd: '/', uid: 0, gid: 0, groups: [0], mounts: [],
        hostname: '', network: 'host', privileged: false, onOutput: () => {},
      })`,
  },
  'a command on the machine': {
    script: STUBBORN,
    least: 4,
    imports: `import { runOnHost } from ${from('up/run-on-host.ts')};`,
    code: `runOnHost({ argv: [program], env: process.env, cwd: '/' }, {})`,
  },
  ...bothWays('a hook', (options) => ({
    imports: `import { runAs } from ${from('sys/run-as.ts')};`,
    code: `runAs(${COMMAND}, ${options})`,
  })),
  ...bothWays('a command in a container', (options) => ({
    imports: `import { createRunInside } from ${from('up/container.ts')};`,
    code: `createRunInside({
        pid: process.pid, ids: undefined, privileged: true, capabilities: [], log: told + '.log',
      })(${COMMAND}, ${options})`,
  })),
  ...bothWays('the client of an engine that runs a command', (options) => ({
    imports: `import { createDockerEngine } from ${from('up/docker/engine.ts')};
      import { createRunInDocker } from ${from('up/docker/run-inside.ts')};`,
    code: `createRunInDocker({ docker: createDockerEngine(program, process.env), id: 'x', user: '0', known: {} })(
        ${COMMAND}, ${options})`,
  })),
  'the client of an engine': {
    script: STUBBORN,
    least: 4,
    imports: `import { createDockerEngine } from ${from('up/docker/engine.ts')};`,
    code: `createDockerEngine(program, process.env).call(['load'], { doing: 'load' })`,
  },
  'a user namespace with all in it': {
    script: STUBBORN,
    least: 5,
    imports: `import { startInUserNamespace } from ${from('sys/user-namespace.ts')};`,
    code: `startInUserNamespace(['/bin/sh', program], { warn: () => {}, streams: ['ignore', 'ignore', 'inherit'] })
        .then(({ go, exited }) => (go(), exited))`,
  },
  'a credential helper': {
    script: ALONE,
    least: 2,
    imports: `import { spawnCredentialHelper } from ${from('oci/credential-helper.ts')};`,
    code: `spawnCredentialHelper(program, 'x', process.env, 'get')`,
  },
  'a program that decodes': {
    least: 1,
    imports: `import { decodeByProgram } from ${from('layer/decode-program.ts')};`,
    code: `decodeByProgram('xz', { next: () => new Promise(() => {}) }, 'x').next()`,
  },
};

for (const [name, kind] of Object.entries(KINDS))
  test(`when we are killed it ends too: ${name}`, (t) => endsToo(t, kind, BY_US));

/** Who runs it, and which of the processes is killed, by their order. */
interface Killing {
  readonly command: readonly string[];
  readonly victim: number;
}

const BY_US: Killing = { command: [process.execPath], victim: 0 };

async function endsToo(
  t: TestContext,
  { imports, code, script, least }: Kind,
  { command, victim }: Killing,
): Promise<void> {
  const dir = mkdtempSync(join(temporaryDir('orphans'), 'd'));
  for (const each of [dir, dirname(dir)]) chmodSync(each, 0o777);
  const [program, ready, told] = [join(dir, 'program'), join(dir, 'ready'), join(dir, 'told')];
  if (script !== undefined) {
    writeFileSync(program, `#!/bin/sh\n${script.replace('@READY@', ready)}\n`);
    chmodSync(program, 0o755);
  }
  const text = `import { writeFileSync } from 'node:fs';
    ${imports}
    const [program, told] = [${JSON.stringify(program)}, ${JSON.stringify(told)}];
    const running = ${code};
    writeFileSync(told, '');
    await running;`;
  const [first = '', ...rest] = [...command, '--no-warnings', '--input-type=module', '--eval', text];
  const child = spawn(first, rest, { cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await until('it runs', () => {
    assert.equal(child.exitCode, null, 'it has ended by itself');
    const isReady = existsSync(told) && (script === undefined || existsSync(ready));
    return isReady && descendantsOf(child.pid!).length >= least;
  });
  const started = descendantsOf(child.pid!);
  t.after(() => {
    for (const { pid } of started.filter(isAlive)) process.kill(pid, 'SIGKILL');
  });
  assert.ok(started.every(isAlive));
  process.kill([child.pid!, ...started.map(({ pid }) => pid)][victim]!, 'SIGKILL');
  await until('all of it is gone', () => !started.some(isAlive));
}

/** Processes of several of the subordinate ids, which the ordinary user is none of. */
const OF_OTHERS = `${STUBBORN.replace(
  ': >@READY@',
  `for id in 1 1234; do
  setpriv --reuid=$id --regid=$id --clear-groups sh -c 'trap "" HUP INT TERM; sleep 3000; :' &
  setsid setpriv --reuid=$id --regid=$id --clear-groups sh -c 'trap "" HUP INT TERM; sleep 3000; :' &
done
: >@READY@`,
)}`;

describe('of an ordinary user with subordinate ids', () => {
  const login = `envo${process.pid}`;
  // The checkout may lie where an ordinary user may not go.
  const place = temporaryDir('orphans-program');
  const node = join(place, 'node');
  before(async () => {
    await ensurePackages(['uidmap', 'passwd', 'util-linux']);
    chmodSync(place, 0o755);
    cpSync(process.execPath, node);
    cpSync(join(import.meta.dirname, '../src/sys/user-namespace.ts'), join(place, 'user-namespace.ts'));
    await run('useradd', ['--no-create-home', '--home-dir', place, login]);
  });
  after(() => capture('userdel', ['--force', login]));

  const command = [
    ...['setpriv', `--reuid=${login}`, `--regid=${login}`, '--init-groups', '--inh-caps=-all', '--', node],
  ];
  for (const [who, ids] of Object.entries({ root: undefined, 'another user': { uid: 1000, gid: 1000 } })) {
    for (const [victim, what] of [
      'we are',
      'the maker of the namespace is',
      'the first one in it is',
    ].entries())
      test(`all in a namespace ends, in which the user is ${who}, when ${what} killed`, async (t) => {
        if (await noNamespaces(t, login)) return;
        const options = { ids, streams: ['ignore', 'ignore', 'inherit'] };
        const kind: Kind = {
          script: OF_OTHERS,
          least: 13,
          imports: `import { startInUserNamespace } from ${JSON.stringify(join(place, 'user-namespace.ts'))};`,
          code: `startInUserNamespace(['/bin/sh', program], {
              warn: (text) => { throw new Error(text); }, ...${JSON.stringify(options)},
            }).then(({ go, exited }) => (go(), exited)).then(() => new Promise(() => setInterval(() => {}, 60_000)))`,
        };
        await endsToo(t, kind, { command, victim });
      });
  }
});

/** A process, told from others that have its number later by when it began. */
interface Started {
  readonly pid: number;
  readonly began: string;
}

function descendantsOf(pid: number): readonly Started[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
    return children.flatMap((each) => {
      const began = beginOf(each);
      return [...(began === undefined ? [] : [{ pid: each, began }]), ...descendantsOf(each)];
    });
  } catch {
    return [];
  }
}

function isAlive({ pid, began }: Started): boolean {
  return beginOf(pid) === began;
}

/** When a process began (proc_pid_stat(5), field 22); undefined for one that has ended, whether or not anybody waits for it. */
function beginOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
