import { formatDuration } from '../../core/units.ts';
import { foreign, type Html, html } from './html.ts';
import { section } from './parts.ts';
import { spentIn } from './spans.ts';
import type { Report, ReportStage } from './types.ts';

const WIDTH = 190;
const HEIGHT = 56;
const GAP = 22;
const RISE = 46;
/** With more stages than that a picture helps nobody. */
const MOST_STAGES = 60;

interface Placed {
  readonly stage: ReportStage;
  readonly x: number;
  readonly y: number;
}

/** The stages, and which needs which. */
export function graphSection(report: Report): Html {
  const { stages } = report;
  if (stages.length < 2) return html``;
  const picture = stages.length <= MOST_STAGES ? drawing(stages) : html``;
  const rows = stages.map((stage) => {
    const needs = [...(stage.from === null ? [] : [stage.from]), ...stage.reads];
    const names = needs.map((index) => stages.find((one) => one.index === index)?.name ?? String(index));
    const base = stage.base === null ? '' : html`from ${foreign(stage.base)}`;
    const list = names.map((name, i) => html`${i > 0 ? ', ' : ''}${foreign(name)}`);
    return html`<tr><td>${foreign(stage.name)}</td><td>${summary(stage)}</td><td>${base}${base !== '' && names.length > 0 ? '; ' : ''}${names.length > 0 ? html`needs ${list}` : ''}</td></tr>`;
  });
  return section(
    'stages',
    'Stages',
    html`<p class="note">A line leads from a stage to one that goes on from it (<code>FROM</code>); a broken line, to one that reads files of it (<code>COPY --from</code>, mounts). Stages that the target does not need are left out.</p>
${picture}
<details class="step"><summary>The same as a table</summary><div class="body scroll"><table><thead><tr><th scope="col">stage</th><th scope="col">steps</th><th scope="col">needs</th></tr></thead><tbody>${rows}</tbody></table></div></details>`,
  );
}

function drawing(stages: readonly ReportStage[]): Html {
  const ranks = ranksOf(stages);
  const most = Math.max(...ranks.map((rank) => rank.length));
  const width = most * WIDTH + (most - 1) * GAP;
  const height = ranks.length * HEIGHT + (ranks.length - 1) * RISE;
  const placed = ranks.flatMap((rank, level) => {
    const left = (width - (rank.length * WIDTH + (rank.length - 1) * GAP)) / 2;
    return rank.map(
      (stage, i): Placed => ({ stage, x: left + i * (WIDTH + GAP), y: level * (HEIGHT + RISE) }),
    );
  });
  const at = (index: number | null): Placed | undefined => placed.find(({ stage }) => stage.index === index);
  const edges = placed.flatMap((to) => [
    ...[at(to.stage.from)].filter((from) => from !== undefined).map((from) => edge(from, to, '')),
    ...to.stage.reads
      .map(at)
      .filter((from) => from !== undefined)
      .map((from) => edge(from, to, 'reads')),
  ]);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Graph of the stages">
<svg width="${width + 8}" height="${height + 8}" viewBox="-4 -4 ${width + 8} ${height + 8}" role="img" aria-label="${stages.length} stages; the table below says the same">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="arrow" d="M0 0 8 4 0 8z"/></marker></defs>
${edges}${placed.map(node)}</svg></div>`;
}

/** Stages by the length of the longest way that leads to them. */
function ranksOf(stages: readonly ReportStage[]): readonly (readonly ReportStage[])[] {
  const levels = new Map<number, number>();
  const levelOf = (index: number, below: ReadonlySet<number>): number => {
    const stage = stages.find((one) => one.index === index);
    if (!stage || below.has(index)) return -1;
    const known = levels.get(index);
    if (known !== undefined) return known;
    const needs = [...(stage.from === null ? [] : [stage.from]), ...stage.reads];
    const level = 1 + Math.max(-1, ...needs.map((other) => levelOf(other, new Set([...below, index]))));
    levels.set(index, level);
    return level;
  };
  return [...Map.groupBy(stages, ({ index }) => levelOf(index, new Set()))]
    .toSorted(([a], [b]) => a - b)
    .map(([, rank]) => rank);
}

function edge(from: Placed, to: Placed, kind: string): Html {
  const [x1, y1, x2, y2] = [from.x + WIDTH / 2, from.y + HEIGHT, to.x + WIDTH / 2, to.y - 2];
  const bend = Math.min(RISE, (y2 - y1) / 2);
  return html`<path class="edge ${kind}" marker-end="url(#arrow)" d="M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}"/>`;
}

function node({ stage, x, y }: Placed): Html {
  const name = stage.name.length > 20 ? `${stage.name.slice(0, 19)}…` : stage.name;
  return html`<g class="node ${stage.target ? 'is-target' : ''}" transform="translate(${x} ${y})"><title>${stage.name}</title>
<rect class="box" width="${WIDTH}" height="${HEIGHT}" rx="8"/><rect class="mark-${markOf(stage)}" x="10" y="13" width="5" height="${HEIGHT - 26}" rx="2"/>
<text class="label" x="25" y="24">${name}</text><text x="25" y="42">${summary(stage)}</text></g>`;
}

function markOf({ steps }: ReportStage): string {
  if (steps.some(({ outcome }) => outcome === 'failed')) return 'failed';
  if (steps.some(({ outcome }) => outcome === 'built')) return 'built';
  return steps.some(({ outcome }) => outcome === 'hit') ? 'hit' : 'base';
}

function summary({ steps }: ReportStage): string {
  const ran = spentIn(steps.flatMap(({ spans }) => spans.filter(({ what }) => what === 'ran')));
  const built = steps.filter(({ outcome }) => outcome === 'built' || outcome === 'failed').length;
  const cached = steps.filter(({ outcome }) => outcome === 'hit').length;
  if (steps.length === 0) return 'no steps';
  if (built === 0) return cached > 0 ? `${cached} cached` : `${steps.length} not needed`;
  return `${built} built${cached > 0 ? `, ${cached} cached` : ''}, ${formatDuration(ran)}`;
}
