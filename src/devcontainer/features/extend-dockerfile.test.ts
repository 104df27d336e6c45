import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDockerfile } from '../../dockerfile/parse/parse.ts';
import { extendDockerfile } from './extend-dockerfile.ts';

const extend = (text: string, target?: string, containerEnv: Record<string, string> = {}, user = 'root') => {
  const extended = extendDockerfile({
    text,
    file: 'Dockerfile',
    ...(target === undefined ? {} : { target }),
    users: 'users',
    features: [{ context: 'tool', containerEnv }],
    user,
  });
  const dockerfile = parseDockerfile(extended.text, 'Dockerfile');
  const stage = dockerfile.stages.at(-1)!;
  assert.equal(stage.from.name, extended.target);
  return { ...extended, dockerfile, stage };
};

describe('extendDockerfile', () => {
  it('starts from the last stage by its name', () => {
    const { text, stage } = extend('FROM a AS one\nFROM b AS two');
    assert.equal(stage.from.image, 'two');
    assert.ok(text.startsWith('FROM a AS one\nFROM b AS two\n\nFROM two AS dev-container\nUSER root\nRUN '));
    assert.deepEqual(
      stage.instructions.map(({ kind }) => kind),
      ['user', 'run', 'run', 'run', 'user'],
    );
  });

  it('names a stage that has no name, and leaves every line where it is', () => {
    const { text, stage } = extend(
      '# c\r\nFROM a AS one\r\nFROM --platform=linux/amd64 \\\r\n  one  \r\nRUN x\r\n',
    );
    assert.equal(stage.from.image, 'dev-container-base');
    const lines = text.split('\n');
    assert.equal(lines[3], '  one AS dev-container-base  ');
    assert.equal(lines[4], 'RUN x');
  });

  it('takes the target, by name or number', () => {
    assert.equal(extend('FROM a AS one\nFROM b AS two', 'one').stage.from.image, 'one');
    const { stage, dockerfile } = extend('FROM a\nFROM b AS two', '0');
    assert.equal(stage.from.image, 'dev-container-base');
    assert.equal(dockerfile.stages[0]!.from.name, 'dev-container-base');
  });

  it('leaves out later stages that take the name of the target', () => {
    const { stage, dockerfile } = extend('FROM a AS one\nRUN x\nFROM b AS one\n', '0');
    assert.equal(stage.from.image, 'one');
    assert.equal(dockerfile.stages.length, 2);
  });

  it('takes names that are free', () => {
    const { stage } = extend('FROM a AS dev-container\nFROM a AS dev-container-base\nFROM dev-container');
    assert.equal(stage.from.image, 'dev-container-base-2');
    assert.equal(stage.from.name, 'dev-container-2');
  });

  it('writes variables for a shell word in double quotes, in both escape modes', () => {
    const env = { PATH: '/t/bin:$PATH', QUOTED: 'a "b" \\c' };
    const lines = extend('FROM a', undefined, env).text.split('\n');
    assert.ok(lines.includes('ENV PATH="/t/bin:$PATH"'));
    assert.ok(lines.includes('ENV QUOTED="a \\"b\\" \\\\c"'));
    assert.ok(
      extend('# escape=`\nFROM a', undefined, env).text.split('\n').includes('ENV QUOTED="a `"b`" \\c"'),
    );
  });

  it('sets the user again, whatever it is called', () =>
    assert.ok(extend('FROM a', undefined, {}, 'a$b').text.endsWith('\nUSER a\\$b\n')));
});
