import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { until } from '../src/core/testing.ts';

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

for (const [name, { imports, code, script, least }] of Object.entries(KINDS)) {
  test(`when we are killed it ends too: ${name}`, async (t) => {
    const dir = mkdtempSync(join(temporaryDir('orphans'), 'd'));
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
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', text], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
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
    child.kill('SIGKILL');
    await until('all of it is gone', () => !started.some(isAlive));
  });
}

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
