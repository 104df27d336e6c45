/* What --call prints, beside what Docker prints. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import type { Services } from '../scripts/lib/services.ts';
import { capture } from '../scripts/lib/shell.ts';
import { EXAMPLES } from '../src/dockerfile/lint/examples.ts';
import { RULES } from '../src/dockerfile/lint/rules.ts';
import { envbuilder } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';

const environment = useEnvironment(['registry', 'docker']);
const dir = temporaryDir('checks');
after(() => rmSync(dir, { recursive: true, force: true }));

interface Warnings {
  readonly warnings?: readonly {
    readonly ruleName: string;
    readonly location: { readonly ranges: readonly { readonly start: { readonly line: number } }[] };
  }[];
}

async function fromDocker({ docker }: Services, args: readonly string[]) {
  const { command, env } = docker!;
  return capture(command, ['buildx', 'build', '--progress=plain', ...args], { env });
}

function found(json: string): readonly string[] {
  const { warnings } = JSON.parse(json) as Warnings;
  return (warnings ?? [])
    .map(({ ruleName, location }) => `${ruleName} ${location.ranges[0]!.start.line}`)
    .sort();
}

/** With images of the registry of the tests for those of the examples. */
function context(name: string, text: string, host: string, ignore = ''): string {
  const path = join(dir, name);
  mkdirSync(path, { recursive: true });
  const image = /^(FROM (?:--\S+ )?)(?:alpine|golang|node|example\.com\/[\w-]+)(?=[:\s])(?::(?=\$))?/gm;
  const replaced = text.replace(
    image,
    (all, from: string) => `${from}${host}/busybox:${all.endsWith(':') ? '' : '1'}`,
  );
  writeFileSync(join(path, 'Dockerfile'), replaced.replaceAll('3.22', '1'));
  writeFileSync(join(path, '.dockerignore'), ignore);
  return path;
}

for (const { name, origin } of RULES) {
  // A check of Docker does not look at --platform.
  if (origin === 'ours' || name === 'InvalidBaseImagePlatform') continue;
  const { bad, good, ignore, directive = '#', options = '' } = EXAMPLES[name]!;
  test(`${name}: the examples are to Docker what they are to us`, async (t) => {
    const { services } = environment;
    const missing = missingService(services, ['registry', 'docker']);
    if (missing !== undefined) return t.skip(missing);
    const args = options
      .replaceAll('3.22', '1')
      .split(' ')
      .filter((one) => one !== '');
    for (const [kind, text] of Object.entries({ bad, good })) {
      const path = context(`${name}-${kind}`, `${directive}\n${text}`, services.registry!.host, ignore);
      const all = ['--call=check,format=json', ...args];
      // Docker 28 has one among the experimental ones.
      const hidden =
        name === 'CopyIgnoredFile' ? ['--build-arg=BUILDKIT_DOCKERFILE_CHECK=experimental=all'] : [];
      const theirs = await fromDocker(services, [...all, ...hidden, path]);
      const ours = await envbuilder(['build', ...all, ...hidden, path]);
      assert.deepEqual(
        found(ours.stdout),
        found(theirs.stdout.toString()),
        `${ours.output}\n${theirs.stderr}`,
      );
      assert.equal(ours.code, theirs.code === 0 ? 0 : 22, ours.output);
      assert.equal(theirs.code === 0, kind === 'good');
    }
  });
}

const FILE = `# VERSION of the tool
ARG VERSION=1
ARG UNUSED=2
# base is below
FROM @R@/busybox:\${VERSION} AS base
ARG TARGETARCH
ARG VERSION
# NAME to greet
ARG NAME=me
RUN --mount=type=secret,id=npm --mount=type=ssh true
FROM @R@/busybox:1 AS other
ARG ONLY_OTHER
RUN --mount=type=secret,id=key,required true
FROM --platform=$BUILDPLATFORM base
COPY --from=other /etc /etc2
`;

for (const call of ['outline', 'outline --target=other', 'outline --build-arg=NAME=you', 'targets']) {
  test(`--call=${call} prints what Docker prints`, async (t) => {
    const { services } = environment;
    const missing = missingService(services, ['registry', 'docker']);
    if (missing !== undefined) return t.skip(missing);
    const path = context('calls', FILE.replaceAll('@R@', services.registry!.host), services.registry!.host);
    const [method, ...rest] = call.split(' ');
    for (const format of ['json', 'text']) {
      const args = [`--call=${method},format=${format}`, ...rest, path];
      const theirs = (await fromDocker(services, args)).stdout.toString();
      const ours = await envbuilder(['build', ...args]);
      assert.equal(ours.code, 0, ours.output);
      if (format === 'json') assert.deepEqual(JSON.parse(ours.stdout), JSON.parse(theirs));
      else assert.equal(ours.stdout.trim(), theirs.replace(/ +$/gm, '').trim());
    }
  });
}

test('what cannot be meant is an error of use, and a file that cannot be built fails with its own code', async () => {
  const path = context('odd', 'FROM scratch\nNONSENSE\n', 'registry.invalid');
  for (const [args, code, message] of [
    [['--call=chek'], 2, /did you mean check/],
    [['--call=check,format=xml'], 2, /does not understand "format=xml"/],
    [['--check', '--call=targets'], 2, /differ/],
    [['--check'], 4, /"NONSENSE" is no instruction/],
    [['--call=check,ignorestatus=true'], 0, /"NONSENSE" is no instruction/],
    [['--call=targets'], 4, /"NONSENSE" is no instruction/],
  ] as const) {
    const { code: exit, output } = await envbuilder(['build', ...args, path]);
    assert.equal(exit, code, output);
    assert.match(output, message);
  }
});
