import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { useContainers } from './support/container.ts';
import { find, holders } from './support/find-token.ts';

const containers = useContainers();

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('no secret stays in a file, a layer, a log or the environment of a process', async (t) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const { registry, http } = containers.services;
  const run = randomBytes(6).toString('hex');
  // All begin alike, so that the container can look for them without being told what they are.
  const token = (what: string): string => `tok${run}-${what}-${randomBytes(6).toString('hex')}`;
  const secrets = {
    build: token('build'),
    registry: token('registry'),
    git: token('git'),
    url: token('url'),
    key: token('key'),
    salt: token('salt'),
    hook: token('hook'),
  };
  const agent = token('agent');
  const { privateKey } = generateKeyPairSync('ed25519');
  const signKey = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const cache = containers.directory({});
  const forHooks = containers.directory({ 'hooks.json': JSON.stringify({ HOOKED: secrets.hook }) });
  const look = [
    // The second begins a private key in base64.
    `p=tok; q=${run}; k=LS0tLS1CRUdJTiBQ; l=UklWQVRF`,
    'for pid in /proc/[0-9]*; do tr "\\0" "\\n" < $pid/environ | grep -v ^CODER_AGENT_TOKEN= | grep -e "$p$q" -e "$k$l" && echo in $pid; done',
    'find / -xdev -type f -exec grep -l -e "$p$q" -e "$k$l" {} + && echo in files',
    'find /workspaces -type f -exec grep -l "$p$q" {} + && echo in the workspace',
    'echo looked',
  ].join('; ');
  const config = {
    build: { dockerfile: 'Dockerfile' },
    onCreateCommand: 'env | grep -v -e ^CODER_AGENT_TOKEN= -e ^HOOKED= > /hook-env',
    postCreateCommand: 'echo value of the hook: $HOOKED',
  };
  const dockerfile = [
    `FROM ${registry!.host}/busybox:1`,
    'RUN --mount=type=secret,id=NAME test "$(cat /run/secrets/NAME)" = "$NAME" && echo value: $NAME && echo used > /used',
    'RUN env | grep -v ^NAME= > /run-env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr "\\0" "\\n" | grep -v ^NAME= > /all-env; true',
  ];
  const auths = { [registry!.host]: { auth: base64(`user:${secrets.registry}`) } };
  const { code, stdout, stderr } = await containers.run({
    files: {
      '.devcontainer/devcontainer.json': JSON.stringify(config),
      '.devcontainer/Dockerfile': `${dockerfile.join('\n')}\n`,
    },
    docker: [`--volume=${cache}:/cache`, `--volume=${forHooks}:/for-hooks:ro`],
    env: {
      ENVBUILDER_LAYER_CACHE_DIR: '/cache',
      ENVBUILDER_BUILD_SECRETS: `NAME=${secrets.build}`,
      ENVBUILDER_DOCKER_CONFIG_BASE64: base64(JSON.stringify({ auths })),
      ENVBUILDER_GIT_URL: `http://user:${secrets.url}@${http!.host}/git/refs.git`,
      ENVBUILDER_GIT_USERNAME: 'user',
      ENVBUILDER_GIT_PASSWORD: secrets.git,
      ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64: base64(
        `-----BEGIN OPENSSH PRIVATE KEY-----\n${secrets.key}\n-----END OPENSSH PRIVATE KEY-----\n`,
      ),
      ENVBUILDER_CACHE_SALT: secrets.salt,
      ENVBUILDER_CACHE_SIGN_KEY_BASE64: base64(signKey),
      ENVBUILDER_SECRETS_FILE: '/for-hooks/hooks.json',
      ENVBUILDER_PUSH_IMAGE: '1',
      ENVBUILDER_VERBOSE: '1',
      CODER_AGENT_URL: 'http://127.0.0.1:9',
      CODER_AGENT_TOKEN: agent,
      ENVBUILDER_INIT_SCRIPT: look,
    },
  });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString(), 'looked\n');
  assert.match(stderr, /value: \*\*\*/, 'the step that uses the secret has run');
  assert.match(stderr, /postCreateCommand: value of the hook: \*\*\*/);
  const told = { ...secrets, agent, 'the key to sign with': signKey.split('\n')[1]! };
  for (const [what, value] of Object.entries(told)) {
    assert.equal(find(Buffer.from(stderr), value), undefined, `${what} is in the log`);
    assert.deepEqual(holders([cache], value), [], `${what} is in the cache`);
  }
});
