import type { RawRepository, TreeEntry } from '../git-objects.ts';
import type { Kind, Place } from '../types.ts';

/** Fills a bare repository. */
export type RepositoryInput = (repository: RawRepository, place: Place) => void;

type Names = (repository: RawRepository, canary: string) => readonly TreeEntry[];

const ordinary = (repository: RawRepository): readonly TreeEntry[] => [
  { mode: '100644', name: 'Dockerfile', id: repository.blob('FROM scratch\nCOPY a /probe-a\n') },
  { mode: '100644', name: 'a', id: repository.blob('hi\n') },
];

/** A commit of these entries beside ordinary ones. */
function commit(
  name: string,
  names: Names,
  more: RepositoryInput = () => {},
  must: Kind<RepositoryInput>['must'] = 'either',
): Kind<RepositoryInput> {
  return {
    name,
    must,
    make: (place) => (repository) => {
      const entries = [...ordinary(repository), ...names(repository, place.canary)];
      const key = ({ mode, name: text }: TreeEntry): string => `${text}${mode === '40000' ? '/' : ''}`;
      repository.commit(repository.tree(entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))));
      more(repository, place);
    },
  };
}

const file =
  (name: string | Buffer, content = 'x'): Names =>
  (repository) => [{ mode: '100644', name, id: repository.blob(content) }];
const below =
  (name: string, inner: Names): Names =>
  (repository, canary) => [{ mode: '40000', name, id: repository.tree(inner(repository, canary)) }];
const link =
  (name: string, target: (canary: string) => string): Names =>
  (repository, canary) => [{ mode: '120000', name, id: repository.blob(target(canary)) }];
const both =
  (...all: readonly Names[]): Names =>
  (repository, canary) =>
    all.flatMap((names) => names(repository, canary));
const modules =
  (path: string, url: (canary: string) => string, more = ''): Names =>
  (repository, canary) => [
    {
      mode: '100644',
      name: '.gitmodules',
      id: repository.blob(`[submodule "s"]\n\tpath = ${path}\n\turl = ${url(canary)}\n${more}`),
    },
    { mode: '160000', name: 's', id: 'a'.repeat(40) },
  ];
const hook = '#!/bin/sh\ntouch @CANARY@/new\n';

