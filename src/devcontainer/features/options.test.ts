import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oddOptions, optionsFile, optionValues, variableName } from './options.ts';
import type { FeatureMetadata } from './types.ts';

const WITH_VERSION: FeatureMetadata = {
  id: 'tool',
  options: {
    version: { type: 'string', enum: ['latest', '1'], default: 'latest' },
    fast: { type: 'boolean', default: true },
    none: { type: 'string' },
  },
};

describe('optionValues', () => {
  for (const [name, given, values] of [
    ['defaults, without those that have none', {}, { version: 'latest', fast: true }],
    [
      'an object over the defaults',
      { fast: false, extra: 'x' },
      { version: 'latest', fast: false, extra: 'x' },
    ],
    ['a string is the version', '1', { version: '1', fast: true }],
    ['and so is a boolean', true, { version: true, fast: true }],
  ] as const) {
    it(name, () => assert.deepEqual(optionValues(WITH_VERSION, given), values));
  }

  it('a string for a feature without versions says nothing', () =>
    assert.deepEqual(optionValues({ id: 'x', options: { a: { default: 1 } } }, '1'), { a: 1 }));
});

describe('variableName', () => {
  for (const [option, name] of [
    ['version', 'VERSION'],
    ['installZsh', 'INSTALLZSH'],
    ['my-option.x', 'MY_OPTION_X'],
    ['12_3a', '_A'],
    ['_9x', '_X'],
    ['größe', 'GR__E'],
  ]) {
    it(option!, () => assert.equal(variableName(option!), name));
  }
});

describe('optionsFile', () => {
  it('has a line for each value, which a shell reads', () =>
    assert.equal(
      optionsFile(WITH_VERSION, { 'a-b': '$HOME' }),
      'VERSION="latest"\nFAST="true"\nA_B="$HOME"\n',
    ));
});

describe('oddOptions', () => {
  it('names what a feature does not have and what an enum leaves out', () => {
    assert.deepEqual(oddOptions(WITH_VERSION, { version: '1', fast: false }), []);
    assert.deepEqual(oddOptions(WITH_VERSION, { version: '7', x: true }), [
      'has the option "version" with the value "7", which is none of latest, 1',
      'has no option "x"',
    ]);
    assert.equal(oddOptions(WITH_VERSION, '7').length, 1);
  });
});
