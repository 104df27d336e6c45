/** A Dockerfile that a rule finds fault with, and one that it does not, each with what the rule looks at besides. */
export interface RuleExample {
  readonly bad: string;
  readonly good: string;
  /** The ignore file of the context. */
  readonly ignore?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** What the first line of the example has to be for the rule to be on. */
  readonly directive?: string;
  /** What the example is built with. */
  readonly options?: string;
  /** The platform that an image of the examples is for; linux/amd64 for those that are not named, as is the build. */
  readonly platforms?: Readonly<Record<string, string>>;
}

/** One for each rule, by name: docs/reference/lint-rules is made of them, and a test runs each. */
export const EXAMPLES: Readonly<Record<string, RuleExample>> = {
  ConsistentInstructionCasing: {
    bad: 'FROM alpine\nrun apk add git\nWORKDIR /src\n',
    good: 'FROM alpine\nRUN apk add git\nWORKDIR /src\n',
  },
  CopyIgnoredFile: {
    bad: 'FROM alpine\nCOPY dist /app\n',
    good: 'FROM alpine\nCOPY src /app\n',
    ignore: 'dist\n',
  },
  DuplicateStageName: {
    bad: 'FROM golang AS build\nFROM node AS build\n',
    good: 'FROM golang AS server\nFROM node AS client\n',
  },
  ExposeInvalidFormat: {
    bad: 'FROM alpine\nEXPOSE 127.0.0.1:80:80\n',
    good: 'FROM alpine\nEXPOSE 80\n',
  },
  ExposeProtoCasing: {
    bad: 'FROM alpine\nEXPOSE 53/UDP\n',
    good: 'FROM alpine\nEXPOSE 53/udp\n',
  },
  FromAsCasing: {
    bad: 'FROM alpine as tools\n',
    good: 'FROM alpine AS tools\n',
  },
  FromPlatformFlagConstDisallowed: {
    bad: 'FROM --platform=linux/amd64 alpine AS tools\nRUN apk add git\n',
    good: 'FROM --platform=$BUILDPLATFORM alpine AS tools\nRUN apk add git\n',
  },
  InvalidBaseImagePlatform: {
    bad: 'FROM example.com/only-for-arm\n',
    good: 'FROM alpine\n',
    options: '--platform=linux/amd64',
    platforms: { 'example.com/only-for-arm': 'linux/arm64' },
  },
  InvalidDefaultArgInFrom: {
    bad: 'ARG TAG\nFROM alpine:$TAG\n',
    good: 'ARG TAG=3.22\nFROM alpine:$TAG\n',
    buildArgs: { TAG: '3.22' },
    options: '--build-arg TAG=3.22',
  },
  InvalidDefinitionDescription: {
    directive: '# check=experimental=InvalidDefinitionDescription',
    bad: '# the image that is shipped\nFROM alpine AS app\n# what to greet\nARG NAME=world\n',
    good: '# app the image that is shipped\nFROM alpine AS app\n# NAME what to greet\nARG NAME=world\n',
  },
  JSONArgsRecommended: {
    bad: 'FROM alpine\nENTRYPOINT my-program start\n',
    good: 'FROM alpine\nENTRYPOINT ["my-program", "start"]\n',
  },
  LegacyKeyValueFormat: {
    bad: 'FROM alpine\nENV DIR /src\n',
    good: 'FROM alpine\nENV DIR=/src\n',
  },
  MaintainerDeprecated: {
    bad: 'FROM alpine\nMAINTAINER ann@example.com\n',
    good: 'FROM alpine\nLABEL org.opencontainers.image.authors="ann@example.com"\n',
  },
  MalformedExecForm: {
    bad: "FROM alpine\nRUN ['apk', 'add', 'git']\n",
    good: 'FROM alpine\nRUN ["apk", "add", "git"]\n',
  },
  MultipleInstructionsDisallowed: {
    bad: 'FROM alpine\nCMD ["one"]\nCMD ["two"]\n',
    good: 'FROM alpine\nCMD ["two"]\n',
  },
  NoEmptyContinuation: {
    bad: 'FROM alpine\nRUN apk add \\\n\n  git\n',
    good: 'FROM alpine\nRUN apk add \\\n  # the only thing needed\n  git\n',
  },
  OtherFrontEnd: {
    bad: '# syntax=example.com/other/front-end\nFROM alpine\n',
    good: '# syntax=docker/dockerfile:1\nFROM alpine\n',
    options: '--ignore-syntax',
  },
  RedundantTargetPlatform: {
    bad: 'FROM --platform=$TARGETPLATFORM alpine\n',
    good: 'FROM alpine\n',
  },
  ReservedStageName: {
    bad: 'FROM alpine AS scratch\n',
    good: 'FROM alpine AS empty\n',
  },
  SecretsUsedInArgOrEnv: {
    bad: 'FROM alpine\nARG NPM_TOKEN\nRUN fetch --token "$NPM_TOKEN"\n',
    good: 'FROM alpine\nRUN --mount=type=secret,id=npm,env=NPM_TOKEN fetch --token "$NPM_TOKEN"\n',
  },
  StageNameCasing: {
    bad: 'FROM alpine AS Tools\n',
    good: 'FROM alpine AS tools\n',
  },
  UndefinedArgInFrom: {
    bad: `FROM alpine AS tools\nARG TAG=3.22\nFROM alpine:\${TAGS:-3.22}\n`,
    good: 'ARG TAG=3.22\nFROM alpine:$TAG\n',
  },
  UndefinedVar: {
    bad: 'FROM alpine\nARG DIRECTORY=/src\nWORKDIR /a$DIRECTROY\n',
    good: 'FROM alpine\nARG DIRECTORY=/src\nWORKDIR /a$DIRECTORY\n',
  },
  UnusedBuildArg: {
    bad: 'FROM alpine\nARG VERSION\n',
    good: 'FROM alpine\nARG VERSION\nARG REVISION\n',
    buildArgs: { VERSION: '1', REVISION: 'abc' },
    options: '--build-arg VERSION=1 --build-arg REVISION=abc',
  },
  WorkdirRelativePath: {
    bad: 'FROM alpine\nWORKDIR src\n',
    good: 'FROM alpine\nWORKDIR /src\n',
  },
};
