import { styleText } from 'node:util';

/** The few ways in which text stands out. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly hint: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** Colours for a terminal, or none. */
export function createStyle(color: boolean): Style {
  const paint =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      color ? styleText(format, text, { validateStream: false }) : text;
  return {
    good: paint('green'),
    bad: paint(['bold', 'red']),
    warn: paint('yellow'),
    hint: paint('cyan'),
    dim: paint('dim'),
  };
}
