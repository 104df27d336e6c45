/*
 * Runs hooks beside the init command, as a process of its own. Descriptor 3 gives a line of JSON, a BesideWork; events go to
 * descriptor 4 until 3 is closed, and to standard error as text from then on.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Emit } from '../core/events.ts';
import { MASK } from '../core/url-credentials.ts';
import { runAs } from '../sys/run-as.ts';
import type { BesideWork } from './beside.ts';
import { runHooks } from './hooks.ts';
import { writeBuilt } from './state.ts';

// A reader of files would keep this process from ending as long as nothing comes.
const given = new Socket({ fd: 3, writable: false });
const input = createInterface({ input: given });
const events = new Socket({ fd: 4, readable: false });
let starting = true;
events.on('error', () => {
  starting = false;
});
input.once('line', (line) => void run(JSON.parse(line) as BesideWork));
input.once('close', () => {
  starting = false;
  events.end();
});

async function run(work: BesideWork): Promise<void> {
  const { hooks, account, env, cwd, keep, masked = [], evenAfterFailure = false } = work;
  const secrets = masked.toSorted((a, b) => b.length - a.length);
  const shown = (text: string): string => secrets.reduce((all, one) => all.replaceAll(one, MASK), text);
  const ended = new AbortController();
  process.once('SIGTERM', () => ended.abort(new Error('ended')));
  const emit: Emit = (event) => {
    if (starting) events.write(`${JSON.stringify(event)}\n`);
    else if ('text' in event) process.stderr.write(`${shown(event.text)}\n`);
  };
  let state = keep?.state;
  const onDone = (name: string): void => {
    if (!keep || !state) return;
    state = { ...state, done: { ...state.done, [name]: keep.content } };
    writeBuilt(keep.ownDir, state);
  };
  try {
    const { signal } = ended;
    await runHooks(hooks, { runAs, account, env, cwd, emit, signal, onDone, evenAfterFailure });
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    input.close();
    given.destroy();
  }
}
