import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { OutputSpec } from '../../builder/types.ts';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import { scratchDir } from '../../core/testing.ts';
import { createRedactor } from '../../report/redact.ts';
import { parseOptions } from '../options/parse.ts';
import { parseContexts } from './build-contexts.ts';
import { makeRequest } from './build-request.ts';
import { parseSecret, parseSsh } from './build-secrets.ts';
import { commandFiles } from './command-request.ts';
import { parseOutput } from './outputs.ts';

const dir = scratchDir('request');

function requestOf(args: readonly string[], env: Environment = {}) {
  const parsed = parseOptions('build', args, env);
  return makeRequest(parsed, commandFiles(parsed, '/cwd'), { env, cwd: '/cwd', redactor: createRedactor() });
}

function usage(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === 'USAGE' && message.test(error.message);
}

describe('reproducible builds', () => {
  it('are asked for, also where the image is pushed', () => {
    assert.equal(requestOf(['--push', '--cache-repo=h/r']).reproducible, false);
    assert.equal(requestOf(['--reproducible']).reproducible, true);
    assert.equal(requestOf([], { ENVBUILDER_REPRODUCIBLE: '1' }).reproducible, true);
  });

  it('take SOURCE_DATE_EPOCH from the environment unless it is given', () => {
    const of = (args: readonly string[], SOURCE_DATE_EPOCH: string) =>
      requestOf(args, { SOURCE_DATE_EPOCH }).buildArgs.get('SOURCE_DATE_EPOCH');
    assert.equal(of([], '7'), '7');
    assert.equal(of([], ''), undefined);
    assert.equal(of(['--build-arg=SOURCE_DATE_EPOCH=8'], '7'), '8');
  });
});

describe('parseOutput', () => {
  const cases: readonly (readonly [string, OutputSpec])[] = [
    ['out', { type: 'rootfs', path: '/cwd/out' }],
    ['/abs', { type: 'rootfs', path: '/abs' }],
    ['type=rootfs,dest=fs', { type: 'rootfs', path: '/cwd/fs' }],
    ['type=local,dest=fs', { type: 'rootfs', path: '/cwd/fs' }],
    ['type=oci,dest=a', { type: 'oci', path: '/cwd/a' }],
    ['dest=/a.tar,type=docker', { type: 'docker', path: '/a.tar' }],
    ['type=docker,dest=-', { type: 'docker', path: '-' }],
    ['type=docker,"dest=a,b.tar"', { type: 'docker', path: '/cwd/a,b.tar' }],
  ];
  for (const [text, spec] of cases) it(text, () => assert.deepEqual(parseOutput(text, '/cwd'), spec));

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['-', /cannot be written to "-"/],
    ['type=oci,dest=-', /standard output/],
    ['type=oci', /no dest/],
    ['dest=x', /no type/],
    ['type=zip,dest=x', /type "zip"/],
    ['type=oci,dst=x', /unknown key "dst"/],
    ['type=oci,x', /without "="/],
  ];
  for (const [text, message] of wrong) {
    it(`refuses ${text}`, () => assert.throws(() => parseOutput(text, '/cwd'), usage(message)));
  }
});

