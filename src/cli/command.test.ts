import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { BuildResult } from '../builder/types.ts';
import { AppError, EXIT_CODES } from '../core/error.ts';
import { schemaProblems } from '../core/json-schema.ts';
import { createRedactor } from '../report/redact.ts';
import { type CommandBody, runCommand } from './command.ts';
import { writeMetadataFile } from './commands/metadata-file.ts';
import { COMMANDS, type HelpTopic, helpText } from './help.ts';
import { optionsOf } from './options/table.ts';
import { environmentRedactor } from './run-context.ts';

const DIGEST = `sha256:${'1'.repeat(64)}` as const;

async function runBody(
  body: CommandBody,
  env: Record<string, string> = {},
  controller = new AbortController(),
) {
  let stdout = '';
  let stderr = '';
  const context = {
    env,
    cwd: '/',
    signal: controller.signal,
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    redactor: environmentRedactor(env),
  };
  const code = await runCommand('build', ['--progress', 'plain'], context, body);
  return { code, stdout, stderr };
}

describe('runCommand', () => {
  it('gives the exit code of an error and reports it', async () => {
    const { code, stderr } = await runBody(async () => {
      throw new AppError('CACHE_MISS', 'not cached: RUN make', { hint: 'build it' });
    });
    assert.equal(code, EXIT_CODES.CACHE_MISS.exit);
    assert.equal(stderr, 'error: not cached: RUN make\nhint: build it\n');
  });

  it('reports anything else as a defect, with its stack', async () => {
    const { code, stderr } = await runBody(async () => {
      throw new TypeError('x is undefined');
    });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: unexpected failure: x is undefined\nTypeError: x is undefined\n {4}at .*report it/s,
    );
  });

  it('reports an interrupted run as such, whatever it failed with', async () => {
    const controller = new AbortController();
    const { code, stderr } = await runBody(
      async () => {
        controller.abort();
        throw new Error('socket closed');
      },
      {},
      controller,
    );
    assert.equal(code, 130);
    assert.match(stderr, /^error: interrupted/);
  });

  it('masks secrets of the environment in what is printed', async () => {
    const env = {
      ENVBUILDER_BUILD_SECRETS: 'TOKEN=swordfish',
      ENVBUILDER_CACHE_SALT: 'pepper-and-salt',
      ENVBUILDER_DOCKER_CONFIG_BASE64: Buffer.from(
        JSON.stringify({ auths: { r: { auth: Buffer.from('me:open-sesame').toString('base64') } } }),
      ).toString('base64'),
      https_proxy: 'http://me:proxypass@proxy.example:3128',
    };
    const { stderr } = await runBody(async (_parsed, _context, emit) => {
      emit({ type: 'message', level: 'info', text: 'swordfish pepper-and-salt open-sesame proxypass fine' });
      throw new AppError('REGISTRY', 'GET https://u:other@r.example failed', {
        cause: new Error('swordfish'),
      });
    }, env);
    assert.match(stderr, /\*\*\* \*\*\* \*\*\* \*\*\* fine/);
    assert.match(stderr, /GET https:\/\/\*\*\*@r\.example failed/);
  });
});

