import { createLogUpdate } from 'log-update';
import { widthOf } from './cut.ts';
import type { Size } from './layout.ts';
import type { Sink } from './types.ts';

/** The last lines of a terminal, which are drawn again and again, below lines that stay. */
export interface LiveRegion {
  /** Adds lines that stay; they appear with the next picture, or at once where there is none. */
  persist(lines: readonly string[]): void;
  /** Shows `lines` instead of those before, which may be none. */
  draw(lines: readonly string[]): void;
  /** Has somebody else write to the terminal, below all that stays; the picture is gone until it is drawn again. */
  beside(write: () => void): void;
  size(): Size;
  /** Takes the picture away; what stays is written. */
  close(): void;
}

/** One row up, and empty. */
const ERASE_ROW_ABOVE = '\u001b[1A\u001b[2K\r';

/** @param redraw is called when the terminal has another size */
export function createLiveRegion(terminal: Sink, redraw: () => void): LiveRegion {
  const size = (): Size => ({ columns: terminal.columns || 80, rows: terminal.rows || 24 });
  /** Written in one piece, so that no terminal shows half of a picture. */
  let output = '';
  const flush = (): void => {
    if (output !== '') terminal.write(output);
    output = '';
  };
  const buffer = {
    write: (text: string) => (output += text),
    get columns() {
      return size().columns;
    },
    get rows() {
      return size().rows;
    },
    isTTY: terminal.isTTY,
  };
  // The library types its stream more widely than what it uses.
  const live = createLogUpdate(buffer as unknown as NodeJS.WritableStream);
  let shown: readonly string[] = [];
  let kept: string[] = [];

  const clear = (): void => {
    live.clear();
    shown = [];
  };
  const draw = (lines: readonly string[]): void => {
    if (kept.length > 0) {
      clear();
      output += kept.map((line) => `${line}\n`).join('');
      kept = [];
    }
    if (lines.length > 0) live(lines.join('\n'));
    else clear();
    shown = lines;
    flush();
  };
  /** A terminal that gets narrower breaks the lines that it shows, so that they take more rows than were drawn. */
  const resized = (): void => {
    const { columns, rows } = size();
    const broken = shown.reduce((sum, line) => sum + Math.max(0, Math.ceil(widthOf(line) / columns) - 1), 0);
    clear();
    output += ERASE_ROW_ABOVE.repeat(Math.min(broken, rows));
    redraw();
    flush();
  };
  terminal.on?.('resize', resized);
  return {
    size,
    draw,
    persist: (lines) => {
      kept.push(...lines);
      if (shown.length === 0 && kept.length > 0) draw([]);
    },
    beside: (write) => {
      draw([]);
      write();
    },
    close: () => {
      terminal.off?.('resize', resized);
      draw([]);
      live.done();
      flush();
    },
  };
}
