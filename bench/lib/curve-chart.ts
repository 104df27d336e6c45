import { CURVES, type Point } from './curves.ts';

const PANEL = { width: 400, height: 270, left: 62, right: 34, top: 34, bottom: 36 } as const;
const COLUMNS = 2;
const SERIES = [
  { what: 'uncached', name: 'first build', colour: '#c05621' },
  { what: 'cached', name: 'build from the cache', colour: '#2b6cb0' },
  { what: 'probe', name: 'probe', colour: '#2f855a' },
] as const;

/** A panel for each curve: time by size, both by powers of ten, beside a line that grows as the size does. */
export function curveChart(points: readonly Point[]): string {
  const names = Object.keys(CURVES).filter((name) => points.some(({ curve }) => curve === name));
  const panels = names.map((name, i) => {
    const [x, y] = [(i % COLUMNS) * PANEL.width, Math.floor(i / COLUMNS) * PANEL.height + 30];
    return `<g transform="translate(${x} ${y})">${panel(name, points)}</g>`;
  });
  const width = COLUMNS * PANEL.width;
  const height = Math.ceil(names.length / COLUMNS) * PANEL.height + 34;
  const legend = SERIES.map(
    ({ name, colour }, i) =>
      `<rect x="${62 + i * 170}" y="12" width="22" height="4" fill="${colour}"/><text x="${90 + i * 170}" y="18">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">
<title>Time of builds and probes by size</title>
<rect width="100%" height="100%" fill="#fff"/>
${legend.join('\n')}
<path d="M572 14 h22" stroke="#888" stroke-dasharray="4 3"/><text x="600" y="18">as the work grows</text>
${panels.join('\n')}
</svg>
`;
}

function panel(name: string, points: readonly Point[]): string {
  const own = points.filter(({ curve }) => curve === name);
  const sizes = own.map(({ size }) => Math.log10(size));
  const times = own.map(({ ms }) => Math.log10(ms / 1000));
  const [left, right] = [Math.min(...sizes), Math.max(...sizes)];
  const [low, high] = [Math.floor(Math.min(...times)), Math.ceil(Math.max(...times))];
  const x = (size: number): number =>
    PANEL.left + ((size - left) / (right - left || 1)) * (PANEL.width - PANEL.left - PANEL.right);
  const y = (time: number): number =>
    PANEL.height -
    PANEL.bottom -
    ((time - low) / (high - low || 1)) * (PANEL.height - PANEL.top - PANEL.bottom);
  const at = (size: number, time: number): string => `${x(size).toFixed(1)} ${y(time).toFixed(1)}`;
  const grid = Array.from({ length: high - low + 1 }, (_, i) => low + i).map(
    (power) =>
      `<path d="M${PANEL.left} ${y(power).toFixed(1)} H${PANEL.width - PANEL.right}" stroke="#ddd"/><text x="${PANEL.left - 8}" y="${(y(power) + 4).toFixed(1)}" text-anchor="end">${10 ** power} s</text>`,
  );
  const marks = [...new Set(own.map(({ size }) => size))].map(
    (size) =>
      `<text x="${x(Math.log10(size)).toFixed(1)}" y="${PANEL.height - PANEL.bottom + 18}" text-anchor="middle">${short(size)}</text>`,
  );
  // As the size does, from the largest first build down to where the panel ends.
  const end = Math.max(...times);
  const from = Math.max(left, right - (end - low));
  const slope = `<path d="M${at(from, end - (right - from))} L${at(right, end)}" stroke="#888" stroke-dasharray="4 3" fill="none"/>`;
  const lines = SERIES.map(({ what, colour }) => {
    const line = own.filter((point) => point.what === what).toSorted((a, b) => a.size - b.size);
    const places = line.map(({ size, ms }) => at(Math.log10(size), Math.log10(ms / 1000)));
    const dots = places.map(
      (place) => `<circle cx="${place.replace(' ', '" cy="')}" r="3" fill="${colour}"/>`,
    );
    return `<path d="M${places.join(' L')}" stroke="${colour}" stroke-width="2" fill="none"/>${dots.join('')}`;
  });
  return [
    `<text x="${PANEL.left}" y="22" font-weight="bold">${name}</text>`,
    ...grid,
    ...marks,
    slope,
    ...lines,
  ].join('');
}

function short(size: number): string {
  if (size >= 1_000_000) return `${size / 1_000_000} M`;
  return size >= 1000 ? `${size / 1000},000` : String(size);
}
