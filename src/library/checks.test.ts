import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkDockerfile, describeTarget, listTargets } from '../builder/describe.ts';
import { imageKey } from '../builder/registry-access.ts';
import type { BuildRequest, ResolvedImage } from '../builder/types.ts';
import { digestOf } from '../core/digest.ts';
import { tempDir } from '../core/testing.ts';
import { EXAMPLES } from '../dockerfile/lint/examples.ts';
import { RULES } from '../dockerfile/lint/rules.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import { buildRequest } from './request.ts';

const deps = { emit: () => {}, signal: new AbortController().signal };
const AMD64 = parsePlatform('linux/amd64');

interface Given {
  readonly ignore?: string | undefined;
  readonly options?: Partial<BuildRequest>;
  readonly platforms?: Readonly<Record<string, string>> | undefined;
}

/** A build whose base images are all known, so that nobody is asked for them. */
function requestFor(
  dir: string,
  dockerfile: string,
  { ignore, options, platforms = {} }: Given,
): BuildRequest {
  mkdirSync(join(dir, 'app'));
  writeFileSync(join(dir, 'app/Dockerfile'), dockerfile);
  if (ignore !== undefined) writeFileSync(join(dir, 'app/.dockerignore'), ignore);
  const names = [...dockerfile.matchAll(/^FROM (?:--\S+ )?(\S+)/gim)].map(([, name]) =>
    name!.replace(/\$\{\w+:-(.*)\}/, '$1').replace('$TAG', '3.22'),
  );
  const resolvedImages = new Map(
    names.map((name) => [imageKey(name, AMD64), image(name, platforms[name] ?? 'linux/amd64')]),
  );
  return buildRequest({
    context: join(dir, 'app'),
    platform: formatPlatform(AMD64),
    resolvedImages,
    workDir: join(dir, 'work'),
    stateDir: join(dir, 'state'),
    ...options,
  });
}

function image(reference: string, platform: string): ResolvedImage {
  const config = {
    ...parsePlatform(platform),
    config: { Env: ['FROM_BASE=1'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(reference)] },
  };
  return { reference, config, parsed: { layers: [] } } as unknown as ResolvedImage;
}

describe('the examples of the rules', () => {
  test('every rule has one', () => {
    assert.deepEqual(Object.keys(EXAMPLES).sort(), RULES.map(({ name }) => name).sort());
  });

  for (const [
    rule,
    { bad, good, ignore, directive, buildArgs = {}, options = '', platforms },
  ] of Object.entries(EXAMPLES)) {
    const found = async (dir: string, dockerfile: string): Promise<readonly string[]> => {
      const given = {
        buildArgs: new Map(Object.entries(buildArgs)),
        ignoreSyntax: options === '--ignore-syntax',
      };
      const text = directive === undefined ? dockerfile : `${directive}\n${dockerfile}`;
      const result = await checkDockerfile(
        requestFor(dir, text, { ignore, platforms, options: given }),
        deps,
      );
      assert.equal(result.error, undefined);
      return [...new Set(result.warnings.map((warning) => warning.rule))];
    };
    test(`${rule} finds fault with its bad example, and nothing does with the good one`, async (t) => {
      assert.deepEqual(await found(tempDir(t), bad), [rule]);
      assert.deepEqual(await found(tempDir(t), good), []);
    });
  }
});

const FILE = `# VERSION of the tool
ARG VERSION=1
ARG UNUSED=2
ARG SUFFIX=-\${VERSION}
# check=skip=FromAsCasing
FROM tool$SUFFIX as base
ARG TARGETARCH
ARG VERSION
RUN --mount=type=secret,id=npm --mount=type=ssh true
# other is not built
FROM tool-1 AS other
ARG ONLY_OTHER=1
RUN --mount=type=secret,id=other true
# last is what is shipped
# again
FROM base AS last
ARG NAME=me-$VERSION
RUN --mount=type=secret,required,id=key --mount=type=secret,id=npm,required true
ENV X=$FROM_BASE Y=$NOWHERE
CMD one
CMD two
`;

