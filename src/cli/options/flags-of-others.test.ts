import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAGS_OF_OTHERS } from './flags-of-others.ts';
import { optionsOf } from './table.ts';

const OURS = new Set(
  optionsOf('build').flatMap(({ name, short, aliases = [] }) => [
    ...[name, ...aliases].map((one) => `--${one}`),
    ...(short ? [`-${short}`] : []),
  ]),
);
/** Flags of an instruction and of another program. */
const ELSEWHERE = ['--network', '--mount', '--input'];

test('no flag that build has is told to be one of others, and what is told to be written instead it has', () => {
  for (const [flag, instead] of Object.entries(FLAGS_OF_OTHERS)) {
    assert.ok(!OURS.has(flag), flag);
    for (const [named] of instead.matchAll(/--[a-z-]+/g))
      assert.ok(OURS.has(named) || ELSEWHERE.includes(named), `${flag}: ${named}`);
  }
});
