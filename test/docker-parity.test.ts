import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listCases, prepareCase } from './support/case.ts';
import { compareImages, report } from './support/compare.ts';
import { envbuilder } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { askDocker, caseArgs } from './support/oracle.ts';
import { describeImage, readOciLayout } from './support/read-image.ts';

const environment = useEnvironment();

for (const one of listCases()) {
  test(`${one.name}: ${one.options.about}`, async (t) => {
    const { services } = environment;
    const missing = missingService(services, ['registry', 'docker', ...(one.options.needs ?? [])]);
    if (missing !== undefined) return t.skip(missing);
    const dir = join(services.dir, `parity-${one.name}`);
    const prepared = await prepareCase(one, services, dir);
    try {
      const docker = await askDocker(services.docker!, services, one, prepared);
      const layout = join(prepared.side, 'layout');
      const args = [
        ...caseArgs(one, prepared, 'envbuilder'),
        `--output=type=oci,dest=${layout}`,
        '--progress=plain',
      ];
      const ours = await envbuilder(['build', ...args], { env: { ...one.options.secretEnv } });
      if (one.options.fails) {
        assert.equal(docker.built, false, 'Docker builds it');
        assert.equal(ours.code, one.options.fails.exitCode, ours.output);
        assert.match(ours.output, new RegExp(one.options.fails.message, 's'));
        return;
      }
      assert.ok(docker.built, `Docker refuses it: ${docker.built ? '' : docker.output}`);
      assert.equal(ours.code, 0, ours.output);
      const image = describeImage(await readOciLayout(layout), services.startedAt);
      const lines = compareImages(docker.image, image, one.options.compare);
      assert.equal(lines.length, 0, `\n${report(lines)}`);
    } finally {
      await prepared.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
}