describe('parseContexts', () => {
  it('takes directories and images, by the names that Docker compares', () => {
    assert.deepEqual(
      [...parseContexts(['lib=../lib', 'golang=docker-image://r.io/go:1', 'x.io/a:2=/abs=1'], '/cwd')],
      [
        ['lib', { type: 'dir', path: '/lib' }],
        ['golang', { type: 'image', reference: 'r.io/go:1' }],
        ['x.io/a:2', { type: 'dir', path: '/abs=1' }],
      ],
    );
    const others = {
      'https://example.com/x.git#v1': { type: 'git', url: 'https://example.com/x.git#v1' },
      'git@example.com:x.git': { type: 'git', url: 'git@example.com:x.git' },
      'https://example.com/x.tar': { type: 'url', url: 'https://example.com/x.tar' },
      'target:other': { type: 'target', target: 'other' },
      'oci-layout://out:v1': { type: 'layout', path: '/out', version: 'v1' },
      'oci-layout:///a:b/out': { type: 'layout', path: '/a:b/out', version: 'latest' },
    };
    for (const [text, context] of Object.entries(others))
      assert.deepEqual(parseContexts([`x=${text}`], '/').get('x'), context, text);
    assert.deepEqual([...parseContexts(['docker.io/library/golang:latest=go'], '/').keys()], ['golang']);
  });

  for (const [text, message] of [
    ['lib', /not NAME=VALUE/],
    ['=lib', /not NAME=VALUE/],
    ['lib=', /not NAME=VALUE/],
    ['Lib=x', /not NAME=VALUE/],
    ['lib=s3://bucket/x', /of the kind s3/],
  ] as const) {
    it(`refuses ${text}`, () => assert.throws(() => parseContexts([text], '/'), usage(message)));
  }
});

describe('parseSecret', () => {
  const read = async (text: string, env: Environment = {}): Promise<string> => {
    const secret = parseSecret(text, { env, cwd: dir, redactor: createRedactor() });
    return `${secret.id}:${await secret.value()}`;
  };

  it('reads files and variables in all of Docker’s notations', async () => {
    writeFileSync(join(dir, 'token'), 'from file');
    const env = { TOKEN: 'from variable', a: 'by id' };
    assert.equal(await read('id=a,src=token', env), 'a:from file');
    assert.equal(await read(`type=file,id=a,source=${dir}/token`, env), 'a:from file');
    assert.equal(await read('id=a,env=TOKEN', env), 'a:from variable');
    assert.equal(await read('type=env,id=a,src=TOKEN', env), 'a:from variable');
    assert.equal(await read('id=a', env), 'a:by id');
  });

  it('masks a value from the moment it is read', async () => {
    writeFileSync(join(dir, 'late'), 'swordfish\n');
    const redactor = createRedactor();
    const secret = parseSecret('id=a,src=late', { env: {}, cwd: dir, redactor });
    await secret.value();
    assert.equal(redactor.text('a swordfish here'), 'a *** here');
  });

  for (const [text, message] of [
    ['src=token', /names no id/],
    ['id=a,src=missing', /no file/],
    ['id=a,env=MISSING', /MISSING, which is not set/],
    ['id=a,type=vault', /type "vault"/],
    ['id=a,type=file', /names no file/],
    ['id=a,src=x,env=Y', /both/],
  ] as const) {
    it(`refuses ${text}`, async () => assert.rejects(() => read(text), usage(message)));
  }
});

describe('parseSsh', () => {
  it('takes the socket named, else the agent of the environment', async () => {
    const socket = join(dir, 'agent.sock');
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      assert.deepEqual(parseSsh('default', { env: { SSH_AUTH_SOCK: socket }, cwd: '/' }), {
        id: 'default',
        socket,
      });
      assert.deepEqual(parseSsh('ci=agent.sock', { env: {}, cwd: dir }), { id: 'ci', socket });
    } finally {
      server.close();
    }
  });

  it('refuses a missing agent and a key file', () => {
    writeFileSync(join(dir, 'id_rsa'), 'key');
    assert.throws(() => parseSsh('default', { env: {}, cwd: dir }), usage(/SSH_AUTH_SOCK is not set/));
    assert.throws(() => parseSsh('a=id_rsa', { env: {}, cwd: dir }), usage(/not the socket of an agent/));
  });
});

