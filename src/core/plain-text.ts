/** A text that may be anybody's, for one line of a terminal: nothing in it breaks or colours the line, and it is cut. */
export function plainText(text: string, most = 200): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?');
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain;
}
