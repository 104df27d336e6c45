/*
 * Which usual commands make the same layer twice in reproducible builds: the table in docs/reproducible.md. Run by hand:
 *   node bench/reproducible.ts [--write] [--only PATTERN]
 * Builds all of them twice, in stages of one Dockerfile on a Debian with the tools and with two caches, and compares what
 * their layers hold. Prints the table; --write puts it into the page. Needs Debian's packages, PyPI, the npm registry and
 * the Go module proxy.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { withLocalDebian } from '../scripts/lib/debian-image.ts';
import { capture, step } from '../scripts/lib/shell.ts';
import { type Digest, digestOf, hexOf } from '../src/core/digest.ts';
import { readLayer } from '../src/layer/read-layer.ts';
import { createDirectoryStore } from '../src/oci/dir-store.ts';

interface Command {
  /** As in a Dockerfile. */
  readonly run: string;
  readonly needs?: keyof typeof PACKAGES;
  /** What makes the difference go away, or why there is none. */
  readonly note: string;
}

const root = join(import.meta.dirname, '..');
const PAGE = join(root, 'docs/reproducible.md');
const [BEGIN, END] = ['<!-- commands -->', '<!-- end of commands -->'];
/** Certificates of this machine, which a proxy between it and the registries may need. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Differing paths of a command that are named. */
const SHOWN = 4;

/** What a command needs besides a small Debian; each group is an image of its own. */
const PACKAGES = {
  none: '',
  python: 'python3 python3-venv',
  npm: 'npm',
  go: 'golang-go ca-certificates',
  tools: 'gcc libc6-dev git zip locales',
} as const;

const FILES = `mkdir -p /app/go /app/js /app/py && \\
    printf 'package main\\nimport "fmt"\\nfunc main() { fmt.Println("x") }\\n' >/app/go/main.go && \\
    printf 'module example.com/x\\ngo 1.19\\n' >/app/go/go.mod && \\
    printf '{"name":"x","version":"1.0.0","dependencies":{"is-odd":"3.0.1"}}' >/app/js/package.json && \\
    printf 'def f():\\n    return 1\\n' >/app/py/m.py && printf 'int main(void) { return 0; }\\n' >/app/m.c`;

const CLEAN =
  'rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/*.log /var/cache/ldconfig/aux-cache';
const APT = 'apt-get update && apt-get install -y --no-install-recommends hello';

const COMMANDS: readonly Command[] = [
  { run: APT, note: 'the caches of apt and ldconfig name times and inodes, the logs the time of day' },
  {
    run: `${APT} && ${CLEAN}`,
    note: 'as long as the mirror has the same versions: name them, or use a snapshot of it',
  },
  {
    run: 'useradd --create-home dev',
    note: '`/etc/shadow` has the day of SOURCE_DATE_EPOCH, and none for the start of the epoch',
  },
  {
    run: 'useradd dev && echo dev:secret | chpasswd',
    note: 'the salt is random; hand over a hash: `useradd --password`',
  },
  { run: 'ldconfig', note: '`aux-cache` names inodes and times of change; ldconfig can do without it' },
  { run: 'ldconfig && rm -f /var/cache/ldconfig/aux-cache', note: '' },
  { run: 'date >/etc/built', note: '`date --date=@$SOURCE_DATE_EPOCH`' },
  {
    run: 'echo x >/a && gzip -k /a',
    note: 'gzip writes down when a file of the same RUN was made: `gzip -n`',
  },
  { run: 'echo x >/a && tar -cf /a.tar /a', note: '`tar --sort=name --mtime=@$SOURCE_DATE_EPOCH`' },
  { run: 'echo x >/a && tar --sort=name --mtime=@$SOURCE_DATE_EPOCH -cf /a.tar /a', note: '' },
  {
    run: 'python3 -m venv /v && /v/bin/pip install six==1.16.0',
    needs: 'python',
    note: 'where the index lets pip keep answers, its cache names their times: `--no-cache-dir`',
  },
  {
    run: 'python3 -m venv /v && /v/bin/pip install --no-cache-dir six==1.16.0',
    needs: 'python',
    note: 'byte code is checked by hash, since pip sees SOURCE_DATE_EPOCH',
  },
  { run: 'python3 -m compileall -q /app/py', needs: 'python', note: 'as above' },
  {
    run: "cd /app/py && cp m.py n.py && python3 -c 'import n'",
    needs: 'python',
    note: 'byte code of an import names the time of its source: set PYTHONDONTWRITEBYTECODE=1, or run compileall',
  },
  { run: 'cd /app/js && npm install', needs: 'npm', note: "npm's cache and logs name the time of day" },
  {
    run: 'cd /app/js && npm install --logs-max=0 --cache=/tmp/npm && rm -rf /tmp/npm',
    needs: 'npm',
    note: 'or a cache mount',
  },
  {
    run: 'cd /app/go && go build -o /usr/local/bin/x .',
    needs: 'go',
    note: "Go's build cache names the time of each entry",
  },
  {
    run: 'cd /app/go && GOCACHE=/tmp/go go build -o /usr/local/bin/x . && rm -rf /tmp/go',
    needs: 'go',
    note: 'or a cache mount',
  },
  {
    run: 'cc -c -o /app/m.o /app/m.c && ar rcs /app/m.a /app/m.o',
    needs: 'tools',
    note: "Debian's ar writes no times",
  },
  {
    run: 'cd /app && git init -q && git add m.c',
    needs: 'tools',
    note: 'the index names times and inodes: no `.git` in the image',
  },
  { run: "sed -i 's/# en_US.UTF-8/en_US.UTF-8/' /etc/locale.gen && locale-gen", needs: 'tools', note: '' },
];

