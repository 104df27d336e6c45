import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MISS_CAUSES } from '../../src/builder/misses/causes.ts';
import { kubernetesYaml } from '../../src/cli/commands/kubernetes.ts';
import { flagText } from '../../src/cli/help.ts';
import { parseOptions } from '../../src/cli/options/parse.ts';
import { OPTIONS } from '../../src/cli/options/table.ts';
import { GROUPS, type OptionRow } from '../../src/cli/options/types.ts';
import { EXIT_CODES } from '../../src/core/error.ts';
import { LIMITS } from '../../src/core/limits.ts';
import {
  GIT_FILES,
  GIT_LIMITS,
  GIT_MEMORY,
  NETWORK_LIMITS,
  NETWORK_TEXTS,
} from '../../src/core/network-limits.ts';
import type { KeyRow } from '../../src/devcontainer/compose/key-row.ts';
import { GRANTED_KEYS, UNGRANTED_KEYS } from '../../src/devcontainer/compose/ungranted-service.ts';
import { PROPERTIES, VARIABLES } from '../../src/devcontainer/properties.ts';
import type { SupportRow } from '../../src/devcontainer/property-types.ts';
import * as kubernetes from '../../src/kubernetes/all.ts';
import { COMPOSE_KEYS } from '../../src/kubernetes/services/compose-keys.ts';
import { registryDashboard } from '../../src/registry/dashboard.ts';
import { METRICS, type MetricRow } from '../../src/registry/metric-names.ts';
import { PACE_LIMITS, PACE_TEXTS } from '../../src/registry/pace.ts';
import { reportSchemaText } from '../../src/report/page/schema.ts';
import { UP_KEYS } from '../../src/up/services/compose-keys.ts';
import { fleetPage } from './fleet-page.ts';
import { code, intro, page, plain, table } from './markdown.ts';
import { rulePages } from './rule-pages.ts';

const root = join(import.meta.dirname, '../..');
const KUBERNETES_PAGES = ['docs/kubernetes.md', 'docs/fleet.md', 'docs/pipelines.md'];

