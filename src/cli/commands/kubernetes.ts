import { join, resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { didYouMean } from '../../core/suggest.ts';
import { loadKubernetes, type ManifestSettings, type PartName, writeOutputText } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { definitionRequest } from '../requests/command-request.ts';
import { manifestSettings } from '../requests/manifest-settings.ts';
import { workspaceName } from '../requests/workspace-name.ts';
import type { CommandContext } from '../run-context.ts';
import { version } from '../version.ts';

type Kubernetes = Awaited<ReturnType<typeof loadKubernetes>>;
type Services = Pick<ManifestSettings, 'services'>;

/** `envbuilder k8s`: prints manifests, or writes them as files. */
export const kubernetesCommand: CommandBody = async (parsed, context, emit) => {
  const { stdout, cwd, signal } = context;
  const kubernetes = await loadKubernetes();
  const services = servicesFor(parsed, { context, kubernetes, emit });
  const files = filesFor(parsed, kubernetes, services);
  if (files === undefined) {
    stdout.write(kubernetesYaml(parsed, kubernetes, services));
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
export function kubernetesYaml(parsed: Parsed, kubernetes: Kubernetes, services: Services = {}): string {
  const { manifests, manifestsYaml, scheduleFault } = kubernetes;
  const settings = { ...manifestSettings(parsed.options, scheduleFault), ...services };
  return manifestsYaml(manifests(partsOf(parsed, kubernetes), settings));
}

/**
 * The services that stand beside the workspace, if there are to be some; what a pod does not hold of them is said.
 * @throws AppError USAGE; DEVCONTAINER, OUTSIDE as readServices and servicesBeside
 */
function servicesFor(
  parsed: Parsed,
  {
    context,
    kubernetes,
    emit,
  }: { readonly context: CommandContext; readonly kubernetes: Kubernetes; readonly emit: Emit },
): Services {
  const { options } = parsed;
  if (options.compose === undefined) return {};
  const parts = partsOf(parsed, kubernetes);
  if (!parts.includes('workspace'))
    throw new AppError('USAGE', `--compose is for the workspace, and not for ${parts.join(', ')}`, {
      hint: 'print it with `envbuilder k8s workspace --compose DIR`',
    });
  const { readServices, servicesBeside, scheduleFault } = kubernetes;
  const services = readServices(
    definitionRequest(parsed, resolve(context.cwd, options.compose), context),
    {
      checkout: workspaceName(options.repository),
      images: options['service-image'],
      volumeSize: options['service-volume-size'],
    },
    emit,
  );
  const known = services.project.services.map(({ name }) => name);
  for (const name of options['service-image'].keys())
    if (!known.includes(name))
      throw new AppError('USAGE', `--service-image names ${name}, and there is no such service`, {
        hint: didYouMean(name, known),
      });
  const { notes } = servicesBeside(manifestSettings(options, scheduleFault), services);
  for (const text of notes) emit({ type: 'warning', code: 'DEVCONTAINER', text });
  return { services };
}

/** The files that a command line asks for; undefined when it asks for none. @throws AppError USAGE, REFERENCE */
function filesFor(
  parsed: Parsed,
  kubernetes: Kubernetes,
  services: Services,
): ReadonlyMap<string, string> | undefined {
  const { options } = parsed;
  const { manifests, kustomizeFiles, chartFiles, scheduleFault, ON_DEMAND_JOBS } = kubernetes;
  if (options.kustomize === undefined && options.helm === undefined) return undefined;
  if (options.kustomize !== undefined && options.helm !== undefined)
    throw new AppError('USAGE', 'a directory is either for kustomize or for Helm', {
      hint: 'run it twice, with --kustomize and with --helm',
    });
  const parts = partsOf(parsed, kubernetes);
  const settings = { ...manifestSettings(options, scheduleFault), ...services };
  if (options.helm === undefined) return kustomizeFiles(manifests(parts, settings));
  const job = parts.find((name) => ON_DEMAND_JOBS.includes(name));
  if (job === undefined) return chartFiles(parts, settings, version());
  throw new AppError('USAGE', `${job} has no place in a chart: its name says what it does`, {
    hint: `print it with \`envbuilder k8s ${job}\``,
  });
}

/** @throws AppError USAGE */
function partsOf(
  { operands, options }: Parsed,
  { PART_NAMES, USUAL_PARTS, PIPELINE_PARTS }: Kubernetes,
): readonly PartName[] {
  const parts = operands.length === 0 ? USUAL_PARTS : operands.map((word) => partName(word, PART_NAMES));
  const bound = parts.find((name) => PIPELINE_PARTS.includes(name));
  if (bound === undefined || options.namespace !== undefined) return parts;
  throw new AppError('USAGE', `${bound} gives rights to accounts, which have to be those of a namespace`, {
    hint: 'name it with --namespace',
  });
}

function partName(word: string, known: readonly PartName[]): PartName {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  throw new AppError('USAGE', `there is no manifest called "${word}"`, {
    hint: didYouMean(word, known),
  });
}
