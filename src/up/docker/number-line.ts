/** Output whose first line may be a number that is not for its reader. */
export interface NumberLine {
  take(chunk: Buffer): void;
  /** No more comes. */
  end(): void;
  /** The number, once its line is there. */
  known(): string | undefined;
}

/** @param output takes everything else, at once */
export function createNumberLine(output: (chunk: Buffer) => void): NumberLine {
  let held: Buffer | undefined = Buffer.alloc(0);
  let number: string | undefined;
  const letGo = (): void => {
    const rest = held;
    held = undefined;
    if (rest && rest.length > 0) output(rest);
  };
  return {
    known: () => number,
    take: (chunk) => {
      if (held === undefined) return output(chunk);
      held = Buffer.concat([held, chunk]);
      const text = held.toString('latin1');
      if (/^\d*$/.test(text)) return;
      number = /^\d+(?=\n)/.exec(text)?.[0];
      if (number !== undefined) held = held.subarray(number.length + 1);
      letGo();
    },
    end: letGo,
  };
}
