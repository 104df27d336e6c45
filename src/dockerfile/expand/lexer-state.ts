/** How to read a word; the rules are those of BuildKit's shell lexer, which the Dockerfile reference describes in part. */
export interface LexOptions {
  readonly lookup: (name: string) => string | undefined;
  readonly escape: string;
  /** Reports a syntax error; it must throw. */
  readonly fail: (message: string) => never;
  /** Quotes stay in the result. */
  readonly keepQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly keepEscapes?: boolean;
  /** Quotes are ordinary characters. */
  readonly plainQuotes?: boolean;
  /** Variables without a value stay as they are written. */
  readonly keepUnset?: boolean;
}

/** A word while it is read; `at` moves. */
export interface Lexer {
  readonly chars: readonly string[];
  readonly options: LexOptions;
  /** Reads up to and over a character that ends a nested word. */
  readonly readUntil: (stop: string, keepEscapes: boolean) => Nested<string>;
  at: number;
  keepEscapes: boolean;
}

/**
 * Work that goes as deep as a word is nested, and so must not go on the stack: it yields what it needs the answer of
 * (`answerOf`), and `carryOut` does that first.
 */
export type Nested<T> = Generator<Nested<unknown>, T, unknown>;

/** The answer of inner work, for `yield*`. */
export function* answerOf<T>(inner: Nested<T>): Nested<T> {
  return (yield inner) as T;
}

/** Does nested work, however deep it is. */
export function carryOut<T>(work: Nested<T>): T {
  const outer: Nested<unknown>[] = [];
  let current: Nested<unknown> = work;
  let answer: unknown;
  for (;;) {
    const step = current.next(answer);
    answer = undefined;
    if (!step.done) {
      outer.push(current);
      current = step.value;
      continue;
    }
    const next = outer.pop();
    if (!next) return step.value as T;
    current = next;
    answer = step.value;
  }
}