describe('writeMetadataFile', () => {
  const result: BuildResult = {
    imageDigest: DIGEST,
    imageConfigDigest: DIGEST,
    descriptor: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: DIGEST, size: 3 },
    imageConfig: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    layers: [],
    summary: { stepsTotal: 1, stepsHit: 1, stepsBuilt: 0, bytesPulled: 0, bytesPushed: 0 },
  };

  it('writes the whole file and masks secrets', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'metadata-'));
    try {
      const redactor = createRedactor();
      redactor.add('swordfish');
      const { signal } = new AbortController();
      await writeMetadataFile(join(dir, 'm.json'), result, { tags: ['r/swordfish:1'], redactor, signal });
      assert.deepEqual(JSON.parse(readFileSync(join(dir, 'm.json'), 'utf8')), {
        'containerimage.digest': DIGEST,
        'containerimage.config.digest': DIGEST,
        'containerimage.descriptor': result.descriptor,
        'image.name': 'r/***:1',
        envbuilder: { layers: [], summary: result.summary },
      });
      assert.deepEqual(readdirSync(dir), ['m.json']);

      const schema = JSON.parse(
        readFileSync(join(import.meta.dirname, '../../docs/reference/metadata.schema.json'), 'utf8'),
      );
      const layers = [{ digest: DIGEST, size: 1, diffId: DIGEST, mediaType: 'x/y' }];
      const all = { ...result, layers, pushedReference: `r@${DIGEST}` };
      const images = [{ ...all, platform: 'linux/arm64' }];
      const index = {
        indexDigest: DIGEST,
        descriptor: { ...result.descriptor, mediaType: 'application/vnd.oci.image.index.v1+json' },
        images,
        summary: result.summary,
      };
      for (const one of [result, all, index]) {
        await writeMetadataFile(join(dir, 'm.json'), one, { tags: ['r:1'], redactor, signal });
        const written = JSON.parse(readFileSync(join(dir, 'm.json'), 'utf8'));
        assert.deepEqual(schemaProblems(written, schema), []);
        assert.notDeepEqual(schemaProblems({ ...written, more: 1 }, schema), []);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is an error of the output where it cannot be written', async () => {
    const { signal } = new AbortController();
    await assert.rejects(
      writeMetadataFile('/proc/none/m.json', result, { tags: [], redactor: createRedactor(), signal }),
      (error) => error instanceof AppError && error.code === 'OUTPUT',
    );
  });
});

describe('help', () => {
  it('names every option of a command, and no other', () => {
    for (const command of ['build', 'probe', 'start'] as const) {
      const flags = [...helpText(command).matchAll(/^ {2}(?:-\w, )?--([a-z0-9-]+)/gm)].map(
        ([, flag]) => flag,
      );
      assert.deepEqual(
        flags.sort(),
        optionsOf(command)
          .map(({ name }) => name)
          .sort(),
      );
    }
  });

  it('has no line of more than 120 columns', () => {
    for (const command of ['build', 'probe', 'start'] as const) {
      for (const line of helpText(command).split('\n')) assert(line.length <= 120, line);
    }
  });
});

describe('the command line', () => {
  const run = async (...args: string[]) => {
    const flags = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'entry.js'), ...args];
    const env = { PATH: process.env.PATH, ENVBUILDER_GET_CACHED_IMAGE: '' };
    try {
      return { code: 0, ...(await promisify(execFile)(process.execPath, flags, { env })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  };

  it('prints its version', async () => {
    const { code, stdout } = await run('--version');
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    assert.deepEqual([code, stdout], [0, `envbuilder ${manifest.version}\n`]);
  });

  it('suggests the nearest command', async () => {
    const { code, stderr } = await run('biuld');
    assert.deepEqual([code, stderr], [2, 'error: unknown command biuld\nhint: did you mean build?\n']);
  });

  it('writes help to standard output', async () => {
    for (const args of [
      ['help', 'build'],
      ['build', '--help'],
      ['build', '.', '-h'],
    ]) {
      assert.deepEqual(await run(...args), { code: 0, stdout: helpText('build'), stderr: '' });
    }
  });

  it('has a help for every command and group, and for its bare name, which touches nothing', async () => {
    const topics = [...Object.keys(COMMANDS), 'cache', 'registry'] as HelpTopic[];
    for (const topic of topics) {
      assert.ok(helpText(topic).startsWith('Usage: envbuilder'), topic);
      const headings = helpText(topic)
        .split('\n')
        .filter((line) => /^[A-Z].*:$/.test(line));
      assert.equal(new Set(headings).size, headings.length, topic);
    }
    for (const topic of ['cache', 'version', 'cache ls'] as const)
      assert.deepEqual(await run('help', ...topic.split(' ')), {
        code: 0,
        stdout: helpText(topic),
        stderr: '',
      });
    const { ENVBUILDER_GET_CACHED_IMAGE: _, ...env } = {
      PATH: process.env.PATH,
      ENVBUILDER_GET_CACHED_IMAGE: '',
    };
    const entry = join(import.meta.dirname, 'entry.js');
    const { stdout } = await promisify(execFile)(process.execPath, [entry], { env });
    assert.equal(stdout, helpText('start'));
  });

  it('ends with the exit code for a wrong flag', async () => {
    const { code, stderr } = await run('probe', '--frobnicate');
    assert.equal(code, 2);
    assert.match(stderr, /unknown flag --frobnicate/);
  });
});
