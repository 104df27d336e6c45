import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../../scripts/lib/debian.ts';

/** A browser without a window, with one page, over the DevTools protocol. */
export interface Browser {
  /** Opens a file as a page of this size, in these colours, and waits until it is there. */
  open(file: string, view: View): Promise<void>;
  /** What an expression comes to in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** Presses a key: `Tab`, `Enter`. */
  press(key: 'Tab' | 'Enter'): Promise<void>;
  /** The page as it is printed. */
  pdf(): Promise<Buffer>;
  /** Requests, messages of the console and errors since the last call. */
  takeNotes(): { readonly requests: readonly string[]; readonly complaints: readonly string[] };
  close(): Promise<void>;
}

export interface View {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
  readonly media?: 'print';
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

const KEYS = { Tab: { code: 9 }, Enter: { code: 13, text: '\r' } } as const;

/** Starts the Chromium of Debian, which is installed where it is missing. */
export async function startBrowser(): Promise<Browser> {
  await ensurePackages(['chromium', 'fonts-dejavu-core']);
  const profile = temporaryDir('chromium');
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const child = spawn(
    'chromium',
    [...args, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'exit');
  const address = await addressOf(child.stderr);
  const origin = new URL(address).host;
  const targets = (await (await fetch(`http://${origin}/json`)).json()) as readonly {
    readonly type: string;
    readonly webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets.find(({ type }) => type === 'page')!.webSocketDebuggerUrl);
  await once(socket, 'open');
  let last = 0;
  let requests: string[] = [];
  let complaints: string[] = [];
  let loaded = (): void => {};
  const waiting = new Map<number, (message: Message) => void>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else note(message);
  });
  const note = ({ method, params = {} }: Message): void => {
    if (method === 'Page.loadEventFired') loaded();
    if (method === 'Network.requestWillBeSent') requests.push((params.request as { url: string }).url);
    if (
      method === 'Log.entryAdded' ||
      method === 'Runtime.consoleAPICalled' ||
      method === 'Runtime.exceptionThrown'
    )
      complaints.push(JSON.stringify(params));
  };
  const send = async (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    last += 1;
    const id = last;
    const answered = new Promise<Message>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { result = {}, error } = await answered;
    waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  return {
    open: async (file, { width, scheme, media = '' }) => {
      const size = { width, height: 900, deviceScaleFactor: 1, mobile: false };
      await send('Emulation.setDeviceMetricsOverride', size);
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await send('Emulation.setEmulatedMedia', { media, features });
      const done = new Promise<void>((resolve) => {
        loaded = resolve;
      });
      await send('Page.navigate', { url: pathToFileURL(file).href });
      await done;
    },
    evaluate: async <T>(expression: string) => {
      const { result, exceptionDetails } = await send('Runtime.evaluate', {
        expression,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { readonly value: T }).value;
    },
    press: async (key) => {
      const { code, ...text } = KEYS[key];
      const event = { key, code: key, windowsVirtualKeyCode: code, ...text };
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
    },
    pdf: async () =>
      Buffer.from((await send('Page.printToPDF', { printBackground: true })).data as string, 'base64'),
    takeNotes: () => {
      const notes = { requests, complaints };
      requests = [];
      complaints = [];
      return notes;
    },
    close: async () => {
      socket.close();
      child.kill('SIGKILL');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Where the browser listens, which it says on standard error. */
async function addressOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    const found = /DevTools listening on (ws:\/\/\S+)/.exec(text)?.[1];
    if (found !== undefined) {
      stream.resume();
      return found;
    }
  }
  throw new Error(`chromium did not start:\n${text}`);
}
