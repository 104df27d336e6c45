import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { MEDIA_TYPES } from './media-types.ts';
import {
  defaultPlatform,
  formatPlatform,
  parsePlatform,
  platformMatches,
  selectPlatform,
} from './platform.ts';
import type { Index } from './types.ts';

const SPELLINGS: readonly [text: string, normal: string][] = [
  ['linux/amd64', 'linux/amd64'],
  ['LINUX/x86_64', 'linux/amd64'],
  ['x86-64', 'linux/amd64'],
  ['linux/amd64/v1', 'linux/amd64'],
  ['linux/amd64/v3', 'linux/amd64/v3'],
  ['aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/arm/6', 'linux/arm/v6'],
  ['armel', 'linux/arm/v6'],
  ['i386', 'linux/386'],
  ['macos/arm64', 'darwin/arm64'],
];

for (const [text, normal] of SPELLINGS) {
  test(`${text} is ${normal}`, () => assert.equal(formatPlatform(parsePlatform(text)), normal));
}

test('a malformed platform is refused', () => {
  for (const text of ['', 'a/b/c/d', 'linux/', 'linux/a b']) {
    assert.throws(
      () => parsePlatform(text),
      (error) => error instanceof AppError && error.code === 'USAGE',
    );
  }
});

test("the default is the machine's, in the normal spelling", () => {
  const text = formatPlatform(defaultPlatform());
  assert.equal(formatPlatform(parsePlatform(text)), text);
  assert.equal(formatPlatform(parsePlatform('linux')), text);
});

function indexOf(...platforms: string[]): Index {
  const manifests = platforms.map((text) => {
    const [os = '', architecture = '', variant] = text.split('/');
    const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    return { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(text), size: 1, platform };
  });
  return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
}

const CHOICES: readonly [wanted: string, offered: string[], chosen: string | undefined][] = [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
  ['linux/arm64', ['linux/arm/v7', 'linux/arm64/v8'], 'linux/arm64/v8'],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6'],
  ['linux/arm/v6', ['linux/arm/v7'], undefined],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v2'],
  ['linux/amd64', ['linux/386'], 'linux/386'],
  ['linux/arm64', ['linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v7'],
  ['linux/s390x', ['linux/amd64', 'unknown/unknown'], undefined],
];

for (const [wanted, offered, chosen] of CHOICES) {
  test(`of ${offered.join(' and ')}, ${wanted} takes ${chosen ?? 'none'}`, () => {
    const found = selectPlatform(indexOf(...offered), parsePlatform(wanted));
    assert.equal(found?.digest, chosen && digestOf(chosen));
  });
}

test('attestations are never chosen', () => {
  const index = indexOf('linux/amd64');
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
  const marked = {
    ...index,
    manifests: index.manifests.map((descriptor) => ({ ...descriptor, annotations })),
  };
  assert.equal(selectPlatform(marked, parsePlatform('linux/amd64')), undefined);
});

test('platformMatches takes older variants, not newer ones', () => {
  assert.ok(platformMatches(parsePlatform('linux/arm/v6'), parsePlatform('linux/arm/v7')));
  assert.ok(!platformMatches(parsePlatform('linux/arm/v7'), parsePlatform('linux/arm/v6')));
});
