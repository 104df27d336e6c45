import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import type { PasswordQuestion } from './password-work.ts';
import { RegistryError } from './registry-error.ts';

/** How many password checks may wait, and how many run at once. */
export interface CheckLimits {
  /** Threads. */
  readonly threads: number;
  /** Checks that wait, in all. */
  readonly waiting: number;
  /** Checks that wait for one address, so that nobody takes all the places. */
  readonly waitingOfOne: number;
}

/** Compares passwords with bcrypt hashes in threads of their own. */
export interface PasswordChecks {
  /**
   * Whether a password is right. Addresses take turns.
   * @param from the address that asks
   * @throws RegistryError 429 when too many checks of this address wait, 503 when too many wait in all; both say when to
   * ask again
   */
  check(question: PasswordQuestion, from: string): Promise<boolean>;
  /** Ends the threads; what waits is never answered. */
  close(): Promise<void>;
}

const LIMITS: CheckLimits = {
  threads: Math.max(1, Math.min(4, availableParallelism() - 1)),
  waiting: 128,
  waitingOfOne: 32,
};
/** What a check is taken to last before one has, in milliseconds: bcrypt's usual aim. */
const FIRST_GUESS_MS = 100;
const MOST_RETRY_AFTER_S = 60;

interface Job {
  readonly question: PasswordQuestion;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  ask(job: Job): void;
  close(): Promise<unknown>;
}

/** Threads are started with the first check, and do not keep the process alive. */
export function createPasswordChecks(limits: CheckLimits = LIMITS): PasswordChecks {
  const queues = new Map<string, Job[]>();
  const idle: Thread[] = [];
  const threads = new Set<Thread>();
  let waiting = 0;
  let closed = false;
  let averageMs = FIRST_GUESS_MS;

  /** The first job of the address that has waited longest for its turn. */
  const next = (): Job | undefined => {
    const [first] = queues;
    if (first === undefined) return undefined;
    const [from, jobs] = first;
    const job = jobs.shift()!;
    waiting -= 1;
    queues.delete(from);
    if (jobs.length > 0) queues.set(from, jobs);
    return job;
  };
  const work = (thread: Thread): void => {
    const job = next();
    if (job === undefined) idle.push(thread);
    else thread.ask(job);
  };
  const start = (): Thread => {
    const thread = startThread({
      free: (ms) => {
        averageMs = (averageMs * 7 + ms) / 8;
        work(thread);
      },
      gone: () => {
        threads.delete(thread);
        if (waiting > 0 && !closed) work(start());
      },
    });
    threads.add(thread);
    return thread;
  };
  const busy = (status: 429 | 503, message: string): RegistryError => {
    const seconds = Math.ceil((waiting * averageMs) / limits.threads / 1000);
    const retryAfter = String(Math.min(MOST_RETRY_AFTER_S, Math.max(1, seconds)));
    return new RegistryError(status, 'TOOMANYREQUESTS', message, { headers: { 'retry-after': retryAfter } });
  };

  return {
    check: (question, from) => {
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      const job: Job = { question, resolve, reject };
      const thread = idle.pop() ?? (threads.size < limits.threads ? start() : undefined);
      if (thread !== undefined) {
        thread.ask(job);
        return promise;
      }
      const jobs = queues.get(from) ?? [];
      if (jobs.length >= limits.waitingOfOne) throw busy(429, 'too many logins of this address are waiting');
      if (waiting >= limits.waiting) throw busy(503, 'too many logins are waiting');
      jobs.push(job);
      queues.set(from, jobs);
      waiting += 1;
      return promise;
    },
    close: async () => {
      closed = true;
      await Promise.all([...threads].map((thread) => thread.close()));
    },
  };
}

interface ThreadEvents {
  /** It has answered a question, which took this long. */
  readonly free: (ms: number) => void;
  /** It has ended. */
  readonly gone: () => void;
}

function startThread({ free, gone }: ThreadEvents): Thread {
  const worker = new Worker(entryPoint('password-worker'), { env: ownEnvironment() });
  let current: { readonly job: Job; readonly since: number } | undefined;
  worker.unref();
  worker.on('message', (right: boolean) => {
    const done = current;
    current = undefined;
    worker.unref();
    done?.job.resolve(right);
    free(done === undefined ? 0 : performance.now() - done.since);
  });
  // An error ends the thread; the next check starts another one.
  worker.on('error', (error) => current?.job.reject(error));
  worker.on('exit', gone);
  return {
    ask: (job) => {
      current = { job, since: performance.now() };
      worker.ref();
      worker.postMessage(job.question);
    },
    close: () => worker.terminate(),
  };
}
