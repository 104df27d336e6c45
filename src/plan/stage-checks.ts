import { isGitUrl } from '../context/add-git.ts';
import { cleanPath } from '../context/clean-path.ts';
import type { SourceRange } from '../core/error.ts';
import { narrowed } from '../dockerfile/expand/expand.ts';
import { undefinedVariables } from '../dockerfile/lint/undefined.ts';
import type { AddInstruction, CopyInstruction, Instruction } from '../dockerfile/types.ts';
import { formatPlatform, normalizePlatform } from '../oci/platform.ts';
import type { Image, Platform } from '../oci/types.ts';
import type { StageDeps } from './stage-deps.ts';
import { expand, type StageState, whereOf } from './stage-state.ts';

/** Checks the variables that an instruction reads against those that are defined before it. */
export function checkVariables(
  { scope, stage }: StageDeps,
  state: StageState,
  instruction: Instruction,
): void {
  const { dockerfile, environment } = state;
  const where = whereOf(dockerfile, instruction.range);
  for (const { name, text } of undefinedVariables(instruction, environment.names(), dockerfile.escape)) {
    const places = [`\${${name}}`, `\${${name}`, `$${name}`].map((word) => narrowed(where, word).range!);
    const range = places.find((place) => place !== where.range) ?? instruction.range;
    scope.report('UndefinedVar', { text, range, instruction: instruction.range, stage: stage.index });
  }
}

/** Checks the sources of a COPY or ADD against the ignore file of the context. */
export function checkIgnored(
  { input, scope, stage }: StageDeps,
  state: StageState,
  instruction: CopyInstruction | AddInstruction,
): void {
  const matcher = input.sources.ignored?.();
  const elsewhere = instruction.kind === 'copy' && instruction.from !== undefined;
  if (!matcher || elsewhere || matcher.patterns.some((pattern) => pattern.startsWith('!'))) return;
  const { range } = instruction;
  for (const written of instruction.sources) {
    const source = expand(state, written, range);
    if (isGitUrl(source) || /^https?:\/\//i.test(source)) continue;
    const path = cleanPath(source);
    const everything = matcher.patterns.some((pattern) => ['*', '**', '**/*'].includes(pattern));
    if (path === '.' || path === '/' ? !everything : !matcher.matches(path)) continue;
    const text = `${instruction.kind.toUpperCase()} names "${path}", which .dockerignore leaves out`;
    const place = narrowed(whereOf(state.dockerfile, range), written).range!;
    scope.report('CopyIgnoredFile', { text, range: place, instruction: range, stage: stage.index });
  }
}

/** Checks the first WORKDIR, whose variables are replaced: a relative one depends on the base. */
export function checkWorkdir(
  { scope, stage }: StageDeps,
  state: StageState,
  path: string,
  range: SourceRange,
): void {
  const first = !state.workdirSet;
  state.workdirSet = true;
  if (!first || path.startsWith('/')) return;
  const text = `the relative WORKDIR "${path}" depends on the base image`;
  scope.report('WorkdirRelativePath', { text, range, stage: stage.index });
}

/** Checks the platform of an image against the one that it was asked for. */
export function checkPlatform(
  { scope, stage }: StageDeps,
  { name, image, wanted }: { readonly name: string; readonly image: Image; readonly wanted: Platform },
  range: SourceRange,
): void {
  const { os, architecture, variant } = image.config;
  if (os === wanted.os && architecture === wanted.architecture) return;
  const actual = formatPlatform(normalizePlatform({ os, architecture, ...(variant ? { variant } : {}) }));
  const text = `the image ${name} is for ${actual}, and ${formatPlatform(wanted)} is built`;
  scope.report('InvalidBaseImagePlatform', { text, range, stage: stage.index });
}
