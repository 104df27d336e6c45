/**
 * The instructions without the one that stands in this line of the file, counted from 1; undefined when there is none, or
 * when it begins a stage.
 */
export function dropFileLine(lines: readonly string[], fileLine: number): readonly string[] | undefined {
  let first = 1;
  for (const [index, text] of lines.entries()) {
    const count = text.split('\n').length;
    if (fileLine >= first && fileLine < first + count)
      return text.startsWith('FROM') ? undefined : lines.toSpliced(index, 1);
    first += count;
  }
  return undefined;
}

/** Leaves out every instruction, the last first, without which `remains` still holds; stages stay. */
export async function shrink(
  lines: readonly string[],
  remains: (lines: readonly string[]) => Promise<boolean>,
): Promise<readonly string[]> {
  let kept = lines;
  for (let index = lines.length - 1; index >= 0; index--) {
    if (kept[index]?.startsWith('FROM')) continue;
    const fewer = kept.toSpliced(index, 1);
    if (await remains(fewer)) kept = fewer;
  }
  return kept;
}
