import { optionsOf } from './options/table.ts';
import { type CommandName, GROUPS, type OptionRow } from './options/types.ts';

/** The commands of the command line, with a line each. */
export const COMMANDS: Readonly<Record<string, string>> = {
  build: 'Build a Dockerfile or a dev container, taking from the cache what it holds',
  probe: 'Tell whether the cache holds all of an image, and print its name; builds nothing',
  explain: 'Say of every step whether the cache holds it, and what changed where it does not',
  'read-configuration': 'Print what devcontainer.json says, as JSON',
  warm: 'Fetch base images into a directory that builds read them from',
  k8s: 'Print manifests for Kubernetes',
  'registry serve': 'Serve a directory as a registry',
  'registry gc': 'Remove from a registry directory what nothing names',
  'registry check': 'Read all of a registry directory, and repair it',
  version: 'Print the version',
  help: 'Show this, or the options of a command',
};

const USAGE: Readonly<Record<CommandName, string>> = {
  build: `Usage: envbuilder build [options] [context]

Builds a Dockerfile without a container engine. The context is a directory, by default the current one. With a cache
(--layer-cache-dir or --cache-repo) steps that were built before are taken from it, and new ones are stored in it.
Prints the digest of the image on standard output; everything else goes to standard error.`,
  probe: `Usage: envbuilder probe [options] [context]

Looks up every step of a Dockerfile in a cache, runs nothing and downloads no layer. When all is there, the last line on
standard output is ENVBUILDER_CACHED_IMAGE=<repository>@<digest> and the exit code is 0; otherwise the error names the
first instruction that is missing.`,
  explain: `Usage: envbuilder explain [options] [context]

Looks up every step of a Dockerfile in a cache, as a probe does, and says of each that is missing why: which variable, file,
base image, option or secret changed since an earlier build, or what is wrong with its record. Values are never shown.`,
  'read-configuration': `Usage: envbuilder read-configuration [options]

Reads the devcontainer.json of a workspace, checks it, replaces variables, and prints it on standard output as JSON in the
shape of \`devcontainer read-configuration\`, the command of the reference implementation.`,
  warm: `Usage: envbuilder warm --cache-dir DIR [options] [image…]

Fetches base images into a directory, where builds (--base-image-cache-dir) and kaniko find them. Builds may read the
directory meanwhile. Prints a line for each image on standard output: fetched or present, its name, its digest. The exit
code is that of the first image that failed; the others are fetched all the same.`,
  k8s: `Usage: envbuilder k8s [options] [part…]

Prints manifests for \`kubectl apply -f -\`: a registry, a volume of base images with what fills it, a workspace, network
policies, and secrets to fill in. The parts are secrets, base-images, warmer, warm-now, registry, workspace and network;
without any, all but warm-now are printed. Nothing is asked of a cluster.`,
  'registry serve': `Usage: envbuilder registry serve --dir DIR [options]

Serves a directory as a registry (OCI distribution spec v1.1), until it is interrupted. Builds may use the directory as
their layer cache, and other servers may serve it, at the same time. Prints where it listens on standard output.`,
  'registry gc': `Usage: envbuilder registry gc --dir DIR [options]

Removes blobs and manifests that neither a tag nor a cache record reaches, and with --older-than or --max-size tags and
records that nobody uses. The directory may be served and built with meanwhile.`,
  'registry check': `Usage: envbuilder registry check --dir DIR [--repair]

Reads every blob of a registry's directory, follows every name, and tells what is damaged or missing. The directory may
be in use.`,
  start: `Usage: envbuilder <command> [options]
       envbuilder [options]        as the start of a container, set up by variables (see below)

Builds a repository's Dockerfile without a container engine, and finds every layer again.

Without a command it starts a workspace: it clones and builds it, replaces the file system of the
container that it runs in, runs the hooks, and becomes the init command. With
ENVBUILDER_GET_CACHED_IMAGE=1 it only probes the workspace.`,
};

const WIDTH = 100;
const FLAG_COLUMN = 34;

/** The help of a command, or of the whole program. */
export function helpText(command: CommandName): string {
  const parts = [USAGE[command]];
  if (command === 'start') parts.push(commandList());
  const rows = optionsOf(command);
  for (const group of GROUPS) {
    const inGroup = rows.filter((row) => row.group === group);
    if (inGroup.length > 0) parts.push([`${group}:`, ...inGroup.flatMap(optionLines)].join('\n'));
  }
  parts.push('A flag wins over its variable. -h, --help shows this.');
  return `${parts.join('\n\n')}\n`;
}

/** How an option is written, as `-t, --tag NAME`. */
export function flagText(row: OptionRow): string {
  const value = row.choices?.join('|') ?? row.placeholder;
  return `${row.short ? `-${row.short}, ` : ''}--${row.name}${value && row.type !== 'boolean' ? ` ${value}` : ''}`;
}

function commandList(): string {
  const lines = Object.entries(COMMANDS).map(([name, text]) => `  ${name.padEnd(20)}${text}`);
  return ['Commands:', ...lines].join('\n');
}

function optionLines(row: OptionRow): string[] {
  const flag = `  ${flagText(row)}`;
  const notes = [
    row.variable && `[${row.variable}]`,
    row.default !== undefined && `(default: ${row.default})`,
  ];
  const text = [row.text, ...notes].filter(Boolean).join(' ');
  const lines = wrap(text, WIDTH - FLAG_COLUMN).map((line) => `${' '.repeat(FLAG_COLUMN)}${line}`);
  if (flag.length >= FLAG_COLUMN - 1) return [flag, ...lines];
  return [`${flag.padEnd(FLAG_COLUMN)}${lines[0]!.trimStart()}`, ...lines.slice(1)];
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
