import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFrontEnd } from './syntax.ts';

const NO_ARGS = new Map<string, string>();
const check = (text: string, buildArgs: ReadonlyMap<string, string> = NO_ARGS, ignore = false) =>
  checkFrontEnd(text, 'Dockerfile', { buildArgs, ignore });

const OURS = [
  'docker/dockerfile',
  'docker/dockerfile:1',
  'docker/dockerfile:1.7-labs',
  'docker/dockerfile:experimental',
  `docker/dockerfile:1@sha256:${'0'.repeat(64)}`,
  'docker.io/docker/dockerfile:1.4',
  'docker/dockerfile-upstream:master-labs',
  'registry.example.com:5000/mirror/docker/dockerfile:1',
];
const OTHERS = [
  'r2d4/mocker',
  'ghcr.io/project-copacetic/copa',
  'notdocker/dockerfile:1',
  'docker/dockerfiles',
  'docker/dockerfile/x',
  'crazymax/dockerfile:1',
  'docker/rust:latest',
];

test('docker/dockerfile of any version and registry is understood', () => {
  for (const reference of OURS) {
    assert.equal(check(`# syntax=${reference}\nFROM scratch\n`), undefined, reference);
    assert.equal(check('FROM scratch\n', new Map([['BUILDKIT_SYNTAX', reference]])), undefined, reference);
  }
});

test('another front end is an error at its line, however it is written', () => {
  for (const reference of OTHERS) {
    for (const [text, line] of [
      [`# syntax=${reference}\nFROM scratch\n`, 1],
      [`#syntax = ${reference} and=more\r\nFROM scratch\n`, 1],
      [`# escape=\`\n# SYNTAX=${reference}\nFROM scratch\n`, 2],
      [`#!/usr/bin/env x\n# syntax=${reference}\n`, 2],
      [`\ufeff// syntax=${reference}\nanything\n`, 1],
      [`{ "syntax": "${reference}", "more": 1 }`, 1],
    ] as const) {
      assert.throws(
        () => check(text),
        (error: { code: string; message: string; where?: { range?: { start: { line: number } } } }) => {
          assert.equal(error.code, 'DOCKERFILE', text);
          assert.ok(error.message.includes(`front end ${reference},`), error.message);
          assert.equal(error.where?.range?.start.line, line, text);
          return true;
        },
      );
      const warning = check(text, NO_ARGS, true);
      assert.equal(warning?.range.start.line, line);
    }
  }
});

test('what is not at the top of the file names nothing', () => {
  for (const text of [
    'FROM scratch\n# syntax=other/front\n',
    '\n# syntax=other/front\n',
    '# a comment\n# syntax=other/front\n',
    '# unknown=1\n# syntax=other/front\n',
    '{ "syntax": 1 }',
    '{ "syntax": "other/front"',
    '',
  ])
    assert.equal(check(text), undefined, text);
});

test('the build argument wins over the file', () => {
  const file = '# syntax=other/front\nFROM scratch\n';
  assert.equal(check(file, new Map([['BUILDKIT_SYNTAX', 'docker/dockerfile:1']])), undefined);
  assert.throws(() => check('# syntax=docker/dockerfile\n', new Map([['BUILDKIT_SYNTAX', 'a/b x=y']])), {
    message: /^the build argument BUILDKIT_SYNTAX asks for the front end a\/b,/,
  });
});
