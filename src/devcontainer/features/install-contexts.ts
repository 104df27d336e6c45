import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalDigest } from '../../core/canonical.ts';
import type { DeferredFiles } from '../../plan/inputs.ts';
import { createBeneath, withBeneath } from '../../sys/beneath.ts';
import { installScript, optionsOf, usersScript } from './install-script.ts';
import type { ChosenFeature, FeaturesRequest } from './types.ts';

/** The script that a RUN runs, in what it mounts. */
export const SCRIPT = 'install';

/** Files for the step that looks up the users. */
export function usersContext(request: Pick<FeaturesRequest, 'containerUser' | 'remoteUser'>): DeferredFiles {
  const script = usersScript(request);
  return {
    type: 'deferred',
    digest: canonicalDigest({ script }),
    write: async (directory) => writeFileSync(join(directory, SCRIPT), script),
  };
}

/** Files for the step that installs a feature: its own, its options, and the script. Their digest needs no download. */
export function featureContext(chosen: ChosenFeature, index: number): DeferredFiles {
  const { feature } = chosen;
  const script = installScript(chosen, index);
  const options = optionsOf(chosen);
  return {
    type: 'deferred',
    digest: canonicalDigest({ script, options: options.text, files: feature.contentDigest }),
    write: async (directory, access) => {
      const files = join(directory, 'files');
      mkdirSync(files, { mode: 0o755 });
      await feature.write(files, access);
      // The feature may hold a link, or a directory, of this name.
      withBeneath(createBeneath(), files, (own) => {
        own.remove(options.name, { links: 'none' });
        own.writeFile(options.name, options.text, { links: 'none' });
      });
      writeFileSync(join(directory, SCRIPT), script);
    },
  };
}
