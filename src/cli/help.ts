import { optionsOf } from './options/table.ts';
import { type CommandName, GROUPS, type OptionRow } from './options/types.ts';

/** The commands of the command line, with a line each. */
export const COMMANDS: Readonly<Record<string, string>> = {
  build: 'Build a Dockerfile or a dev container, taking from the cache what it holds',
  probe: 'Tell whether the cache holds all of an image, and print its name; builds nothing',
  explain: 'Say of every step whether the cache holds it, and what changed where it does not',
  report: 'List builds that are over, or make a page of one or several, out of their reports',
  'read-configuration': 'Print what devcontainer.json says, as JSON',
  up: 'Have the dev container of a folder run, without a container engine',
  exec: 'Run a command in it',
  down: 'End it and delete it',
  list: 'List the dev containers that are here',
  warm: 'Fetch base images into a directory that builds read them from',
  index: 'Make one image for several platforms out of images that are there',
  k8s: 'Print manifests for Kubernetes',
  login: 'Keep a user and password for a registry, as docker login does',
  logout: 'Forget them',
  'cache ls': 'List what a cache holds',
  'cache show': 'Show all of a record or an image of a cache',
  'cache du': 'Tell what the stages and instructions of a cache take',
  'cache verify': 'Ask for every layer that a cache needs',
  'cache copy': 'Copy a cache, or some of it, to a directory or another repository',
  'cache prune': 'Remove old records from a cache',
  'cache diff': 'Tell what changed between two images: layers, config and files',
  'registry serve': 'Serve a directory as a registry',
  'registry gc': 'Remove from a registry directory what nothing names',
  'registry check': 'Read all of a registry directory, and repair it',
  completion: 'Print a script by which bash, zsh or fish completes commands and flags',
  version: 'Print the version',
  help: 'Show this, or the options of a command',
};