/** The pages that are made from the code, or have parts that are: their text by path from the root of the checkout. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/options.md', optionsPage()],
    ['docs/reference/exit-codes.md', exitCodesPage()],
    ['docs/reference/limits.md', limitsPage()],
    ['docs/reference/miss-causes.md', missCausesPage()],
    ...rulePages(),
    ['docs/devcontainer-support.md', supportPage()],
    ['docs/reference/fleet-simulation.md', fleetPage()],
    ['docs/reference/report.schema.json', reportSchemaText()],
    ['docs/reference/registry-metrics.md', metricsPage()],
    ['docs/reference/registry-dashboard.json', `${JSON.stringify(registryDashboard(), null, 2)}\n`],
    ...KUBERNETES_PAGES.map((path): [string, string] => [
      path,
      withManifests(readFileSync(join(root, path), 'utf8')),
    ]),
  ]);
}

/** The pages whose files below `root` are missing or differ. */
export function stalePages(root: string): readonly string[] {
  return [...referencePages()]
    .filter(([path, text]) => read(join(root, path)) !== text)
    .map(([path]) => path);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** A page with the output of each `envbuilder k8s …` that a comment names in the block of code below it. */
function withManifests(page: string): string {
  return page.replace(
    /(<!-- envbuilder k8s(.*?) -->\n+```yaml\n).*?(^```$)/gms,
    (_, head: string, args: string, end: string) =>
      `${head}${kubernetesYaml(parseOptions('k8s', args.trim().split(/ +/).filter(Boolean), {}), kubernetes)}${end}`,
  );
}

function optionsPage(): string {
  const parts = [
    intro('Options', 'the options table in src/cli/options-table.ts'),
    'The options of every command; `start` is `envbuilder` without a command, as in a container. A flag wins over its variable. A boolean is true, 1, false or 0; the flag alone means true. The items of a list or map are separated by commas, in the flag as in the variable, unless the table says otherwise. The values of options marked secret are never printed.',
  ];
  for (const group of GROUPS) {
    const inGroup = OPTIONS.filter((row) => row.group === group);
    if (inGroup.length === 0) continue;
    const head = ['flag', 'variable', 'type', 'default', 'meaning', 'commands'];
    parts.push(`## ${group}`, table(head, inGroup.map(optionCells)));
  }
  return page(parts);
}

function optionCells(row: OptionRow): string[] {
  const others = (row.aliases ?? []).map((alias) => `, ${code(`--${alias}`)}`).join('');
  return [
    `${code(flagText(row))}${others}`,
    row.variable === undefined ? '' : code(row.variable),
    typeCell(row),
    defaultCell(row),
    plain(row.text),
    row.commands.join(', '),
  ];
}

function typeCell({ type, split, secret }: OptionRow): string {
  const notes = [split === 'whole' && 'one item a flag', secret && 'secret'].filter(Boolean);
  return [type, ...notes].join(', ');
}

function defaultCell(row: OptionRow): string {
  if (row.default !== undefined) return code(String(row.default));
  return row.type === 'boolean' ? code('false') : '';
}

function exitCodesPage(): string {
  const rows = Object.entries(EXIT_CODES).map(([name, { exit, text }]) => [
    String(exit),
    code(name),
    plain(text),
  ]);
  return page([
    intro('Exit codes', 'EXIT_CODES in src/core/error.ts'),
    'The command line ends with 0 when all went well. Otherwise the number says what kind of error it was; it depends on the error code alone, never on the words of the message.',
    table(['exit code', 'error code', 'meaning'], rows),
    'SIGINT and SIGTERM end every command within five seconds, whatever it is doing. What it has not cleared up by then is left to the next run, as after `kill -9`; a second signal ends it at once. `envbuilder registry serve`, which is meant to be ended so, exits with 0 when it could answer the requests under way.',
  ]);
}

function missCausesPage(): string {
  const rows = Object.entries(MISS_CAUSES).map(([name, { says, about }]) => [
    code(name),
    plain(says.replace(/\{(\w+)\}/g, '…')),
    about,
  ]);
  return page([
    intro('Why a step is not cached', 'MISS_CAUSES in src/builder/misses/causes.ts'),
    'What `envbuilder explain`, a probe and the output of a build say of a step that the cache does not have, and the codes of the same in JSON. A cause that is told by comparing with an earlier build ends with its time. Names of variables, files, secrets and images are shown, values never.',
    table(['code', 'words', 'what it is about'], rows),
  ]);
}

function limitsPage(): string {
  const rows = Object.values(LIMITS).map(({ most, unit, text, source }) => [
    plain(text),
    unit === 'bytes' ? `${sizeText(most)}` : most.toLocaleString('en'),
    plain(source),
  ]);
  return page([
    intro('Limits', 'LIMITS in src/core/limits.ts'),
    'How much of anything envbuilder takes from an image, an archive, a cache or a registry. What goes beyond is refused as `CORRUPT` ([exit code 9](exit-codes.md)), by a token server as `REGISTRY`; what comes from a cache is then left out with a warning, and the step is built.',
    'There is no limit on the number of entries of a layer, nor on the size that it decompresses to: it is read in parts of a megabyte, and a disk that is full is an error of its own (`DISK_FULL`). Memory grows by some 150 bytes for each path of an image that is unpacked, by some 350 in a build on it, and by some 100 more for each row of a table of contents ([decision 76](../adr/0076-trees-are-packed.md), [decision 92](../adr/0092-tables-are-packed-as-they-are-read.md)).',
    table(['what', 'at most', 'why'], rows),
    '## Times',
    'How long servers may take. What takes longer counts as no answer, and is tried once more at most; in a build, what fails at the cache is then a miss.',
    table(['what', 'how long'], networkTimes()),
    'How long clients of `envbuilder registry serve` may take before their connections are cut. Only their own slowness counts.',
    table(['what', 'how long'], clientTimes()),
  ]);
}

function metricsPage(): string {
  const rows = Object.values<MetricRow>(METRICS).map(({ name, type, labels = [], help }) => [
    code(name),
    type,
    labels.map(code).join(', '),
    plain(help),
  ]);
  return page([
    intro('Metrics of the registry', 'src/registry/metric-names.ts'),
    'What `envbuilder registry serve --metrics-addr HOST:PORT` answers at `/metrics`, beside the usual `process_*` and `nodejs_*`. No label has a value that clients choose: unknown methods are `other`, and `route` is `base`, `catalog`, `tags`, `manifest`, `blob`, `uploads`, `upload`, `referrers`, `health`, or `other` for what was refused before it was known.',
    table(['metric', 'type', 'labels', 'what it is'], rows),
    '[registry-dashboard.json](registry-dashboard.json) is a dashboard for Grafana, made from the same table.',
  ]);
}

function networkTimes(): readonly string[][] {
  const { documentMs, answerMs, leftoverMs, windowMs, windowBytes } = NETWORK_LIMITS;
  return [
    [plain(NETWORK_TEXTS.documentMs), seconds(documentMs)],
    [plain(NETWORK_TEXTS.answerMs), seconds(answerMs)],
    [plain(NETWORK_TEXTS.window), `${sizeText(windowBytes)} in each ${seconds(windowMs)} of waiting for it`],
    [plain(NETWORK_TEXTS.leftoverMs), seconds(leftoverMs)],
    [
      plain(NETWORK_TEXTS.git),
      `given up after ${GIT_LIMITS.seconds} s with fewer than ${GIT_LIMITS.bytes} bytes a second`,
    ],
    [plain(NETWORK_TEXTS.gitFiles), GIT_FILES.toLocaleString('en')],
    [
      plain(NETWORK_TEXTS.gitMemory),
      `${sizeText(GIT_MEMORY.bytes)}, or ${GIT_MEMORY.share * 100} % of what there is where that is less`,
    ],
  ];
}

function clientTimes(): readonly string[][] {
  const { headersMs, documentMs, receiveMs, receiveBytes, sendMs, connections } = PACE_LIMITS;
  return [
    [plain(PACE_TEXTS.headersMs), seconds(headersMs)],
    [plain(PACE_TEXTS.documentMs), seconds(documentMs)],
    [plain(PACE_TEXTS.receive), `${sizeText(receiveBytes)} in each ${seconds(receiveMs)}`],
    [plain(PACE_TEXTS.sendMs), `in each ${seconds(sendMs)}`],
    [plain(PACE_TEXTS.connections), connections.toLocaleString('en')],
  ];
}

const seconds = (ms: number): string => `${ms / 1000} s`;

/** Bytes with the largest unit that leaves a whole number. */
function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  for (; value % 1024 === 0 && unit + 1 < units.length; unit += 1) value /= 1024;
  return `${value.toLocaleString('en')} ${units[unit]}`;
}

