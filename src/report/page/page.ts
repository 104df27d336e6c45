import { formatBytes, formatDuration } from '../../core/units.ts';
import { graphSection } from './graph.ts';
import { foreign, type Html, html } from './html.ts';
import { layersSection } from './layers.ts';
import { code, document, section } from './parts.ts';
import { timeSection, verdict } from './time.ts';
import { timelineSection, workSection } from './timeline.ts';
import type { Report, ReportMessage } from './types.ts';
import { instruction, moment } from './words.ts';

/** A report as a page of HTML that needs nothing else. What is anybody's is text in it. */
export function reportPage(report: Report): string {
  const { images, warnings, stages, error } = report;
  const misses = missesSection(report);
  const parts: readonly (readonly [id: string, name: string, part: Html])[] = [
    ...(error ? [['error', 'Error', errorSection(error, report)] as const] : []),
    ['time', 'Where the time went', timeSection(report)],
    ['timeline', 'Timeline', timelineSection(report)],
    ...(misses ? [['misses', 'Why steps ran', misses] as const] : []),
    ...(stages.length > 1 ? [['stages', 'Stages', graphSection(report)] as const] : []),
    ...images.map((image, index) => {
      const id = index === 0 ? 'layers' : `layers-${index + 1}`;
      const name = images.length > 1 ? `Layers for ${image.platform}` : 'Layers';
      return [id, name, layersSection(image, index, images.length > 1)] as const;
    }),
    ['work', 'Phases and bytes', workSection(report)],
    ...(warnings.length > 0 ? [['warnings', 'Warnings', warningsSection(warnings)] as const] : []),
    ['environment', 'Environment', environmentSection(report)],
  ];
  const links = parts.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`);
  return document(
    `${report.outcome === 'done' ? '' : 'Failed: '}${subjectOf(report)} – envbuilder ${report.command}`,
    html`<header>${head(report)}<nav aria-label="Parts of the page"><ul>${links}</ul></nav></header>
<main id="content">
${parts.map(([, , part]) => part)}</main>
<footer>Written by envbuilder. The page is one file and loads nothing. Secrets are masked as <code>***</code>.</footer>`,
  );
}

/** What was built: its Dockerfile, where there was a plan. */
export function subjectOf({ stages, command }: Report): string {
  const file = stages.flatMap(({ steps }) => steps).find((step) => step.file !== '')?.file;
  return file ?? `envbuilder ${command}`;
}

function head(report: Report): Html {
  const { outcome, totals, images, ms, stages } = report;
  const failed = outcome === 'failed';
  const waste = images[0]?.waste;
  const ran = totals.built + totals.failed;
  const tiles: readonly (readonly [string, string, string])[] = [
    ['Time', formatDuration(ms), `${moment(report.started)} UTC`],
    [
      'Steps run',
      `${ran} of ${totals.steps}`,
      `${totals.hit} cached, ${stages.length} ${stages.length === 1 ? 'stage' : 'stages'}`,
    ],
    ['Pulled', formatBytes(totals.bytesPulled), `pushed ${formatBytes(totals.bytesPushed)}`],
    ...images
      .slice(0, 1)
      .map(
        (image) => ['Image', formatBytes(image.size), `${image.layers.length} layers, compressed`] as const,
      ),
    ...(waste
      ? [
          [
            'Wasted',
            formatBytes(waste.bytes),
            waste.complete ? 'unpacked, in files never seen' : 'of the layers known here',
          ] as const,
        ]
      : []),
    [
      'Warnings',
      String(report.warnings.length),
      report.retries.length > 0 ? `${report.retries.length} retries` : 'no retries',
    ],
  ];
  return html`<p class="kicker">envbuilder ${report.command}</p>
<h1>${foreign(subjectOf(report))} <span class="badge is-${failed ? 'failed' : 'done'}">${failed ? '✕ failed' : '✓ done'}</span></h1>
${verdict(report)}
<dl class="tiles">${tiles.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}<small>${more}</small></dd></div>`)}</dl>`;
}

function errorSection(error: ReportMessage, { stages }: Report): Html {
  const step = stages.flatMap(({ steps }) => steps).find(({ outcome }) => outcome === 'failed');
  const tail =
    step && step.output.length > 0
      ? html`<p class="note">The end of the output of ${code(instruction(step.text))}:</p><pre>${step.output.join('\n')}</pre>`
      : '';
  return section('error', 'Error', html`${message(error)}${tail}`, 'bad');
}

function message({ code: name, text, hint, frame }: ReportMessage): Html {
  return html`<p><span class="tag">${foreign(name)}</span> ${foreign(text)}</p>
${frame.length > 0 ? html`<pre>${frame.join('\n')}</pre>` : ''}${hint === null ? '' : html`<p class="note">${foreign(hint)}</p>`}`;
}

function missesSection({ stages }: Report): Html | undefined {
  const rows = stages.flatMap((stage) =>
    stage.steps
      .filter(({ outcome }) => outcome === 'built' || outcome === 'failed')
      .map((step) => {
        const causes =
          step.causes.length > 0
            ? html`<ul class="causes">${step.causes.map(({ code: name, text }) => html`<li>${foreign(text)} <code>${name}</code></li>`)}</ul>`
            : html`<span class="note">the cache did not have it</span>`;
        const took = html`<td class="num">${formatDuration(step.ms)}</td>`;
        return html`<tr>${took}<td class="path">${code(instruction(step.text))}<br><span class="note">${foreign(stage.name)}, ${foreign(`${step.file}:${step.line}`)}</span></td><td class="path">${causes}</td></tr>`;
      }),
  );
  if (rows.length === 0) return undefined;
  return section(
    'misses',
    'Why steps ran',
    html`<p class="note">What was not in the cache, and why. The words in small type are codes; <code>envbuilder explain</code> says the same before a build.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Why steps ran"><table><thead><tr><th scope="col" class="num">took</th><th scope="col">step</th><th scope="col">why it was not cached</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  );
}

function warningsSection(warnings: readonly ReportMessage[]): Html {
  return section('warnings', 'Warnings', html`${warnings.map(message)}`);
}

function environmentSection({ environment, images, retries }: Report): Html {
  const facts = [
    ...images.map(({ platform, digest }) => ({ name: `Image for ${platform}`, value: digest })),
    ...environment,
  ];
  const list = retries.map(
    ({ at, what, reason }) =>
      html`<li>after ${formatDuration(at)}: ${foreign(what)}, ${foreign(reason)}</li>`,
  );
  return section(
    'environment',
    'Environment',
    html`<dl class="facts">${facts.map(({ name, value }) => html`<dt>${name}</dt><dd>${foreign(value)}</dd>`)}</dl>
${list.length > 0 ? html`<h3>What was tried again</h3><ul>${list}</ul>` : ''}`,
  );
}
