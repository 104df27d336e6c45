import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import { capture, run } from '../../scripts/lib/shell.ts';
import { until } from '../../src/core/testing.ts';

/** A terminal that can be looked at and resized: a window of tmux. */
export interface Screen {
  /** What starts a program in it, before the program with its arguments; it goes on when this has ended. */
  readonly under: readonly string[];
  /** Types a text and Enter. */
  type(text: string): Promise<void>;
  /** Presses a key, as tmux names it: C-c. */
  press(key: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Waits until what can be read, without the empty rows at the end, is as it should be, and gives it. @throws Error with the screen when it never is */
  waitFor(what: string, holds: (text: string) => boolean): Promise<string>;
  /** Waits until the program has ended, and gives all that has been written and stayed. */
  end(): Promise<string>;
  /** The title that programs can set. */
  title(): Promise<string>;
}

/** A window of this size for one program; it is closed after the test. */
export async function openScreen(
  t: TestContext,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Promise<Screen> {
  await ensurePackages(['tmux']);
  // A directory of its own: what the test removes before this is over would take the way to the server away.
  const dir = temporaryDir('screen');
  const [socket, config] = [join(dir, 'socket'), join(dir, 'conf')];
  writeFileSync(config, 'set -g status off\nset -g remain-on-exit on\n');
  const server = ['-u', '-S', socket, '-f', config];
  const call = (...args: readonly string[]): Promise<string> => run('tmux', [...server, ...args]);
  // Without a session there is no server either.
  t.after(async () => {
    await capture('tmux', [...server, 'kill-server']);
    rmSync(dir, { recursive: true, force: true });
  });
  const look = async (): Promise<string> => (await call('capture-pane', '-p')).trimEnd();
  const tell = async (format: string): Promise<string> =>
    (await call('display-message', '-p', format)).trim();
  return {
    under: ['tmux', ...server, 'new-session', '-d', '-x', String(columns), '-y', String(rows)],
    type: async (text) => {
      await call('send-keys', '-l', text);
      await call('send-keys', 'Enter');
    },
    press: async (key) => {
      await call('send-keys', key);
    },
    resize: async (x, y) => {
      await call('resize-window', '-x', String(x), '-y', String(y));
    },
    waitFor: async (what, holds) => {
      let text = '';
      try {
        await until(what, async () => {
          text = await look();
          return holds(text);
        });
      } catch (error) {
        throw new Error(`${what}:\n${text}`, { cause: error });
      }
      return text;
    },
    end: async () => {
      await until('the program ends', async () => (await tell('#{pane_dead}')) === '1');
      // The end itself is a line, above which others may have moved out of sight.
      return (await call('capture-pane', '-p', '-S', '-')).trimEnd();
    },
    title: () => tell('#{pane_title}'),
  };
}
