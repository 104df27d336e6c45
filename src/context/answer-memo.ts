import { type Digest, isDigest } from '../core/digest.ts';
import { readMemoFile, writeMemoFile } from './memo-file.ts';

/** Hashes of trees that have not changed since, by what was asked. */
export interface AnswerMemo {
  /** The answer to a question about files that were in this state. */
  get(question: Digest, state: Digest): Digest | undefined;
  set(question: Digest, state: Digest, answer: Digest): void;
  /** Writes the memo for the next process, when it has a file and learnt something. */
  save(): void;
}

/** What a line holds beside the question. */
interface Answer {
  readonly state: Digest;
  readonly answer: Digest;
}

/** Another number when the same files get another hash. */
const HEADER = 'envbuilder tree hashes 2';
/** A Dockerfile has fewer COPYs than this; older answers go. */
const MOST = 500;

/**
 * @param file where the memo is kept between processes; what is damaged in it is ignored, and one that cannot be written is
 * not written
 */
export function createAnswerMemo(file?: string): AnswerMemo {
  let known: Map<string, Answer> | undefined;
  let learnt = false;
  const all = (): Map<string, Answer> => {
    known ??= file === undefined ? new Map() : read(file);
    return known;
  };
  return {
    get: (question, state) => {
      const found = all().get(question);
      return found?.state === state ? found.answer : undefined;
    },
    set: (question, state, answer) => {
      // What was asked last stands last.
      all().delete(question);
      all().set(question, { state, answer });
      learnt = true;
    },
    save: () => {
      if (file !== undefined && learnt) write(file, all());
      learnt = false;
    },
  };
}

function read(file: string): Map<string, Answer> {
  const found = new Map<string, Answer>();
  for (const line of (readMemoFile(file, HEADER)?.toString('latin1') ?? '').split('\n')) {
    const [question = '', state = '', answer = '', ...rest] = line.split(' ');
    if ([question, state, answer].every(isDigest) && rest.length === 0)
      found.set(question, { state: state as Digest, answer: answer as Digest });
  }
  return found;
}

function write(file: string, answers: ReadonlyMap<string, Answer>): void {
  const lines = [...answers]
    .slice(-MOST)
    .map(([question, { state, answer }]) => `${question} ${state} ${answer}`);
  writeMemoFile(file, HEADER, [Buffer.from([...lines, ''].join('\n'))]);
}
