import { join } from 'node:path';
import type { OptionInput } from '../kinds/named-files.ts';
import type { Plot } from '../plot.ts';
import { type Attempt, build, type WayIn } from './way.ts';

/** Options and variables that name a file, and runs that read it. */
const OPTIONS: Readonly<Record<string, (path: string, plot: Plot) => Pick<Attempt, 'args' | 'env'>>> = {
  secret: (path, plot) => {
    plot.write({
      'context/Dockerfile':
        'FROM scratch\nCOPY a /probe-a\nRUN --mount=type=secret,id=s,required=true ["/x"]\n',
    });
    return { args: build(plot, `--secret=id=s,src=${path}`) };
  },
  'sign-key': (path, plot) => ({ args: build(plot, `--cache-sign-key-path=${path}`) }),
  'trusted-keys': (path, plot) => ({ args: build(plot, `--cache-trusted-keys=${path}`) }),
  'certificate-file': (path, plot) => ({ args: build(plot), env: { ENVBUILDER_SSL_CERT_FILE: path } }),
  'server-certificate': (path, plot) => ({
    args: [...serve(plot), `--tls-cert=${path}`, `--tls-key=${path}`],
  }),
  htpasswd: (path, plot) => ({ args: [...serve(plot), `--htpasswd=${path}`] }),
};

const serve = (plot: Plot): readonly string[] => [
  'registry',
  'serve',
  `--dir=${join(plot.dir, 'cache')}`,
  '--addr=127.0.0.1:0',
];

/** A mistake of whoever gives the options: it is told as one, whatever lies there. */
export const optionWays: readonly WayIn<OptionInput>[] = Object.entries(OPTIONS).map(([name, run]) => ({
  name,
  carry: (input, plot) => {
    plot.write({ 'context/Dockerfile': 'FROM scratch\nCOPY a /probe-a\n', 'context/a': 'hi\n' });
    const path = join(plot.dir, 'home/named');
    input(path);
    return { ...run(path, plot), refusals: [2] };
  },
}));
