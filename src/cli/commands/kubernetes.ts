import { join, resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import { didYouMean } from '../../core/suggest.ts';
import { loadKubernetes, type PartName, writeOutputText } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { manifestSettings } from '../requests/manifest-settings.ts';
import { version } from '../version.ts';

type Kubernetes = Awaited<ReturnType<typeof loadKubernetes>>;

/** `envbuilder k8s`: prints manifests, or writes them as files. */
export const kubernetesCommand: CommandBody = async (parsed, { stdout, cwd, signal }) => {
  const kubernetes = await loadKubernetes();
  const files = filesFor(parsed, kubernetes);
  if (files === undefined) {
    stdout.write(kubernetesYaml(parsed, kubernetes));
    return;
  }
  const { kustomize, helm = '' } = parsed.options;
  const directory = resolve(cwd, kustomize ?? helm);
  try {
    for (const [name, text] of files)
      await writeOutputText(join(directory, name), text, { signal, parents: true });
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot write the manifests to ${directory}`, {
      where: { path: directory },
    });
  }
};

/** The manifests that a command line asks for. @throws AppError USAGE, REFERENCE */
export function kubernetesYaml(parsed: Parsed, kubernetes: Kubernetes): string {
  const { manifests, manifestsYaml, scheduleFault } = kubernetes;
  return manifestsYaml(
    manifests(partsOf(parsed, kubernetes), manifestSettings(parsed.options, scheduleFault)),
  );
}

/** The files that a command line asks for; undefined when it asks for none. @throws AppError USAGE, REFERENCE */
function filesFor(parsed: Parsed, kubernetes: Kubernetes): ReadonlyMap<string, string> | undefined {
  const { options } = parsed;
  const { manifests, kustomizeFiles, chartFiles, scheduleFault, ON_DEMAND_JOBS } = kubernetes;
  if (options.kustomize === undefined && options.helm === undefined) return undefined;
  if (options.kustomize !== undefined && options.helm !== undefined)
    throw new AppError('USAGE', 'a directory is either for kustomize or for Helm', {
      hint: 'run it twice, with --kustomize and with --helm',
    });
  const parts = partsOf(parsed, kubernetes);
  const settings = manifestSettings(options, scheduleFault);
  if (options.helm === undefined) return kustomizeFiles(manifests(parts, settings));
  const job = parts.find((name) => ON_DEMAND_JOBS.includes(name));
  if (job === undefined) return chartFiles(parts, settings, version());
  throw new AppError('USAGE', `${job} has no place in a chart: its name says what it does`, {
    hint: `print it with \`envbuilder k8s ${job}\``,
  });
}

function partsOf({ operands }: Parsed, { PART_NAMES, USUAL_PARTS }: Kubernetes): readonly PartName[] {
  return operands.length === 0 ? USUAL_PARTS : operands.map((word) => partName(word, PART_NAMES));
}

function partName(word: string, known: readonly PartName[]): PartName {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  throw new AppError('USAGE', `there is no manifest called "${word}"`, {
    hint: didYouMean(word, known),
  });
}
