import type { Figure } from './figures.ts';
import { shown } from './report.ts';

const LEFT = 410;
const BAR = 420;
const LINE = 34;

/** Each figure as a part of its goal: a bar that ends before the mark has reached it. */
export function svg(figures: readonly Figure[]): string {
  const height = figures.length * LINE + 40;
  const most = Math.max(1.25, ...figures.map(({ goal, reached }) => Math.min(3, reached / goal)));
  const mark = LEFT + BAR / most;
  const bars = figures.map(({ what, against, goal, reached, unit }, i) => {
    const y = 30 + i * LINE;
    const part = reached / goal;
    const width = (Math.min(most, part) / most) * BAR;
    const colour = part <= 1 ? '#2f855a' : '#c05621';
    return [
      `<text x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${escapeXml(`${what}${against ? ` / ${against}` : ''}`)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="20" fill="${colour}"/>`,
      `<text x="${(Math.max(LEFT + 6 + width, mark + 6)).toFixed(1)}" y="${y + 15}">${shown(reached)}${unit} of ${goal}${unit}</text>`,
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + BAR + 160} ${height}" font-family="sans-serif" font-size="12" fill="#222">
<title>Figures against their goals</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${mark.toFixed(1)}" y="18" text-anchor="middle">goal</text>
${bars.join('\n')}
<line x1="${mark.toFixed(1)}" y1="22" x2="${mark.toFixed(1)}" y2="${height - 8}" stroke="#222" stroke-dasharray="4 3"/>
</svg>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
