import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { composeEnvironment, exportLines, parseEtcEnvironment, withAccount } from './environment.ts';

const sources = {
  container: { PATH: '/bin', A: 'container', HOSTNAME: 'box' },
  etcEnvironment: 'A=etc\nB=etc\nC=etc\nD=etc\nE=etc\nGONE=etc\n',
  imageEnv: ['B=image', 'C=image', 'D=image', 'ENVBUILDER=no', 'PATH=/usr/bin', 'EMPTY=', 'URL=a=b'],
  devcontainerFile: '/workspaces/x/.devcontainer/devcontainer.json',
  containerEnv: { C: 'containerEnv', D: 'containerEnv' },
  remoteEnv: { D: 'remoteEnv', GONE: null },
};

describe('composeEnvironment', () => {
  it('lets later sources win', () => {
    assert.deepEqual(composeEnvironment(sources).env, {
      PATH: '/usr/bin',
      HOSTNAME: 'box',
      A: 'etc',
      B: 'image',
      C: 'containerEnv',
      D: 'remoteEnv',
      E: 'etc',
      EMPTY: '',
      URL: 'a=b',
      ENVBUILDER: 'true',
      DEVCONTAINER: 'true',
      DEVCONTAINER_CONFIG: sources.devcontainerFile,
    });
  });

  it('marks a dev container only when there is one', () => {
    const { devcontainerFile, ...rest } = sources;
    assert.equal(composeEnvironment(rest).env.DEVCONTAINER, undefined);
    assert.equal(composeEnvironment(rest).env.ENVBUILDER, 'true');
  });

  it('exports what image and dev container added, sorted', () => {
    assert.equal(
      exportLines(composeEnvironment({ ...sources, imageEnv: ['PATH=/usr/bin', 'Z=1'] })),
      `C=containerEnv\nD=remoteEnv\nDEVCONTAINER=true\nDEVCONTAINER_CONFIG=${sources.devcontainerFile}\n` +
        'ENVBUILDER=true\nPATH=/usr/bin\nZ=1\n',
    );
  });
});

describe('a variable without a prefix', () => {
  /** A value, and what becomes of it; `?` marks one that is warned of. */
  const cases: readonly (readonly [value: string, result: string])[] = [
    [`\${PATH}:/opt`, '/usr/bin:/opt'],
    [`/opt:\${PATH}`, '/opt:/usr/bin'],
    [`\${A} \${E} \${HOSTNAME}`, 'etc etc box'],
    [`\${C}`, 'containerEnv'],
    [`\${ENVBUILDER}`, 'true'],
    [`\${EMPTY}`, ''],
    [`\${HOME}/bin`, '/home/dev/bin'],
    [`\${ABSENT}`, `?\${ABSENT}`],
    [`\${devcontainerId}`, `?\${devcontainerId}`],
    [`\${PATH}\${ABSENT}`, `?/usr/bin\${ABSENT}`],
    ['$PATH', '$PATH'],
    [`\${PATH:-x} \${} \${a b} \${1}`, `\${PATH:-x} \${} \${a b} \${1}`],
    [`\${__proto__}`, `?\${__proto__}`],
  ];
  for (const property of ['containerEnv', 'remoteEnv'] as const) {
    for (const [value, result] of cases) {
      it(`${property}: ${value}`, () => {
        const { env, unknown } = composeEnvironment({
          ...sources,
          [property]: { ...sources[property], X: value },
          origins: { [`${property}.X`]: 'file' },
          home: '/home/dev',
        });
        assert.equal(env.X, result.replace(/^\?/, ''));
        assert.equal(unknown.length, result.startsWith('?') ? 1 : 0);
        for (const one of unknown) assert.deepEqual([one.property, one.origin], [`${property}.X`, 'file']);
      });
    }
  }

  it('sees what those before it by name have become, and not what metadata does not say', () => {
    const { env, remoteEnv, unknown } = composeEnvironment({
      ...sources,
      remoteEnv: { B: `\${A}b`, A: `\${A}a`, Z: `\${B}\${GONE}`, GONE: null, RAW: `\${A}` },
      origins: { 'remoteEnv.A': '', 'remoteEnv.B': '', 'remoteEnv.Z': '' },
    });
    assert.deepEqual([env.A, env.B, env.Z, env.RAW], ['etca', 'etcab', 'etcab', `\${A}`]);
    assert.equal(remoteEnv.GONE, null);
    assert.deepEqual(unknown, []);
  });
});

test('what no process can have is left out and named, wherever it comes from', () => {
  const long = 'x'.repeat(200_000);
  const { env, impossible } = composeEnvironment({
    container: { PATH: '/bin' },
    etcEnvironment: `ETC=${long}\n`,
    imageEnv: ['IMAGE=a\0b', 'N\0=x', 'FINE=1'],
    containerEnv: { CONTAINER: '\0' },
    remoteEnv: { REMOTE: long, UNSET: null },
  });
  assert.deepEqual(env, { PATH: '/bin', FINE: '1', ENVBUILDER: 'true' });
  assert.deepEqual(impossible.toSorted(), ['CONTAINER', 'ETC', 'IMAGE', 'N\0', 'REMOTE']);
});

describe('parseEtcEnvironment', () => {
  it('reads what pam_env reads', () => {
    const text = [
      '# comment',
      'PLAIN=a b',
      'export EXPORTED=1',
      'DOUBLE="a # b"',
      "SINGLE='x'",
      'TRAILING=v   # comment',
      'HASH=a#b',
      'EMPTY=',
      'ODD="unclosed',
      ' SPACE=1\r',
      'CUT=a\0b',
      'GONE\0=x',
      'no value',
      '=x',
    ].join('\n');
    assert.deepEqual(parseEtcEnvironment(text), {
      PLAIN: 'a b',
      EXPORTED: '1',
      DOUBLE: 'a # b',
      SINGLE: 'x',
      TRAILING: 'v',
      HASH: 'a#b',
      EMPTY: '',
      ODD: '"unclosed',
      SPACE: '1',
      CUT: 'a',
    });
  });
});

describe('withAccount', () => {
  it('sets the home always, user and shell unless they are given', () => {
    const account = { name: 'dev', home: '/home/dev', shell: '/bin/bash' };
    assert.deepEqual(withAccount({ HOME: '/root', SHELL: '/bin/zsh' }, account), {
      HOME: '/home/dev',
      SHELL: '/bin/zsh',
      USER: 'dev',
    });
  });
});
