/* How an image was made, as it lies beside the image in registries that list referrers, and in those that do not. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../src/core/digest.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import { layoutAt, referrersOf, repositoryAt, statementOf } from './support/referrers.ts';
import { createSandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

const ANY =
  'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';

test('provenance refers to the image, changes nothing of it, and holds no secret', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing) return t.skip(missing);
  const files = createServer((_, response) => response.end('from the web\n'));
  await new Promise<void>((resolve) => void files.listen(0, '127.0.0.1', resolve));
  t.after(() => files.close());
  const url = `127.0.0.1:${(files.address() as AddressInfo).port}/file`;
  const { host } = environment.services.registry!;
  const box = createSandbox({
    Dockerfile: [
      `FROM ${host}/busybox:1 AS tools`,
      `FROM ${host}/busybox:1`,
      'ARG WORD',
      'RUN --mount=type=secret,id=key test -s /run/secrets/key && echo $WORD > /word',
      `ADD http://user:swordfish@${url} /file`,
      'COPY --from=tools /bin/busybox /tool',
    ].join('\n'),
    key: 'a-secret-swordfish',
  });
  t.after(box.close);
  const own = await startOwnRegistry(box.dir, box.path('storage'));
  t.after(own.stop);
  const common = ['--push', '--exit-on-push-failure', '--build-arg=WORD=valuable', '--label=a=b'];
  const secret = `--secret=id=key,src=${join(box.context, 'key')}`;
  const head = await fetch(`http://${host}/v2/busybox/manifests/1`, {
    method: 'HEAD',
    headers: { accept: ANY },
  });
  const baseDigest = head.headers.get('docker-content-digest')!;
  for (const [where, byTag] of [
    [own.host, false],
    [host, true],
  ] as const) {
    const repository = `${where}/made`;
    const build = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, output } = await box.build([
        ...common,
        secret,
        `--cache-repo=${repository}`,
        ...args,
      ]);
      assert.equal(code, 0, output);
      return stdout.trim();
    };
    const digest = await build();
    const place = repositoryAt(repository);
    assert.deepEqual((await referrersOf(place, digest)).manifests, []);
    const made: string[] = [];
    for (const mode of ['min', 'mode=min', 'mode=max,builder-id=https://ci.example/job/7']) {
      assert.equal(await build(`--provenance=${mode}`), digest);
      const found = await referrersOf(place, digest);
      assert.equal(found.byTag, byTag);
      for (const { digest: one } of found.manifests) if (!made.includes(one)) made.push(one);
      assert.equal(found.manifests.length, made.length);
    }
    // The same build says the same.
    assert.equal(made.length, 2);
    const [min, max] = await Promise.all(made.map((one) => statementOf(place, one, digest)));
    for (const text of [min!, max!]) {
      assert.doesNotMatch(text, /swordfish/);
      const { subject, predicateType, predicate } = JSON.parse(text);
      assert.equal(predicateType, 'https://slsa.dev/provenance/v1');
      assert.deepEqual(subject, [{ name: repository, digest: { sha256: digest.slice(7) } }]);
      const { resolvedDependencies, externalParameters } = predicate.buildDefinition;
      assert.deepEqual(externalParameters.secrets, ['key']);
      assert.deepEqual(
        resolvedDependencies.map((one: { uri: string; digest: object }) => [
          one.uri.replace(/\?.*/, ''),
          one.digest,
        ]),
        [
          [`http://***@${url}`, { sha256: digestOf('from the web\n').slice(7) }],
          [`pkg:docker/${host}/busybox@1`, { sha256: baseDigest.slice(7) }],
        ],
      );
    }
    const parameters = (text: string) => JSON.parse(text).predicate.buildDefinition.externalParameters;
    assert.doesNotMatch(min!, /valuable/);
    assert.deepEqual([parameters(min!).buildArgs, parameters(min!).labels], [['WORD'], ['a']]);
    assert.deepEqual(
      [parameters(max!).buildArgs, parameters(max!).labels],
      [{ WORD: 'valuable' }, { a: 'b' }],
    );
    assert.match(parameters(max!).steps[0], /^RUN --mount=type=secret/);
    assert.equal(JSON.parse(max!).predicate.runDetails.builder.id, 'https://ci.example/job/7');
    // A layout has the same statement, without any push.
    const layout = box.path(`layout-${byTag}`);
    const written = await box.build([
      '--build-arg=WORD=valuable',
      '--label=a=b',
      secret,
      `--cache-repo=${repository}`,
      `--output=type=oci,dest=${layout}`,
      '--provenance=min',
    ]);
    assert.equal(written.code, 0, written.output);
    const [only, ...others] = (await referrersOf(layoutAt(layout), digest)).manifests;
    assert.deepEqual(others, []);
    assert.equal(await statementOf(layoutAt(layout), only!.digest, digest), min);
  }
  for (const args of [
    ['--provenance=min'],
    ['--push', '--provenance=most'],
    ['--push', '--provenance=builder-id=x y'],
  ]) {
    const { code, output } = await box.build([`--cache-repo=${own.host}/made`, ...args]);
    assert.equal(code, EXIT_CODES.USAGE.exit, output);
  }
});