/** What help says of each command before its options. */
export const USAGE: Readonly<Record<CommandName, string>> = {
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
  up: `Usage: envbuilder up [options] [folder]

Builds the dev container of a folder, by default of the current one, and has it run in namespaces of its own: as root, or as
an ordinary user. One that is there already is joined, or started again. The last line on standard output is the result as
JSON, in the shape of \`devcontainer up\`; after an error it says so, and the exit code is 1.`,
  exec: `Usage: envbuilder exec [options] COMMAND [argument…]

Runs a command in the dev container of a folder, as its user and in its workspace. Options stand before the command. The exit
code is that of the command.`,
  down: `Usage: envbuilder down [options] [folder]

Ends all processes of the dev container of a folder, by default of the current one, and deletes it. Its workspace and named
volumes stay.`,
  list: `Usage: envbuilder list [options]

Lists the dev containers that \`envbuilder up\` has made, on standard output as a table or as JSON.`,
  warm: `Usage: envbuilder warm --cache-dir DIR [options] [image…]

Fetches base images into a directory, where builds (--base-image-cache-dir) and kaniko find them. Builds may read the
directory meanwhile. Prints a line for each image on standard output: fetched or present, its name, its digest. The exit
code is that of the first image that failed; the others are fetched all the same.`,
  index: `Usage: envbuilder index --tag NAME [options] IMAGE…

Makes an index of images that are in a registry, each of which is for another platform, as docker buildx imagetools create
does. Nothing is pulled; what the repository of a name lacks is copied there. The same images give the same index, whose
digest is printed on standard output. With --wait it waits for images that others are still building.`,
  report: `Usage: envbuilder report [-o FILE|text|json] DIR|REPORT.json

Tells of builds and starts that are over, out of the reports that they have written as JSON. A directory, as
\`envbuilder build --report DIR/\` fills it, becomes one page with the trend of times, one report the page of that run. With
-o text a directory is a list, the newest first, and a report says what its run waited for, why steps were not cached, and
how it ended. Prints on standard output where no file is named.`,
  k8s: `Usage: envbuilder k8s [options] [part…]

Prints manifests for \`kubectl apply -f -\`, or writes them as a base of kustomize or a chart of Helm. The parts are
base-images, warmer, registry, workspace and network, which are printed where none is named; and secrets, warm-now,
base-images-read, registry-gc, prebuild and prebuild-watch, which are printed only then, as are prebuilds as pipelines:
prebuild-argo, prebuild-argo-events, prebuild-tekton and prebuild-tekton-triggers. Nothing is asked of a cluster.`,
  login: `Usage: envbuilder login --username NAME --password-stdin [options] [REGISTRY]

Asks a registry, by default Docker Hub, whether it takes a user and a password or token, and keeps them where Docker does: in
$DOCKER_CONFIG or ~/.docker/config.json, or with the credential helper that this file names. The password comes from standard
input: printenv TOKEN | envbuilder login --username me --password-stdin registry.example`,
  logout: `Usage: envbuilder logout [options] [REGISTRY]

Removes what \`envbuilder login\` or \`docker login\` has kept for a registry, by default Docker Hub.`,
  'cache ls': `Usage: envbuilder cache ls [options]

Lists the records of steps, images and notes of a cache (--cache-repo or --layer-cache-dir) with their sizes and ages.
Stage and instruction of a record are known while a trace of a build names them. Images that have no tag are not listed.`,
  'cache show': `Usage: envbuilder cache show [options] KEY|TAG

Shows all that a cache has under a tag, or under a key, of which the beginning is enough: for a record its chain of layers,
who signed it and what it is made of.`,
  'cache du': `Usage: envbuilder cache du [options]

Tells what the layers of a cache take, by stage and by instruction. A layer counts once.`,
  'cache verify': `Usage: envbuilder cache verify [options]

Asks for every layer that records and images of a cache need, and tells what is gone or has another size. The exit code is
that of CORRUPT where anything is wrong.`,
  'cache copy': `Usage: envbuilder cache copy [options] DESTINATION [KEY|TAG…]

Copies all of a cache, or what is named, with all layers it needs. The destination is a repository, or a directory, which is
written with a slash in front or as ./DIR.`,
  'cache prune': `Usage: envbuilder cache prune [options]

Removes records that are older than --older-than, or the oldest ones until the rest needs no more than --max-size. What a
newer record, an image or a lease needs stays. A directory is cleaned up as \`registry gc\` does it; a registry frees the
space when it collects its own garbage.`,
  'cache diff': `Usage: envbuilder cache diff [options] IMAGE IMAGE

Tells what changed from the first image to the second one: layers that only one of them has, with what made them; variables,
labels and the rest of the config; files that are new, gone or not the same, with their sizes. An image is one of a registry,
oci-layout://DIR:TAG, or a directory that is an OCI layout or a layer cache, with a slash in front or as ./DIR:TAG. Layers are
read from the registry, those that both begin with once.`,
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

/** What there is a help for: commands, and words that are none by themselves. */
export type HelpTopic = CommandName | 'cache' | 'registry' | 'completion' | 'help' | 'version';

/** The help of a command, of a group of commands, or of the whole program. */
export function helpText(topic: HelpTopic): string {
  if (topic === 'version') return 'Usage: envbuilder version\n\nPrints the version.\n';
  if (topic === 'completion')
    return 'Usage: envbuilder completion bash|zsh|fish\n\nPrints a completion script; in bash: . <(envbuilder completion bash)\n';
  if (topic === 'help') return 'Usage: envbuilder help [command]\n\nShows the options of a command.\n';
  if (topic === 'cache' || topic === 'registry') {
    const names = Object.keys(COMMANDS).filter((name) => name.startsWith(`${topic} `));
    return `Usage: envbuilder ${topic} <command> [options]\n\n${commandList(names)}\n\nenvbuilder help ${names[0]} shows the options of one.\n`;
  }
  return commandHelp(topic);
}

function commandHelp(command: CommandName): string {
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

function commandList(names: readonly string[] = Object.keys(COMMANDS)): string {
  const lines = names.map((name) => `  ${name.padEnd(20)}${COMMANDS[name]}`);
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
