import type { OptionRow } from './types.ts';

/** What fills a cache of base images. */
export const WARM_OPTIONS = [
  {
    name: 'cache-dir',
    short: 'c',
    type: 'string',
    placeholder: 'DIR',
    text: 'The directory to fill; made where it is missing.',
    commands: ['warm'],
    group: 'Base image cache',
  },
  {
    name: 'image',
    short: 'i',
    type: 'list',
    placeholder: 'REFERENCE',
    text: 'An image to fetch; arguments of warm without a flag are images too. Can be repeated.',
    commands: ['warm', 'k8s'],
    group: 'Base image cache',
  },
  {
    name: 'dockerfile',
    short: 'd',
    type: 'list',
    split: 'whole',
    placeholder: 'FILE',
    text: 'A Dockerfile whose base images, COPY --from images and mounted images are fetched, in all stages. Can be repeated.',
    commands: ['warm'],
    group: 'Base image cache',
  },
  {
    name: 'force',
    type: 'boolean',
    text: 'Check images again that are there already, and fetch what is damaged.',
    commands: ['warm'],
    group: 'Base image cache',
  },
  {
    name: 'cache-ttl',
    type: 'string',
    default: '336h',
    placeholder: 'DURATION',
    text: 'The same for images that were fetched longer ago than this, as 36h or 90m. kaniko ignores images that are older than two weeks.',
    commands: ['warm'],
    group: 'Base image cache',
  },
  {
    name: 'layout',
    type: 'string',
    default: 'all',
    choices: ['all', 'kaniko', 'oci'],
    text: 'What to write: files for kaniko, an OCI layout, or both, which takes the space twice. Tags without a registry need the OCI layout.',
    commands: ['warm'],
    group: 'Base image cache',
  },
] as const satisfies readonly OptionRow[];