test('an outline holds what the target and the stages that it needs take', async (t) => {
  const request = requestFor(tempDir(t), FILE.replace('$SUFFIX', '-1 AS x\nFROM x'), {});
  const { described } = await describeTarget({ ...request, buildArgs: new Map([['NAME', 'you']]) }, deps);
  assert.deepEqual([described.name, described.description], ['last', 'is what is shipped']);
  assert.deepEqual(
    described.args.map(({ name, value, description, range }) => [name, value, description, range.start.line]),
    [
      ['VERSION', '1', 'of the tool', 2],
      ['NAME', 'you', undefined, 18],
    ],
  );
  assert.deepEqual(
    described.secrets.map(({ name, required }) => [name, required]),
    [
      ['npm', false],
      ['key', true],
    ],
  );
  assert.deepEqual(
    described.ssh.map(({ name }) => name),
    ['default'],
  );
  const other = await describeTarget({ ...request, target: 'other' }, deps);
  assert.deepEqual(
    other.described.args.map(({ name }) => name),
    ['ONLY_OTHER'],
  );
});

test('the targets are the stages, with what the comments say of them', async (t) => {
  const { described } = await listTargets(requestFor(tempDir(t), FILE, {}), deps);
  assert.deepEqual(
    described.map(({ name, description, default: isDefault, base }) => [name, description, isDefault, base]),
    [
      ['base', undefined, false, 'tool$SUFFIX'],
      ['other', 'is not built', false, 'tool-1'],
      ['last', 'is what is shipped', true, 'base'],
    ],
  );
});

const rulesOf = async (request: BuildRequest): Promise<readonly string[]> =>
  (await checkDockerfile(request, deps)).warnings.map(({ rule, range }) => `${rule} ${range.start.line}`);

test('a check looks at all stages, or at those of a target; the base defines variables', async (t) => {
  const text = 'FROM a AS one\nENV A=$NOWHERE B=$FROM_BASE\nFROM b AS two\nCMD x\n';
  const request = requestFor(tempDir(t), text, {});
  assert.deepEqual(await rulesOf(request), ['UndefinedVar 2', 'JSONArgsRecommended 4']);
  assert.deepEqual(await rulesOf({ ...request, target: 'two' }), ['JSONArgsRecommended 4']);
});

test('BUILDKIT_DOCKERFILE_CHECK counts instead of the directive, and is checked itself', async (t) => {
  const request = requestFor(tempDir(t), '# check=skip=all\nFROM a\nCMD x\nMAINTAINER y\n', {});
  const args = (value: string): BuildRequest => ({
    ...request,
    buildArgs: new Map([['BUILDKIT_DOCKERFILE_CHECK', value]]),
  });
  assert.deepEqual(await rulesOf(request), []);
  assert.deepEqual(await rulesOf(args('')), ['JSONArgsRecommended 3', 'MaintainerDeprecated 4']);
  assert.deepEqual(await rulesOf(args('skip=JSONArgsRecommended')), ['MaintainerDeprecated 4']);
  await assert.rejects(checkDockerfile(args('nonsense'), deps), { code: 'USAGE', message: /CHECK is wrong/ });
});

test('error=true makes findings of Docker errors, of stages that are built, and none of ours', async (t) => {
  const error = async (text: string): Promise<string | undefined> => {
    const request = requestFor(tempDir(t), `# check=error=true\n${text}`, {});
    return (await checkDockerfile({ ...request, target: 'last' }, deps)).error?.message;
  };
  assert.match((await error('FROM a AS last\nCMD x\n')) ?? '', /^JSONArgsRecommended: /);
  assert.equal(await error('FROM a AS other\nCMD x\nFROM a AS last\n'), undefined);
  assert.equal(await error("FROM a AS last\nRUN ['a']\n"), undefined);
});

test('what planning meets is told with what was found before, and at its place', async (t) => {
  const text = 'FROM a\nMAINTAINER x\nSTOPSIGNAL SIGFOO\n';
  const result = await checkDockerfile(requestFor(tempDir(t), text, {}), deps);
  assert.deepEqual(
    result.warnings.map(({ rule }) => rule),
    ['MaintainerDeprecated'],
  );
  assert.equal(result.error?.where?.range?.start.line, 3);
  const unreadable = await checkDockerfile(requestFor(tempDir(t), 'FROM a\nNONSENSE\n', {}), deps);
  assert.equal(unreadable.error?.where?.range?.start.line, 2);
});