/** Options of `devcontainer up`, `build` and `read-configuration` that decide what a dev container is. */
const REFERENCE_OPTIONS: readonly (readonly string[])[] = [
  [
    '`--additional-features`',
    'works',
    'Features behind those of the file, which counts where both name one; variables stay as they are in them. Also in `build`, `probe`, `explain` and a start.',
  ],
  [
    '`--override-config`',
    'works',
    'Read in place of devcontainer.json. Its paths are relative to where that one lies, or would lie in `.devcontainer`, and tools are told of that place. Also in `build`, `probe`, `explain` and a start.',
  ],
  [
    '`--dotfiles-repository`, `--dotfiles-target-path`, `--dotfiles-install-command`',
    'differs',
    'In a start, also as ENVBUILDER_DOTFILES_URL and its like. [Dotfiles](start.md#dotfiles) are cloned without git in the image, and what failed is tried again in the next start.',
  ],
  [
    '`--secrets-file`',
    'differs',
    'In a start, also as ENVBUILDER_SECRETS_FILE: variables of [hooks](start.md#secrets-of-hooks) and of the installation of dotfiles alone, masked in the log. Values have to be texts.',
  ],
  [
    '`--id-label`, `--container-id`',
    'cannot',
    `They find a container of a Docker engine again, and there is none here; the option is refused. \`\${devcontainerId}\` is made of the workspace folder and the place of devcontainer.json.`,
  ],
];

