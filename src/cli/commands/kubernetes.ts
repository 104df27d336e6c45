import { AppError } from '../../core/error.ts';
import { didYouMean } from '../../core/suggest.ts';
import { loadKubernetes, type ManifestSettings, type PartName, parseReference } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import type { Options } from '../options/table.ts';

/** A namespace is a DNS label (RFC 1123). */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const QUANTITY = /^\d+(?:\.\d+)?(?:[kKMGTPE]i?)?$/;
const CRON = /^(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+(?: +\S+){4})$/;

const OWN_IMAGE = 'registry.example/envbuilder:latest';

/** `envbuilder k8s`: prints manifests. */
export const kubernetesCommand: CommandBody = async (parsed, { stdout }) => {
  stdout.write(kubernetesYaml(parsed, await loadKubernetes()));
};

/** The manifests that a command line asks for. @throws AppError USAGE, REFERENCE */
export function kubernetesYaml(
  { options, operands }: Parsed,
  { manifests, manifestsYaml, PART_NAMES }: Awaited<ReturnType<typeof loadKubernetes>>,
): string {
  const names =
    operands.length === 0
      ? PART_NAMES.filter((name) => name !== 'warm-now')
      : operands.map((word) => partName(word, PART_NAMES));
  return manifestsYaml(manifests(names, settingsOf(options)));
}

function partName(word: string, known: readonly PartName[]): PartName {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  throw new AppError('USAGE', `there is no manifest called "${word}"`, {
    hint: didYouMean(word, known),
  });
}

/** @throws AppError USAGE, REFERENCE */
function settingsOf(options: Options): ManifestSettings {
  const { namespace, schedule, repository, image, 'runtime-image': runtimeImage = OWN_IMAGE } = options;
  const storageClass = options['storage-class'];
  if (namespace !== undefined) check('namespace', namespace, LABEL, 'write a DNS label, as in team-a');
  check('schedule', schedule, CRON, 'write five fields as cron does, as in "15 3 * * *"');
  for (const name of ['base-images-size', 'registry-size', 'workspace-size'] as const)
    check(name, options[name], QUANTITY, 'write a quantity as Kubernetes does, as in 20Gi');
  for (const reference of [...image, runtimeImage]) parseReference(reference);
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(storageClass === undefined ? {} : { storageClass }),
    runtimeImage,
    images: image.length === 0 ? ['debian:bookworm'] : image,
    schedule,
    repository,
    sharedVolume: options['shared-volume'],
    baseImagesSize: options['base-images-size'],
    registrySize: options['registry-size'],
    workspaceSize: options['workspace-size'],
  };
}

function check(name: string, value: string, pattern: RegExp, hint: string): void {
  if (!pattern.test(value)) throw new AppError('USAGE', `--${name} is "${value}"`, { hint });
}
