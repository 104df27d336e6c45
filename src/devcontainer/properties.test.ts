import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNGRANTED_KEYS } from './compose/ungranted-service.ts';
import { OTHER_KEYS, PROPERTIES } from './properties.ts';

/** The names in devContainer.base.schema.json of the specification, by the part of it that has them. */
const PUBLISHED: Readonly<Record<string, readonly string[]>> = {
  all: [
    '$schema',
    'name',
    'features',
    'overrideFeatureInstallOrder',
    'secrets',
    'forwardPorts',
    'portsAttributes',
    'otherPortsAttributes',
    'updateRemoteUserUID',
    'containerEnv',
    'containerUser',
    'mounts',
    'init',
    'privileged',
    'capAdd',
    'securityOpt',
    'remoteEnv',
    'remoteUser',
    'initializeCommand',
    'onCreateCommand',
    'updateContentCommand',
    'postCreateCommand',
    'postStartCommand',
    'postAttachCommand',
    'waitFor',
    'userEnvProbe',
    'hostRequirements',
    'customizations',
    // Of both kinds of container, though the schema lists them twice.
    'overrideCommand',
    'workspaceFolder',
    'shutdownAction',
  ],
  'image or Dockerfile': ['appPort', 'runArgs', 'workspaceMount'],
  Dockerfile: ['build', 'dockerFile', 'context'],
  image: ['image'],
  Compose: ['dockerComposeFile', 'service', 'runServices'],
};

test('the table has every property of the published schema, and no other', () => {
  for (const [scenario, names] of Object.entries(PUBLISHED)) {
    const known = PROPERTIES.filter((row) => row.scenario === scenario).map(({ name }) => name);
    assert.deepEqual([...known].sort(), names.filter((name) => !OTHER_KEYS.includes(name)).sort(), scenario);
  }
});

test('what image metadata can hold has a rule to merge it', () => {
  const merged = PROPERTIES.filter(({ merge }) => merge !== undefined).map(({ name }) => name);
  // Dev Container Specification, "Merge Logic"; id and entrypoint are no properties of devcontainer.json.
  const specified = `init privileged capAdd securityOpt mounts onCreateCommand updateContentCommand postCreateCommand
    postStartCommand postAttachCommand waitFor customizations containerUser remoteUser userEnvProbe remoteEnv containerEnv
    overrideCommand portsAttributes otherPortsAttributes forwardPorts shutdownAction updateRemoteUserUID hostRequirements`;
  assert.deepEqual([...merged].sort(), specified.split(/\s+/).sort());
});

test('no name stands in two rows', () => {
  for (const names of [PROPERTIES.map(({ name }) => name), UNGRANTED_KEYS.flatMap(({ keys }) => keys)])
    assert.equal(new Set(names).size, names.length);
});