const HELD = { yes: 'yes', partly: 'partly', no: 'no', nothing: 'no meaning' } as const;

/** What follows a colon in a message is a sentence on a page. */
function sentence(text: string): string {
  return text.endsWith('.') ? plain(text) : plain(`${text[0]!.toUpperCase()}${text.slice(1)}.`);
}

function supportPage(): string {
  const rows = (list: readonly SupportRow[]): string =>
    table(
      ['', 'here', 'what is done with it'],
      list.map(({ name, support, text }) => [code(name), support, plain(text)]),
    );
  const cannot = UNGRANTED_KEYS.map(({ keys, why }) => [keys.map(code).join(', '), plain(why)]);
  return page([
    intro('Dev containers: what works', 'src/devcontainer/properties.ts'),
    'envbuilder reads devcontainer.json as [@devcontainers/cli](https://github.com/devcontainers/cli), the reference implementation, does; tests compare the two. It runs inside the one container that becomes the dev container, and what whoever starts that container decides is out of its reach. In the tables, **works** means as in the reference, **differs** that there is a difference, which is named, **no effect** that the property is for others, and **cannot** that it is impossible from inside. A start warns about each property that it cannot honour; a build does not, since the image is the same.',
    '## Files',
    [
      '1. The file that `--devcontainer-json-path` names.',
      '2. `devcontainer.json` in the folder that `--devcontainer-dir` names, by default `.devcontainer`; with `--devcontainer-name NAME`, the one in its folder `NAME`, and nothing else.',
      '3. `.devcontainer/devcontainer.json`, `.devcontainer.json`, `devcontainer.json`.',
      '4. `.devcontainer/<folder>/devcontainer.json`; of several the first by name, with a warning.',
    ].join('\n'),
    'Comments and trailing commas are allowed. A value of a wrong type is an error that names its line where the property decides something; otherwise it is a warning. null, a string in place of a list and a number in place of a user are taken with a warning too, as the reference takes them. A property that is unknown is a warning with the nearest known name. Numbers and booleans where variables want text are taken as text.',
    '## Properties',
    rows(PROPERTIES.flatMap((row) => [row, ...(row.parts ?? [])])),
    '## Variables',
    rows(VARIABLES),
    "## Options of the reference's command line",
    table(['', 'here', 'what is done with it'], REFERENCE_OPTIONS),
    '## Image metadata',
    'The label `devcontainer.metadata` of the base image, the features and the file are merged as the specification says, and written into the image that is built, so that an image that is pushed needs no devcontainer.json. A label that the Dockerfile itself sets counts as well; the reference looks at the base image alone.',
    '## Compose services',
    `Files are merged, included and extended as Docker Compose does it. Honoured are ${GRANTED_KEYS.map(code).join(', ')}, and of \`build\` its context, Dockerfile (inline too), target, arguments, contexts and labels. A volume that holds the workspace is there anyway; other volumes and other services are named in a warning, and so are:`,
    table(['keys', 'why not'], cannot),
    '## Compose services of up',
    '`envbuilder up` runs the services [beside the dev container](up.md#services-of-a-compose-project). What a service has and does not get is named in a warning, each property once.',
    keyTable(UP_KEYS),
    '## Compose services in a pod',
    '`envbuilder k8s workspace --compose DIR` puts the other services [beside the workspace](kubernetes.md#services-beside-the-workspace). What a service has and a pod does not hold is named on standard error, each property once. **partly** says that some of it is named.',
    keyTable(COMPOSE_KEYS),
  ]);
}

function keyTable(rows: readonly KeyRow[]): string {
  return table(
    ['keys', 'held', ''],
    rows.map(({ keys, held, text }) => [keys.map(code).join(', '), HELD[held], sentence(text)]),
  );
}
