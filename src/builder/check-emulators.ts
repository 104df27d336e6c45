import { missingSteps } from '../cache/hits.ts';
import { AppError } from '../core/error.ts';
import { readLayer } from '../layer/read-layer.ts';
import { defaultPlatform, formatPlatform } from '../oci/platform.ts';
import type { Image } from '../oci/types.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { isProgramFor, startsPrograms } from '../sys/emulation.ts';
import type { ChosenPlan } from './choose-plan.ts';
import { baseImage } from './image.ts';

interface CheckDeps {
  /** For files of the check; only called where there is a RUN for another platform. */
  readonly workDir: () => string;
  readonly signal: AbortSignal;
}

/**
 * Finds a RUN that this machine cannot start, before any step runs: one on an image of programs for another platform, without
 * an emulator. What may have been brought by a COPY, an ADD or a mount counts as a program of this machine, which is then
 * found out when it runs.
 * @throws AppError BUILD_FAILED at the instruction
 */
export async function checkEmulators(
  { plan, usable }: ChosenPlan,
  { workDir, signal }: CheckDeps,
): Promise<void> {
  const own = defaultPlatform().architecture;
  const starts = new Map<string, boolean>();
  for (const step of missingSteps(plan, usable.hits)) {
    const stage = plan.stages.get(step.stage)!;
    const { architecture } = stage.platform;
    const base = baseImage(plan, stage);
    if (architecture === own || !base || !startsProgramOfBase(plan, stage, step)) continue;
    const known = starts.get(architecture) ?? (await startsPrograms(architecture, workDir()));
    starts.set(architecture, known);
    if (known || !(await holdsPrograms(base, architecture, signal))) continue;
    const text = step.text.split('\n')[0]!;
    throw new AppError(
      'BUILD_FAILED',
      `${text} (stage ${stage.name}) is for ${formatPlatform(stage.platform)}, and this machine has no emulator for it`,
      {
        where: { range: step.range },
        hint: 'register one with the kernel of the machine (binfmt_misc): Debian and Ubuntu have the package qemu-user-static; or build on a machine of that architecture',
      },
    );
  }
}

/** Where programs of an image lie, with their loaders and libraries. */
const SYSTEM = /^\/+(?:$|(?:bin|sbin|lib[^/]*|usr)(?:\/|$))/;

/** Whether what a RUN starts first is certainly of the image that its stage is built on. */
function startsProgramOfBase(plan: Plan, stage: PlannedStage, { index, operation }: Step): boolean {
  if (operation.kind !== 'run') return false;
  const isShell = operation.argv[0] === '/bin/sh';
  const steps = stage.steps.slice(0, index);
  for (let { base } = stage; base.type === 'stage'; ) {
    const below = plan.stages.get(base.stage)!;
    steps.push(...below.steps);
    base = below.base;
  }
  const copies = steps.flatMap((step) =>
    step.operation.kind === 'copy' ? [step.operation.destination] : [],
  );
  const mounts = operation.mounts.flatMap(({ spec, target }) => (spec.type === 'bind' ? [target] : []));
  const brought = [...copies, ...mounts];
  return isShell ? !brought.some((path) => SYSTEM.test(path)) : brought.length === 0;
}

/** Whether the first program of an image is one for an architecture: some only say that they are. */
async function holdsPrograms(image: Image, architecture: string, signal: AbortSignal): Promise<boolean> {
  try {
    for (const { digest, mediaType } of image.parsed.layers) {
      const stream = await image.store.get(digest, undefined, signal);
      try {
        for await (const { entry, content } of readLayer(stream, mediaType, digest)) {
          if (entry.type !== 'file' || (entry.mode & 0o111) === 0 || entry.size < 20) continue;
          const answer = isProgramFor(architecture, await firstBytes(content));
          if (answer !== undefined) return answer;
        }
      } finally {
        stream.destroy();
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    // What cannot be read is reported where it is needed.
    if (!(error instanceof AppError)) throw error;
  }
  return false;
}

async function firstBytes(content: AsyncIterable<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  for await (const chunk of content)
    if (head.length < 20) head = Buffer.concat([head, chunk.subarray(0, 20)]);
  return head;
}
