import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from './parse.ts';
import type { Options } from './table.ts';

type Expected = { readonly [Name in keyof Options]?: unknown };

/** Every flag of the image warmer of kaniko 1.24 (its --help, and "Flags" in cmd/warmer), and what it means here. */
const FLAGS: readonly (readonly [args: readonly string[], expected: Expected])[] = [
  [['--image', 'a', '-i', 'b', '-i=c'], { image: ['a', 'b', 'c'] }],
  [['--cache-dir=/d'], { 'cache-dir': '/d' }],
  [['-c=/d'], { 'cache-dir': '/d' }],
  [[], { 'cache-dir': '/cache', 'cache-ttl': '336h', force: false }],
  [['--force'], { force: true }],
  [['-f'], { force: true }],
  [['--cache-ttl=6h'], { 'cache-ttl': '6h' }],
  [['--insecure-pull'], { insecure: true }],
  [['--skip-tls-verify-pull'], { insecure: true }],
  [['--insecure-registry=a:1', '--insecure-registry', 'b'], { 'insecure-registry': ['a:1', 'b'] }],
  [['--skip-tls-verify-registry=a:1'], { 'insecure-registry': ['a:1'] }],
  [['--registry-certificate=a:1=/ca.pem'], { 'registry-certificate': new Map([['a:1', '/ca.pem']]) }],
  [['--registry-client-cert=a=/c,/k'], { 'registry-client-cert': new Map([['a', '/c,/k']]) }],
  [['--registry-map=a=b;c=d'], { 'registry-map': ['a=b', 'c=d'] }],
  [['--registry-mirror=m', '--registry-mirror=n'], { 'registry-mirror': ['m', 'n'] }],
  [['--skip-default-registry-fallback'], { 'skip-default-registry-fallback': true }],
  [['--customPlatform=linux/arm64'], { platform: ['linux/arm64'] }],
  [['--dockerfile=D'], { dockerfile: ['D'] }],
  [['-d', 'http://h/D'], { dockerfile: ['http://h/D'] }],
  [['--build-arg=A=b'], { 'build-arg': new Map([['A', 'b']]) }],
  [['--verbosity=debug'], { verbosity: 'debug' }],
  [['-v=warn'], { verbosity: 'warn' }],
  [['-v', 'panic'], { verbosity: 'panic' }],
  [['--log-format=json'], { 'log-format': 'json' }],
  [['--log-timestamp'], { 'log-timestamp': true }],
];

for (const [args, expected] of FLAGS) {
  test(`warm ${args.join(' ')}`, () => {
    const { options, operands } = parseOptions('warm', args, {});
    for (const [name, value] of Object.entries(expected))
      assert.deepEqual(options[name as keyof Options], value, name);
    assert.deepEqual(operands, []);
  });
}
