import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userEnvironment } from './user-environment.ts';

test('what configures us is not the user’s, the agent’s variables are', () => {
  assert.deepEqual(
    userEnvironment({
      PATH: '/bin',
      ENVBUILDER_GIT_PASSWORD: 'x',
      ENVBUILDER_NO_SUCH_OPTION: 'x',
      KANIKO_DIR: '/.envbuilder',
      KANIKO_REGISTRY_MIRROR: 'x',
      UNSET: undefined,
      CODER_AGENT_TOKEN: 'token',
      CODER_AGENT_URL: 'https://coder',
      CODER_AGENT_SUBSYSTEM: 'exectrace',
    }),
    {
      PATH: '/bin',
      CODER_AGENT_TOKEN: 'token',
      CODER_AGENT_URL: 'https://coder',
      CODER_AGENT_SUBSYSTEM: 'exectrace,envbuilder',
    },
  );
  assert.deepEqual(userEnvironment({ CODER_AGENT_SUBSYSTEM: 'x' }), { CODER_AGENT_SUBSYSTEM: 'x' });
});
