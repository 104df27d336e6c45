/*
 * The parent of a RUN in place. Whatever the command leaves behind becomes its child, so that it can end all of that, and
 * nothing else, when the command ends or when the process that wanted it is gone.
 */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { entryPoint } from '../core/own-files.ts';
import { endDescendants } from './descendants.ts';
import type { HereEnd } from './run-here-types.ts';
import { createSyscalls } from './syscalls.ts';

const [CONTROL_FD, STATUS_FD, END_FD] = [3, 4, 5];

const syscalls = createSyscalls();
syscalls.adoptOrphans();

function finish(end: HereEnd): never {
  endDescendants(syscalls);
  writeSync(END_FD, JSON.stringify(end));
  process.exit(0);
}

function start(spec: string): void {
  const child = spawn(process.execPath, ['--no-warnings', fileURLToPath(entryPoint('run-here-init'))], {
    env: {},
    cwd: '/',
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', STATUS_FD],
  });
  const pipe = child.stdio[3] as NodeJS.WritableStream;
  pipe.on('error', () => {});
  pipe.end(spec);
  child.on('error', (error) => {
    writeSync(STATUS_FD, JSON.stringify({ message: error.message }));
    process.exit(1);
  });
  child.on('exit', (code, signal) => finish({ code, signal }));
}

let line = '';
const control = new Socket({ fd: CONTROL_FD, readable: true, writable: false });
control.setEncoding('utf8').on('data', (text: string) => {
  line += text;
  if (text.includes('\n')) start(line);
});
control.on('close', () => finish({ code: null, signal: 'SIGKILL' }));
