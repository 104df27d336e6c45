/** Names further away than this many edits are no help. */
const MAX_DISTANCE = 2;

/** The option nearest to `word` by edits, ignoring case; undefined when none is close, by at most half of the word. */
export function nearest(word: string, options: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(MAX_DISTANCE, Math.ceil((word.length - 1) / 2)) + 1;
  for (const option of options) {
    const distance = editDistance(word.toLowerCase(), option.toLowerCase());
    if (distance < bestDistance) {
      best = option;
      bestDistance = distance;
    }
  }
  return best;
}

/** A hint for an unknown word: the nearest option as a question, else the list of all. */
export function didYouMean(word: string, options: readonly string[]): string {
  const match = nearest(word, options);
  return match === undefined ? `known are ${options.join(', ')}` : `did you mean ${match}?`;
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_DISTANCE) return MAX_DISTANCE + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost));
    }
    row = next;
  }
  return row[b.length]!;
}
