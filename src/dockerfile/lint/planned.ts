import type { LintRule } from './types.ts';

/** Rules about what planning alone can know. */
export const plannedRules = [
  {
    name: 'UndefinedVar',
    doc: 'A variable should be defined before it is used: by ARG, by ENV, or by the base image.',
    origin: 'buildkit',
    inStages: true,
  },
  {
    name: 'WorkdirRelativePath',
    doc: 'The first WORKDIR should be absolute: a relative one changes with the base image.',
    origin: 'buildkit',
    inStages: true,
  },
  {
    name: 'CopyIgnoredFile',
    doc: 'What COPY and ADD name should not be left out by .dockerignore. Files with exceptions (`!`) are not looked at.',
    origin: 'buildkit',
    inStages: true,
  },
  {
    name: 'InvalidBaseImagePlatform',
    doc: 'A base image should be for the platform that is built for; one that is in no index is taken whatever it is for.',
    origin: 'buildkit',
    inStages: true,
  },
  {
    name: 'UnusedBuildArg',
    doc: 'A build argument that is passed should be declared by an ARG, or it does nothing.',
    origin: 'ours',
  },
  {
    name: 'OtherFrontEnd',
    doc: '`# syntax=` should name docker/dockerfile, which is what is built in. A warning only with `--ignore-syntax` and in a start, otherwise an error.',
    origin: 'ours',
  },
] as const satisfies readonly LintRule[];

/** The name of a rule that planning reports. */
export type PlannedRule = (typeof plannedRules)[number]['name'];