const { values } = parseArgs({ options: { write: { type: 'boolean' }, only: { type: 'string' } } });
const wanted = COMMANDS.filter((one) => !values.only || new RegExp(values.only).test(one.run));
const groups = [...new Set(wanted.map(({ needs = 'none' }) => needs))];
const dir = temporaryDir('reproducible');
const context = join(dir, 'context');
mkdirSync(context);
if (existsSync(CERTIFICATES)) copyFileSync(CERTIFICATES, join(context, 'ca.crt'));
else writeFileSync(join(context, 'ca.crt'), '');
try {
  const [first, second] = await withLocalDebian(async (base) => {
    for (const group of groups) {
      const install = `RUN apt-get update && apt-get install -y --no-install-recommends ${PACKAGES[group]} && ${CLEAN}`;
      const text = `FROM ${base}\n${group === 'none' ? '' : install}\nRUN ${FILES}\n`;
      const tools = toolsOf(base, group);
      const push = [`--cache-repo=${tools.replace(/:1$/, '')}`, `--tag=${tools}`, '--push-image'];
      await step(`making an image with ${PACKAGES[group] || 'no tools'}`, () => build(text, push));
    }
    return [await layersOf(base, 'first'), await layersOf(base, 'second')];
  });
  const rows = wanted.map((command, i) => row(command, differences(first![i]!, second![i]!)));
  process.stdout.write(`${rows.join('\n')}\n`);
  if (values.write && !values.only) write(rows);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function toolsOf(base: string, group: keyof typeof PACKAGES): string {
  return base.replace(/debian:.*/, `tools-${group}:1`);
}

/** Entries of a layer by path: what each of them is, as a digest. */
type Entries = ReadonlyMap<string, string>;

/** Runs every command, each in a stage of its own; the layers of all. */
async function layersOf(base: string, name: string): Promise<Entries[]> {
  const cache = join(dir, name);
  const mount = `--mount=target=${CERTIFICATES},source=ca.crt`;
  const stages = wanted.map(
    ({ run: command, needs = 'none' }, i) =>
      `FROM ${toolsOf(base, needs)} AS c${i}\nRUN ${mount} NODE_EXTRA_CA_CERTS=${CERTIFICATES} sh -euc ${quoted(command)}\n`,
  );
  const copies = wanted.map((_, i) => `COPY --from=c${i} /etc/passwd /c${i}\n`);
  const text = `${stages.join('')}FROM scratch\n${copies.join('')}`;
  const events = await step(`running ${wanted.length} commands, ${name} time`, () =>
    build(text, [`--layer-cache-dir=${cache}`, '--progress=json']),
  );
  const keys = new Map<number, string>();
  for (const line of events.split('\n').filter((one) => one.startsWith('{'))) {
    const { type, id, key } = JSON.parse(line) as { type: string; id?: { stage: number }; key?: string };
    if (type === 'step-finished' && id && key) keys.set(id.stage, key);
  }
  const store = createDirectoryStore({ root: cache, repository: 'local/cache' });
  return Promise.all(
    wanted.map(async (_, i) => {
      const record = await store.resolve(hexOf(keys.get(i) as Digest));
      const [layer] = (
        JSON.parse(String(record!.bytes)) as { layers: { digest: Digest; mediaType: string }[] }
      ).layers;
      return entriesOf(await store.get(layer!.digest), layer!);
    }),
  );
}

async function build(text: string, args: readonly string[]): Promise<string> {
  writeFileSync(join(context, 'Dockerfile'), text);
  const own = ['--reproducible', `--work-dir=${join(dir, 'work')}`, `--state-dir=${join(dir, 'state')}`];
  const { code, stderr } = await capture(join(root, 'envbuilder'), ['build', ...own, ...args, context]);
  if (code !== 0) throw new Error(`a build ended with ${code}:\n${stderr.slice(-4000)}`);
  return stderr;
}

async function entriesOf(
  stream: Readable,
  { digest, mediaType }: { readonly digest: Digest; readonly mediaType: string },
): Promise<Entries> {
  const found = new Map<string, string>();
  for await (const { entry, content } of readLayer(stream, mediaType, digest)) {
    const parts: Buffer[] = [];
    for await (const part of content) parts.push(Buffer.from(part));
    const { size, ...facts } = {
      ...entry,
      xattrs: [...(entry.xattrs ?? [])].map(([name, value]) => [name, value.toString('hex')]),
    };
    found.set(entry.path, digestOf(`${JSON.stringify(facts)} ${size} ${digestOf(Buffer.concat(parts))}`));
  }
  return found;
}

function differences(first: Entries, second: Entries): string[] {
  return [...new Set([...first.keys(), ...second.keys()])]
    .filter((path) => first.get(path) !== second.get(path))
    .sort();
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function row({ run: command, note }: Command, different: readonly string[]): string {
  const places = [...new Set(different.map(placeOf))];
  const named = places.slice(0, SHOWN).map((place) => `\`/${place}\``);
  const more = places.length > SHOWN ? ` and ${places.length - SHOWN} more` : '';
  const result = different.length === 0 ? 'yes' : `no: ${named.join(', ')}${more}`;
  return `| \`${command.replaceAll('|', '\\|')}\` | ${result} | ${note} |`;
}

/** The path, or of one deep down the directory above. */
function placeOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 4 ? `${parts.slice(0, 3).join('/')}/…` : path;
}

function write(rows: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const [before, after] = [page.split(BEGIN)[0]!, page.split(END)[1]!];
  const table = [
    '| RUN | the same layer | what it is, and what to do |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
}