/** Repositories that a clone must not be hurt by. */
export const repositories: readonly Kind<RepositoryInput>[] = [
  commit('honest', () => [], undefined, 'build'),
  commit('name-up', file('..')),
  commit('name-up-dir', below('..', file('new'))),
  commit('name-up-path', file('../new')),
  commit('name-up-many', file(`${'../'.repeat(12)}new`)),
  commit('name-absolute', (repository, canary) => file(`${canary}/new`)(repository, canary)),
  commit('name-dot', file('.')),
  commit('name-empty', file('')),
  commit('name-slash', file('a/b')),
  commit('name-git', below('.git', file('config', '[core]\n\tfsmonitor = touch x\n'))),
  commit('name-git-case', below('.GIT', file('config', 'x'))),
  commit('name-git-hfs', below('.g\u200cit', file('config', 'x'))),
  commit('name-git-hooks', below('.git', below('hooks', file('post-checkout', hook)))),
  commit('name-backslash', file('..\\new')),
  commit('name-control', file('a\x1b[2Jb\n')),
  commit('name-300', file('n'.repeat(300))),
  commit('name-5000', file('n'.repeat(5000))),
  commit(
    'name-deep',
    Array.from({ length: 2500 }).reduce<Names>((inner) => below('d', inner), file('x')),
  ),
  // Git takes it, for it works inside of the checkout.
  commit(
    'name-deep-inside',
    Array.from({ length: 2000 }).reduce<Names>((inner) => below('d', inner), file('x')),
  ),
  commit('name-twice', both(file('t', '1'), file('t', '2'))),
  commit(
    'name-case',
    both(
      link('L', (canary) => canary),
      below('l', file('new')),
    ),
  ),
  commit(
    'link-then-dir',
    both(
      link('l', (canary) => canary),
      below('l', file('new')),
    ),
  ),
  commit(
    'link-out',
    link('l', (canary) => `${canary}/secret`),
  ),
  commit(
    'link-git',
    link('.git', (canary) => `${canary}/dir`),
  ),
  commit(
    'link-gitmodules',
    link('.gitmodules', (canary) => `${canary}/secret`),
  ),
  commit(
    'link-gitattributes',
    link('.gitattributes', (canary) => `${canary}/secret`),
  ),
  commit(
    'link-nul',
    link('l', () => 'a\0b'),
  ),
  commit(
    'link-long',
    link('l', () => 'x/'.repeat(4000)),
  ),
  commit(
    'link-empty',
    link('l', () => ''),
  ),
  commit(
    'link-staging',
    link('.envbuilder-clone', (canary) => canary),
  ),
  commit('dir-staging', below('.envbuilder-clone', file('x'))),
  commit('mode-odd', (repository) => [{ mode: '104755', name: 'suid', id: repository.blob('x') }]),
  commit('mode-garbage', (repository) => [{ mode: '777777', name: 'm', id: repository.blob('x') }]),
  commit('mode-zero', (repository) => [{ mode: '0', name: 'm', id: repository.blob('x') }]),
  commit('blob-as-tree', (repository) => [{ mode: '40000', name: 'd', id: repository.blob('x') }]),
  commit('blob-missing', () => [{ mode: '100644', name: 'm', id: 'b'.repeat(40) }]),
  commit('attributes-filter', file('.gitattributes', '* filter=evil diff=evil merge=evil\n')),
  commit('attributes-long', file('.gitattributes', `* ${'a'.repeat(3_000_000)}\n`)),
  commit('attributes-many', file('.gitattributes', '* a b c\n'.repeat(200_000))),
  commit(
    'attributes-encoding',
    both(file('.gitattributes', 'e working-tree-encoding=UTF-16\n'), file('e', 'odd')),
  ),
  commit(
    'lfs',
    both(
      file('.gitattributes', '*.bin filter=lfs\n'),
      file('x.bin', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n'),
    ),
  ),
  commit(
    'modules-file',
    modules('s', (canary) => `file://${canary}/dir`),
  ),
  commit(
    'modules-path',
    modules('s', (canary) => `${canary}/dir`),
  ),
  commit(
    'modules-ext',
    modules('s', (canary) => `ext::sh -c touch% ${canary}/new`),
  ),
  commit(
    'modules-option',
    modules('s', () => '--upload-pack=touch new'),
  ),
  commit(
    'modules-ssh-option',
    modules('s', () => 'ssh://-oProxyCommand=touch/x'),
  ),
  commit(
    'modules-scp-option',
    modules('s', () => '-oProxyCommand=touch:x'),
  ),
  commit(
    'modules-newline',
    modules('s', () => '"http://127.0.0.1:1/\\nx"'),
  ),
  commit(
    'modules-path-up',
    modules('../../../new', () => 'http://127.0.0.1:1/x'),
  ),
  commit(
    'modules-path-git',
    modules('.git/hooks', () => 'http://127.0.0.1:1/x'),
  ),
  commit(
    'modules-path-option',
    modules('-c', () => 'http://127.0.0.1:1/x'),
  ),
  commit('modules-name-up', (repository) => [
    {
      mode: '100644',
      name: '.gitmodules',
      id: repository.blob('[submodule "../../../../new"]\n\tpath = s\n\turl = http://127.0.0.1:1/x\n'),
    },
    { mode: '160000', name: 's', id: 'a'.repeat(40) },
  ]),
  commit(
    'modules-update',
    modules('s', () => 'http://127.0.0.1:1/x', '\tupdate = !touch new\n'),
  ),
  commit(
    'modules-branch',
    modules('s', () => 'http://127.0.0.1:1/x', '\tbranch = --upload-pack=x\n'),
  ),
  commit('modules-garbage', file('.gitmodules', '[submodule\n\x00\xff')),
  commit(
    'modules-large',
    file(
      '.gitmodules',
      Array.from({ length: 30_000 }, (_, i) => `[submodule "s${i}"]\n\tpath = s${i}\n\turl = x\n`).join(''),
    ),
  ),
  commit(
    'modules-relative',
    modules('s', () => '../../../../x'),
  ),
  commit(
    'modules-self',
    modules('s', () => './'),
  ),
  commit(
    'head-detached',
    () => [],
    (repository) => repository.file('HEAD', `${'c'.repeat(40)}\n`),
  ),
  commit(
    'head-nowhere',
    () => [],
    (repository) => repository.file('HEAD', 'ref: refs/heads/nowhere\n'),
  ),
  commit(
    'head-odd',
    () => [],
    (repository) => repository.file('HEAD', 'ref: refs/heads/../../x\n'),
  ),
  commit(
    'head-long',
    () => [],
    (repository) => repository.file('HEAD', `ref: refs/heads/${'x'.repeat(2000)}\n`),
  ),
  commit(
    'refs-many',
    () => [],
    (repository) => {
      const id = repository.commit(repository.tree(ordinary(repository)));
      repository.file(
        'packed-refs',
        Array.from({ length: 20_000 }, (_, i) => `${id} refs/heads/b${String(i).padStart(6, '0')}\n`).join(
          '',
        ),
      );
    },
  ),
  commit(
    'refs-option',
    () => [],
    (repository) => {
      const id = repository.commit(repository.tree(ordinary(repository)));
      repository.file('refs/heads/--upload-pack=x', `${id}\n`);
    },
  ),
  commit(
    'refs-link',
    () => [],
    (repository, { canary }) => repository.file('refs/heads/l', `ref: ../../../../../..${canary}/secret\n`),
  ),
  commit(
    'config-hooks',
    () => [],
    (repository, { canary }) => {
      repository.file(
        'config',
        `[core]\n\trepositoryformatversion = 0\n\tbare = true\n\thooksPath = ${canary}\n\tfsmonitor = touch ${canary}/new\n\tsshCommand = touch ${canary}/new\n`,
      );
      repository.file('hooks/post-update', `#!/bin/sh\ntouch ${canary}/new\n`);
    },
  ),
  commit(
    'alternates',
    () => [],
    (repository, { canary }) => repository.file('objects/info/alternates', `${canary}\n`),
  ),
  commit(
    'object-damaged',
    () => [],
    (repository) => {
      const id = repository.blob('damaged');
      repository.file(`objects/${id.slice(0, 2)}/${id.slice(2)}`, 'garbage');
      repository.commit(repository.tree([...ordinary(repository), { mode: '100644', name: 'z', id }]));
    },
  ),
  commit('bomb', (repository) => {
    // Each level names the one below ten times: a hundred objects, ten billion files.
    let entries: TreeEntry[] = [{ mode: '100644', name: 'f', id: repository.blob('x') }];
    for (let level = 0; level < 10; level += 1) {
      const id = repository.tree(entries);
      entries = Array.from({ length: 10 }, (_, i) => ({ mode: '40000', name: `d${i}`, id }));
    }
    return entries;
  }),
  commit('blob-100-mb', (repository) => [
    { mode: '100644', name: 'z', id: repository.blob(Buffer.alloc(100_000_000)) },
  ]),
];
