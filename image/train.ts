/*
 * Writes the compiled code of a bundle's script beside it: of all functions that a command calls up to its first request to a
 * registry, besides those that are in the file already. That is as far as a command is the same in each run and on each
 * machine. Commands come one by one, since V8 numbers what it makes, and what a command did beside its request would count.
 * Usage: node --predictable train.ts APP ARCH COMMAND, where APP is the bundle, and ARCH (amd64, arm64) is what it is for: for
 * another architecture than ours nothing is written.
 */
import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { nodeArch } from './modules.ts';
import { codeFile, loadProgram, packCode } from './program.ts';
import { settle } from './settle.ts';

const [app = '', arch = '', trained = ''] = process.argv.slice(2);
if (nodeArch(arch) === process.arch) await train();

/** Ends the process: what the command has begun is given up. @throws Error for a command that there is none of */
async function train(): Promise<void> {
  const name = readdirSync(app).find((file) => /^program-.*\.cjs$/.test(file));
  if (name === undefined) throw new Error(`${app} holds no script`);
  // How deep it lies counts.
  const scratch = mkdtempSync('/tmp/envbuilder-train-');
  const command = commands(scratch)[trained];
  if (command === undefined) throw new Error(`${trained} is not trained`);
  const program = loadProgram(app, name, name);
  // Code that has not run for a while is kept as well. The code tells which flags it was made with, hence the usual ones below.
  setFlagsFromString('--no-flush-bytecode');
  hideMachine();
  const connected = Promise.withResolvers<void>();
  Socket.prototype.connect = function connect() {
    connected.resolve();
    return this;
  };
  process.argv.splice(1, Infinity, 'envbuilder', ...command.args);
  process.env = { ...command.env };
  const { ended, loadStart } = program.run(tamed(join(app, name))) as typeof import('../src/cli/main.ts');
  await Promise.race([ended, connected.promise]);
  if (command.load) await loadStart();
  setFlagsFromString('--flush-bytecode');
  writeFileSync(codeFile(join(app, name)), packCode(program.script.createCachedData()));
  rmSync(scratch, { recursive: true });
  settle(app);
  process.exit(0);
}

interface Command {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the modules of a start are loaded afterwards. */
  readonly load?: boolean;
}

/** A small build: asked for, made, and asked for as a start does. Of a start itself only the modules are loaded, for it depends on the container. */
function commands(scratch: string): Readonly<Record<string, Command>> {
  const context = join(scratch, 'context');
  mkdirSync(context);
  writeFileSync(
    join(context, 'Dockerfile'),
    `ARG BASE=registry.invalid/base:1
FROM $BASE AS one
ENV A=1
WORKDIR /work
RUN --mount=type=cache,target=/cache echo $A
FROM $BASE
COPY --from=one /work /work
COPY . /context
USER nobody
CMD ["true"]
`,
  );
  const place = [`--work-dir=${join(scratch, 'work')}`, `--state-dir=${join(scratch, 'state')}`];
  const cache = 'registry.invalid/cache';
  return {
    probe: { args: ['probe', `--cache-repo=${cache}`, context] },
    build: { args: ['build', `--cache-repo=${cache}`, ...place, context] },
    workspace: {
      args: [],
      env: {
        ENVBUILDER_GET_CACHED_IMAGE: 'true',
        ENVBUILDER_CACHE_REPO: cache,
        ENVBUILDER_WORKSPACE_FOLDER: context,
        ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
      },
    },
    start: { args: ['--version'], load: true },
  };
}

/** Neither who makes the bundle nor where counts. */
function hideMachine(): void {
  process.geteuid = () => 0;
  // Node makes other objects for a file, a pipe and a terminal.
  const value = new Writable({ write: (_chunk, _encoding, done) => done() });
  for (const name of ['stdin', 'stdout', 'stderr']) Object.defineProperty(process, name, { value });
}

/** What the script requires, without threads of its own. */
function tamed(script: string): NodeJS.Require {
  const load = createRequire(script);
  class NoWorker extends EventEmitter {
    constructor() {
      super();
      // As the thread for signals, which is waited for.
      process.nextTick(() => this.emit('message'));
    }
    unref(): void {}
  }
  const stubs: Readonly<Record<string, object>> = {
    'node:worker_threads': { ...load('node:worker_threads'), Worker: NoWorker },
  };
  const wrapped = (name: string): unknown => stubs[name] ?? load(name);
  return Object.assign(wrapped, load);
}
