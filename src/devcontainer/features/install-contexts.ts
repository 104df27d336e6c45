import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalDigest } from '../../core/canonical.ts';
import type { SourceRange } from '../../core/error.ts';
import type { DeferredFiles } from '../../plan/inputs.ts';
import { createBeneath, withBeneath } from '../../sys/beneath.ts';
import { sharedSyscalls } from '../../sys/syscalls.ts';
import { featureTitle, installScript, optionsOf, usersScript } from './install-script.ts';
import type { ChosenFeature, FeaturesRequest } from './types.ts';

/** The script that a RUN runs, in what it mounts. */
export const SCRIPT = 'install';

/** Files for the step that looks up the users. */
export function usersContext(
  request: Pick<FeaturesRequest, 'containerUser' | 'remoteUser'>,
  range: SourceRange | undefined,
): DeferredFiles {
  const script = usersScript(request);
  return {
    type: 'deferred',
    digest: canonicalDigest({ script }),
    ...aboutOf('users of features', range),
    write: async (directory) => writeFileSync(join(directory, SCRIPT), script),
  };
}

/** Files for the step that installs a feature: its own, its options, and the script. Their digest needs no download. */
export function featureContext(
  chosen: ChosenFeature,
  index: number,
  range: SourceRange | undefined,
): DeferredFiles {
  const { feature } = chosen;
  const script = installScript(chosen, index);
  const options = optionsOf(chosen);
  return {
    type: 'deferred',
    digest: canonicalDigest({ script, options: options.text, files: feature.contentDigest }),
    ...aboutOf(`feature ${featureTitle(chosen)}`, range),
    write: async (directory, access) => {
      const files = join(directory, 'files');
      mkdirSync(files, { mode: 0o755 });
      await feature.write(files, access);
      // The feature may hold a link, or a directory, of this name.
      withBeneath(createBeneath(sharedSyscalls()), files, (own) => {
        own.remove(options.name, { links: 'none' });
        own.writeFile(options.name, options.text, { links: 'none' });
      });
      writeFileSync(join(directory, SCRIPT), script);
    },
  };
}

/** A step is called so where it is known what asks for it; its text is made up otherwise too, but has a place. */
function aboutOf(title: string, range: SourceRange | undefined): Pick<DeferredFiles, 'about'> {
  return range ? { about: { title: title.replace(/\p{Cc}+/gu, ' '), range } } : {};
}
