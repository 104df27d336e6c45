import { createHash } from 'node:crypto';
import { foreign, type Html, html, trusted } from './html.ts';
import { STYLE } from './style.ts';
import type { Span } from './types.ts';
import { ticks } from './words.ts';

/** A whole page: no script, and a policy that lets it load nothing. */
export function document(title: string, body: Html): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<svg width="0" height="0" aria-hidden="true"><defs>
<pattern id="waits" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern>
</defs></svg>
${body}
</body>
</html>
`;
  return page.html;
}

/** A bar on a track, by the class of its colour. */
export interface Bar extends Span {
  readonly kind: string;
}

/** A line of time with bars on it, as wide as there is room. @param says what it shows, for those who do not see it */
export function track(bars: readonly Bar[], total: number, says: string, height = 16): Html {
  const inset = 2;
  const lines = ticks(total).map(
    ({ at }) =>
      html`<line class="grid" x1="${placed(at, total)}" x2="${placed(at, total)}" y1="0" y2="${height}"/>`,
  );
  const rects = bars.map(
    ({ kind, from, to }) =>
      html`<rect class="bar-${kind}" x="${placed(from, total)}" width="${placed(Math.max(to - from, total / 400), total)}" y="${inset}" height="${height - 2 * inset}" rx="2"/>`,
  );
  return html`<svg class="track" width="100%" height="${height}" role="img" aria-label="${says}">${lines}${rects}</svg>`;
}

/** The axis above tracks. */
export function axis(total: number): Html {
  const marks = ticks(total).map(({ at, text }) => {
    // The last mark would stand out over the edge.
    const anchor = at === 0 ? 'start' : at > 0.93 * total ? 'end' : 'middle';
    return html`<text x="${placed(at, total)}" y="11" text-anchor="${anchor}">${text}</text>`;
  });
  return html`<div class="axis" aria-hidden="true"><span></span><svg class="track" width="100%" height="16">${marks}</svg><span></span></div>`;
}

/** One bar that is a share of the largest. */
export function share(part: number, whole: number, kind: string): Html {
  return html`<svg class="size" width="100%" height="14" aria-hidden="true"><rect class="bar-other" x="0" y="4" width="100%" height="6" rx="3"/><rect class="bar-${kind}" x="0" y="4" width="${placed(part, whole)}" height="6" rx="3"/></svg>`;
}

/** A square of a colour. */
export function swatch(kind: string): Html {
  return html`<svg class="swatch" width="12" height="12" aria-hidden="true"><rect class="bar-${kind}" x="0.5" y="0.5" width="11" height="11" rx="2"/></svg>`;
}

/** A list of what colours mean. */
export function legend(rows: readonly (readonly [kind: string, text: string])[]): Html {
  return html`<ul class="legend">${rows.map(([kind, text]) => html`<li>${swatch(kind)}${text}</li>`)}</ul>`;
}

/** A heading with what is below it. */
export function section(id: string, title: string, body: Html, kind = ''): Html {
  return html`<section id="${id}" class="${kind}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}</section>
`;
}

/** Something that is code, as somebody wrote it. */
export function code(text: string): Html {
  return html`<code>${foreign(text)}</code>`;
}

/** A table that scrolls by itself where it is too wide. */
export function scrolled(label: string, table: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>`;
}

function placed(value: number, total: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, value / total)) : 0;
  return `${Number((100 * share).toFixed(3))}%`;
}
