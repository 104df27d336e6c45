import { AppError } from '../../core/error.ts';
import { formatBytes } from '../../core/units.ts';
import { checkRegistry, collectGarbage } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { parseAge, parseSize } from '../options/quantities.ts';
import { registryDir } from './registry-serve.ts';

/** `envbuilder registry gc`: prints what it removed. */
export const registryGcCommand: CommandBody = async ({ options }, { cwd, stdout }, emit) => {
  const { 'older-than': age, 'max-size': size, 'dry-run': dryRun } = options;
  const result = await collectGarbage({
    root: registryDir(options, cwd),
    graceMs: parseAge(options.grace, '--grace'),
    ...(age === undefined ? {} : { olderThanMs: parseAge(age, '--older-than') }),
    ...(size === undefined ? {} : { maxBytes: parseSize(size, '--max-size') }),
    dryRun,
    emit,
  });
  const { tags, manifests, blobs, freedBytes, keptBytes } = result;
  const verb = dryRun ? 'would remove' : 'removed';
  stdout.write(
    `${verb} ${tags} tags, ${manifests} manifests and ${blobs} blobs (${formatBytes(freedBytes)}); ` +
      `${formatBytes(keptBytes)} are in use\n`,
  );
};

/**
 * `envbuilder registry check`: prints what it found.
 * @throws AppError CORRUPT when something is wrong and was not repaired
 */
export const registryCheckCommand: CommandBody = async ({ options }, { cwd, stdout }, emit) => {
  const { repair } = options;
  const { blobs, manifests, problems } = await checkRegistry({
    root: registryDir(options, cwd),
    repair,
    emit,
  });
  const found =
    problems.length === 0 ? 'all is well' : `${problems.length} problems${repair ? ', repaired' : ''}`;
  stdout.write(`checked ${blobs} blobs and ${manifests} manifests: ${found}\n`);
  if (problems.length === 0 || repair) return;
  throw new AppError('CORRUPT', `the registry has ${problems.length} problems`, {
    hint: 'remove what is damaged with --repair; whoever has it then stores it again',
  });
};
