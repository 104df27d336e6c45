import parse from 'spdx-expression-parse';

/** Longer ones are no expressions that anybody wrote, and parsing takes time with their square. */
const LONGEST = 2000;

/**
 * Whether a text is an expression of licences that are on SPDX's list (SPDX 2.3, annex D), and so may stand in a document
 * as it is. A name that a document would have to explain (`LicenseRef-…`) is none.
 */
export function isLicenseExpression(text: string): boolean {
  if (text.length > LONGEST || /Ref-/.test(text)) return false;
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
