import { formatDuration } from '../core/units.ts';
import { cut, widthOf } from './cut.ts';
import type { StepView } from './step-board.ts';
import type { Style } from './style.ts';

/** What goes on at a moment. */
export interface Scene {
  /** Milliseconds since the run began. */
  readonly elapsed: number;
  readonly planned: number;
  /** Planned steps that need nothing more. */
  readonly finished: number;
  readonly running: readonly StepView[];
  readonly waiting: readonly StepView[];
  /** What is downloaded, uploaded, unpacked. */
  readonly traffic: readonly string[];
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Lines of output that a running step shows at most. */
const MOST_OUTPUT = 6;

/**
 * The lines of the live part, each narrower than the terminal, and fewer than it has rows: steps that run with the end of
 * their output, as far as there is room, what is under way, and a line about the whole.
 * @param now the clock of the steps
 */
export function layOut(scene: Scene, { columns, rows }: Size, style: Style, now: number): readonly string[] {
  // The cursor stands in a row of its own, and a line that ends at the edge may wrap.
  const [width, height] = [columns - 1, rows - 1];
  const { running, waiting, traffic } = scene;
  const [said, room] = [traffic.slice(0, Math.max(1, Math.floor((height - 1) / 3))), height - 1];
  const steps = [...running, ...waiting];
  const forSteps = room - said.length;
  const shown = steps.length <= forSteps ? steps : steps.slice(0, Math.max(1, forSteps - 1));
  const outputs = shareOut(
    shown.map((step) => (step.waitsFor === undefined ? outputOf(step) : [])),
    forSteps - shown.length - (shown.length < steps.length ? 1 : 0),
  );
  const lines = [
    ...shown.flatMap((step, index) => stepLines(step, outputs[index]!, { width, style, now })),
    ...(shown.length < steps.length && forSteps > 1
      ? [style.dim(cut(`  and ${steps.length - shown.length} more`, width))]
      : []),
    ...said.map((text) => style.dim(cut(`  ${text}`, width))),
  ];
  return [...lines.slice(0, Math.max(0, room)), style.dim(cut(statusText(scene), width))];
}

function statusText({ elapsed, planned, finished, running, waiting }: Scene): string {
  const parts = [
    formatDuration(elapsed < 1000 ? 0 : elapsed),
    ...(planned > 0 ? [`${finished} of ${planned} ${planned === 1 ? 'step' : 'steps'}`] : []),
    ...(running.length > 1 ? [`${running.length} running`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} waiting`] : []),
  ];
  return parts.join(' · ');
}

/** The end of each output, so that together they have no more lines than there is room for, and all as many. */
function shareOut(outputs: readonly (readonly string[])[], room: number): readonly (readonly string[])[] {
  const counts = outputs.map(() => 0);
  let left = room;
  for (let round = 0; round < MOST_OUTPUT; round += 1) {
    for (const [index, output] of outputs.entries()) {
      if (left <= 0 || output.length <= round) continue;
      counts[index] = round + 1;
      left -= 1;
    }
  }
  return outputs.map((output, index) => output.slice(output.length - counts[index]!));
}

function outputOf({ tail }: StepView): readonly string[] {
  return tail.filter((line) => line.trim() !== '').slice(-MOST_OUTPUT);
}

function stepLines(
  step: StepView,
  output: readonly string[],
  { width, style, now }: { readonly width: number; readonly style: Style; readonly now: number },
): readonly string[] {
  const time = formatDuration(now - (step.startedAt ?? now));
  // Where the output has no line of its own, its last line stands behind the label, which leaves room for it.
  const said = step.waitsFor ?? (output.length === 0 ? outputOf(step).at(-1) : undefined);
  const room = width - 2 - 1 - widthOf(time);
  const least = Math.floor(width / (step.waitsFor === undefined ? 2 : 3));
  const forLabel = said === undefined ? room : Math.min(room, Math.max(least, room - 3 - widthOf(said)));
  const label = cut(step.label, forLabel);
  const rest = room - widthOf(label) - 3;
  const mark = step.waitsFor === undefined ? style.warn('▸') : style.dim('◦');
  const behind = said !== undefined && rest >= 8 ? style.dim(` │ ${cut(said, rest)}`) : '';
  const head =
    room < 4 ? `${mark} ${cut(step.label, width - 2)}` : `${mark} ${label} ${style.dim(time)}${behind}`;
  return [head, ...output.map((line) => style.dim(`  │ ${cut(line, width - 4)}`))];
}
