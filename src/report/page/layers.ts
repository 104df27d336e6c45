import type { ImageContents, LayerContents } from '../../core/observer.ts';
import { formatBytes } from '../../core/units.ts';
import { foreign, type Html, html } from './html.ts';
import { code, legend, scrolled, section, share } from './parts.ts';
import { instruction, percent } from './words.ts';

const ORIGINS: Readonly<Record<LayerContents['origin'], string>> = {
  base: 'base image',
  cache: 'from the cache',
  built: 'built',
  runtime: 'runtime',
};

/** The layers of an image by size, and what lies in them. @param several whether there are images for several platforms */
export function layersSection(image: ImageContents, index: number, several: boolean): Html {
  const { layers, size } = image;
  const most = Math.max(...layers.map((layer) => layer.size), 1);
  const sorted = layers.map((layer, at) => ({ layer, at })).toSorted((a, b) => b.layer.size - a.layer.size);
  const rows = sorted.map(({ layer, at }) => layerRow(layer, at, most));
  const title = several ? `Layers for ${image.platform}` : 'Layers';
  return section(
    index === 0 ? 'layers' : `layers-${index + 1}`,
    title,
    html`<p class="note">${layers.length} layers, ${formatBytes(size)} as they are stored and transferred. The largest come first; the number is the place from below. Open a layer for its largest files.</p>
${legend(Object.entries(ORIGINS).filter(([origin]) => layers.some((one) => one.origin === origin)))}
${rows}
${wasteOf(image)}`,
  );
}

function layerRow(layer: LayerContents, at: number, most: number): Html {
  const { size, origin, createdBy, files, digest } = layer;
  const title =
    createdBy === null
      ? html`<span class="note">nothing says what made it</span>`
      : code(instruction(createdBy));
  const whole = files?.bytes ?? 0;
  const list = files?.largest.map(
    ({ path, bytes }) =>
      html`<tr><td class="num">${formatBytes(bytes)}</td><td class="num">${percent(bytes, whole)}</td><td class="path">${code(`/${path}`)}</td></tr>`,
  );
  const inside =
    files === null
      ? html`<p class="note">The layer was not on this machine, and none is downloaded for a report. <code>envbuilder cache diff</code> reads layers wherever they are.</p>`
      : files.largest.length === 0
        ? html`<p class="note">It has no files with any content.</p>`
        : scrolled(
            `Largest files of layer ${at + 1}`,
            html`<table><caption>${files.count} files, ${formatBytes(files.bytes)} unpacked; the largest:</caption><tbody>${list}</tbody></table>`,
          );
  return html`<details class="step"><summary class="row layer"><span class="num">${formatBytes(size)}</span>
<span class="cut" title="${createdBy ?? ''}"><span class="tag">${at + 1}</span> ${title}</span>${share(size, most, origin)}</summary>
<div class="body">${createdBy !== null ? html`<pre>${createdBy}</pre>` : ''}<dl><dt>origin</dt><dd>${ORIGINS[origin]}</dd><dt>digest</dt><dd><code>${digest}</code></dd></dl>${inside}</div></details>`;
}

/** Bytes that are downloaded and never seen. */
function wasteOf({ waste, layers }: ImageContents): Html {
  const { bytes, count, largest, complete } = waste;
  const part = complete ? '' : ' The files of some layers are not known here, so there may be more.';
  if (count === 0)
    return html`<h3>Wasted space</h3><p class="note">No file is replaced or removed by a later layer.${part}</p>`;
  const by = (index: number): string => layers[index]?.createdBy ?? '';
  const rows = largest.map(
    (file) =>
      html`<tr><td class="num">${formatBytes(file.bytes)}</td><td class="path">${code(`/${file.path}`)}</td><td>${file.what}<br><span class="note">layer ${file.layer + 1}, by layer ${file.by + 1}: ${foreign(instruction(by(file.by), 60))}</span></td></tr>`,
  );
  return html`<h3>Wasted space</h3>
<p class="note">${formatBytes(bytes)} unpacked, in ${count} ${count === 1 ? 'file' : 'files'} that a later layer replaces or removes: they are stored and downloaded, and nobody sees them. Remove files in the RUN that makes them.${part}</p>
${scrolled('Wasted space', html`<table><thead><tr><th scope="col" class="num">size</th><th scope="col">file</th><th scope="col">what became of it</th></tr></thead><tbody>${rows}</tbody></table>`)}`;
}