describe('makeRequest', () => {
  it('finds the context and the Dockerfile', () => {
    const files = (args: readonly string[], env: Environment = {}) => {
      const { context, dockerfile } = requestOf(args, env);
      return [context, dockerfile];
    };
    assert.deepEqual(files([]), ['/cwd', '/cwd/Dockerfile']);
    assert.deepEqual(files(['sub']), ['/cwd/sub', '/cwd/sub/Dockerfile']);
    assert.deepEqual(files(['sub', '-f', 'D']), ['/cwd/sub', '/cwd/D']);
    assert.deepEqual(files(['sub'], { ENVBUILDER_DOCKERFILE_PATH: 'D' }), ['/cwd/sub', '/cwd/sub/D']);
    assert.throws(() => files(['a', 'b']), usage(/more than one context: a, b/));
  });

  it('lets a layer cache directory win over a cache repository', () => {
    assert.deepEqual(requestOf(['--layer-cache-dir', 'lc', '--cache-repo', 'r']).cache, {
      type: 'directory',
      path: '/cwd/lc',
    });
    assert.deepEqual(requestOf(['--cache-repo', 'r']).cache, { type: 'registry', reference: 'r' });
    assert.equal(requestOf([]).cache, undefined);
  });

  it('refuses a push to nowhere, and two outputs in one place', () => {
    assert.throws(() => requestOf(['--push']), usage(/nowhere to push/));
    assert.equal(requestOf(['--push', '-t', 'r.example/x']).push, true);
    assert.throws(() => requestOf(['-o', 'x', '-o', 'type=oci,dest=x']), usage(/two outputs go to \/cwd\/x/));
  });

  it('offers secrets by name as mounts and to RUN, besides proxies in both spellings', async () => {
    const env = { ENVBUILDER_BUILD_SECRETS: 'TOKEN=abcd', HTTP_PROXY: 'http://p:1', no_proxy: 'x' };
    const request = requestOf(['--build-arg', 'https_proxy=http://q:2'], env);
    assert.deepEqual(request.proxyEnv, {
      HTTP_PROXY: 'http://p:1',
      https_proxy: 'http://q:2',
      no_proxy: 'x',
      TOKEN: 'abcd',
    });
    assert.deepEqual(request.registries.proxy, { http: 'http://p:1', noProxy: 'x' });
    assert.deepEqual(
      await Promise.all(request.secrets.map(async ({ id, value }) => `${id}=${await value()}`)),
      ['TOKEN=abcd'],
    );
  });

  it('hands credential helpers an environment without our own options', () => {
    const { helperEnv } = requestOf([], {
      PATH: '/bin',
      ENVBUILDER_CACHE_SALT: 'x',
      KANIKO_REGISTRY_MIRROR: 'y',
    }).registries;
    assert.deepEqual(helperEnv, { PATH: '/bin' });
  });

  it('decodes the Docker config and refuses what is not base64', () => {
    const config = Buffer.from('{"auths":{}}').toString('base64');
    assert.equal(
      requestOf([], { ENVBUILDER_DOCKER_CONFIG_BASE64: `${config}\n` }).registries.dockerConfigJson,
      '{"auths":{}}',
    );
    assert.throws(
      () => requestOf([], { ENVBUILDER_DOCKER_CONFIG_BASE64: '{"auths":{}}' }),
      usage(/is not base64/),
    );
  });

  it('looks for a Docker config in order', () => {
    const env = { DOCKER_CONFIG: '/dc', HOME: '/home/u' };
    assert.deepEqual(requestOf([], env).registries.dockerConfigPaths, [
      '/dc',
      '/.envbuilder/config.json',
      '/home/u/.docker/config.json',
    ]);
  });

  it('keeps state below the cache directory of the user', () => {
    assert.equal(requestOf([], { HOME: '/h' }).workDir, '/h/.cache/envbuilder/work');
    assert.equal(requestOf([], { HOME: '/h', XDG_CACHE_HOME: '/x' }).stateDir, '/x/envbuilder/state');
    assert.equal(
      requestOf([], { HOME: '/h', XDG_CACHE_HOME: 'relative' }).stateDir,
      '/h/.cache/envbuilder/state',
    );
    assert.equal(requestOf(['--work-dir', 'w'], { HOME: '/h' }).workDir, '/cwd/w');
  });
});
