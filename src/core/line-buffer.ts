/** Collects chunks into whole lines, so that a secret that arrives in two chunks is still recognised. */
export interface LineBuffer {
  /** The lines that this chunk completes; of a line that was overwritten by carriage returns, its last state. */
  push(chunk: string): readonly string[];
  /** The last complete state of an unfinished line that overwrites itself, as progress bars do. */
  overwritten(): string | undefined;
  /** What is left without a line end, if anything. */
  end(): readonly string[];
}

/** UTF-16 units that an unfinished line may hold before it is cut. */
const LIMIT = 64 * 1024;

/**
 * @param keep how many units at the end of a line that is cut stay behind, as they may be the start of a secret
 */
export function createLineBuffer(keep: () => number): LineBuffer {
  let rest = '';
  let state: string | undefined;
  return {
    push: (chunk) => {
      const raw = (rest + chunk).split('\n');
      const lines = raw.slice(0, -1).map(lastState);
      const last = raw.at(-1) ?? '';
      // Carriage returns at the very end may belong to a line end.
      const cut = last.replace(/\r+$/, '').lastIndexOf('\r');
      state = cut < 0 ? (lines.length > 0 ? undefined : state) : lastState(last.slice(0, cut));
      rest = last.slice(cut + 1);
      if (rest.length > LIMIT) {
        const at = Math.max(1, rest.length - keep());
        lines.push(rest.slice(0, at));
        rest = rest.slice(at);
      }
      return lines;
    },
    overwritten: () => state,
    end: () => {
      const last = lastState(rest);
      rest = '';
      state = undefined;
      return last === '' ? [] : [last];
    },
  };
}

function lastState(line: string): string {
  const states = line.split('\r').filter((text) => text !== '');
  return states.at(-1) ?? '';
}
