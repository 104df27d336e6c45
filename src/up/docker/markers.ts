import { posix } from 'node:path';
import { quoteWord } from '../../core/shell-words.ts';
import type { Account } from '../../start/account.ts';
import type { DockerContainer } from './containers.ts';
import type { DockerEngine } from './engine.ts';

/** Which hooks have run, as the reference implementation and editors keep it: files in the home of the remoteUser. */
export interface Markers {
  isDue(name: string, moment: string): boolean;
  done(name: string): Promise<void>;
}

const FILE = /^\.([A-Za-z]+)Marker$/;

/**
 * @param options.folder of these files, from the home
 * @throws AppError START_FAILED where the container cannot be asked
 */
export async function readMarkers(
  docker: DockerEngine,
  { id, created, started }: Pick<DockerContainer, 'id' | 'created' | 'started'>,
  options: {
    readonly user: string;
    readonly account: Account;
    readonly folder: string;
    readonly signal: AbortSignal;
  },
): Promise<Markers> {
  const { user, account, folder, signal } = options;
  const place = posix.resolve(account.home, folder);
  const inside = (script: string): Promise<string> =>
    docker.call(['exec', '--user', user, id, '/bin/sh', '-c', script], {
      doing: 'read or write which hooks have run',
      signal,
    });
  const text = await inside(
    `cd ${quoteWord(place)} 2>/dev/null || exit 0; for f in .*Marker; do [ -f "$f" ] && printf '%s\\t%s\\n' "$f" "$(cat "$f")"; done; :`,
  );
  const found = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [file = '', content = ''] = line.split('\t');
      const name = FILE.exec(file)?.[1];
      return name === undefined ? [] : [[name, content]];
    }),
  );
  const momentOf = (name: string): string => (name === 'postStartCommand' ? started : created);
  return {
    // An empty one is there from a time before contents counted.
    isDue: (name) => !['', momentOf(name)].includes(found.get(name) ?? 'none'),
    done: async (name) => {
      if (name === 'postAttachCommand') return;
      const file = posix.join(place, `.${name}Marker`);
      await inside(
        `mkdir -p ${quoteWord(place)} && printf '%s\\n' ${quoteWord(momentOf(name))} > ${quoteWord(file)}`,
      );
    },
  };
}
