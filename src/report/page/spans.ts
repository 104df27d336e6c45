import type { Span } from './types.ts';

/** Stretches of time in their order, those that touch or overlap made one. */
export function united(spans: readonly Span[]): readonly Span[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** The time that stretches take together, where they overlap once. */
export function spentIn(spans: readonly Span[]): number {
  return united(spans).reduce((sum, { from, to }) => sum + to - from, 0);
}

/** The fewest stretches that look the same: those with less than `gap` between them become one. */
export function coarse(spans: readonly Span[], gap: number): readonly Span[] {
  return united(spans.map(({ from, to }) => ({ from, to: to + gap }))).map(({ from, to }) => ({
    from,
    to: to - gap,
  }));
}
