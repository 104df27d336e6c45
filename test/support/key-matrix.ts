import { join } from 'node:path';
import { createSyscalls } from '../../src/sys/syscalls.ts';

/** What a change does to the last step of a build that was built before. */
export type Outcome = 'hit' | 'miss';

/** One side of a change: instructions behind the base image, and what the command line says beside them. */
export interface Side {
  readonly lines: string;
  /** Stages before the last one. */
  readonly first?: string;
  /** `@BASE@` when left out. */
  readonly base?: string;
  readonly args?: readonly string[];
}

/** A kind of change between two builds, and what becomes of the last step in the second. */
export interface Change {
  readonly before: Side | string;
  /** The same when left out. */
  readonly after?: Side | string;
  /** A shell command in the context, before the first build. */
  readonly prepare?: string;
  /** A shell command in the context, between the builds, with the variables SECRET and FILE; or a function of the context. */
  readonly edit?: string | ((context: string) => void);
  readonly ours: Outcome;
  readonly docker: Outcome;
  /** Why we differ; there where we do. */
  readonly because?: string;
}

/**
 * The context of each build. A file `nonce` that is another one for each kind of change is copied first. `@SECRET@` is a file
 * outside, `@URL@` a file on a server, whose own path is FILE in an edit.
 */
export const CONTEXT = `
mkdir -p dir/sub other
echo a > dir/a; echo b > dir/b; echo s > dir/sub/s; ln -s a dir/link; cp dir/a dir/same
echo top > top; echo x > other/x
mkdir t; echo in > t/in; tar -cf t.tar --owner=0 --group=0 --mtime=2020-01-01 t; rm -r t
find . -type d -exec chmod 755 {} +; find . -type f -exec chmod 644 {} +
`;

const COPY = 'COPY dir /d';
const MOUNT = 'RUN --mount=source=dir,target=/m cat /m/a';
const CACHE = (options: string): string => `RUN --mount=type=cache,target=/c${options} echo >> /c/log`;
const SECRET = (options: string): Side => ({
  lines: `RUN --mount=type=secret,id=one${options} true`,
  args: ['--secret=id=one,src=@SECRET@'],
});

const FROM_STAGE = (command: string): string => `FROM @BASE@ AS one\nCOPY nonce /\nRUN ${command}`;

/** Kinds of changes to what is built. */
export const CHANGES: Readonly<Record<string, Change>> = {
  // Files of the context.
  'the content of a file': { before: COPY, edit: 'echo A > dir/a', ours: 'miss', docker: 'miss' },
  'a new file': { before: COPY, edit: 'echo c > dir/c', ours: 'miss', docker: 'miss' },
  'a deleted file': { before: COPY, edit: 'rm dir/b', ours: 'miss', docker: 'miss' },
  'the name of a file': { before: COPY, edit: 'mv dir/b dir/c', ours: 'miss', docker: 'miss' },
  'the time of a file': { before: COPY, edit: 'touch dir/a', ours: 'hit', docker: 'hit' },
  'the order of files on the disk': {
    before: COPY,
    edit: 'mv dir old; mkdir dir; chmod 755 dir; for i in same link sub b a; do cp -a old/$i dir/; done; rm -r old',
    ours: 'hit',
    docker: 'hit',
  },
  'that a file can be executed': { before: COPY, edit: 'chmod 755 dir/a', ours: 'miss', docker: 'miss' },
  'the rights of the group on a file': {
    before: COPY,
    edit: 'chmod 664 dir/a',
    ours: 'miss',
    docker: 'miss',
  },
  'a set-uid bit': { before: COPY, edit: 'chmod 4755 dir/a', ours: 'miss', docker: 'miss' },
  'the mode of a directory inside': { before: COPY, edit: 'chmod 700 dir/sub', ours: 'miss', docker: 'miss' },
  'the mode of the copied directory': {
    before: COPY,
    edit: 'chmod 700 dir',
    ours: 'hit',
    docker: 'miss',
    because: 'the copy leaves that mode behind, with Docker as well, whose hash has it all the same',
  },
  'the mode of the copied context': { before: 'COPY . /d', edit: 'chmod 700 .', ours: 'hit', docker: 'hit' },
  'the set-gid bit of one directory': {
    before: COPY,
    edit: 'chmod g+s dir/sub',
    ours: 'miss',
    docker: 'miss',
  },
  'the set-gid bit of all directories': {
    before: COPY,
    edit: 'find . -type d -exec chmod g+s {} +',
    ours: 'hit',
    docker: 'miss',
    because: 'the root has it too, so they have inherited it (decision 58)',
  },
  'the owner of a file': { before: COPY, edit: 'chown 5:6 dir/a', ours: 'hit', docker: 'hit' },
  'the target of a link': { before: COPY, edit: 'ln -sfn b dir/link', ours: 'miss', docker: 'miss' },
  'a link in the place of a file': {
    before: COPY,
    edit: 'rm dir/same; ln -s a dir/same',
    ours: 'miss',
    docker: 'miss',
  },
  'a hard link in the place of a copy': {
    before: COPY,
    edit: 'ln -f dir/a dir/same',
    ours: 'miss',
    docker: 'hit',
    because:
      'the layer holds two names of one file then; the hash of Docker knows no links, and it takes the layer with two files',
  },
  'an attribute of a file': {
    before: COPY,
    edit: (context) => createSyscalls().setXattr(join(context, 'dir/a'), 'user.note', Buffer.from('n')),
    ours: 'miss',
    docker: 'miss',
  },
  'a new empty directory': { before: COPY, edit: 'mkdir dir/empty', ours: 'miss', docker: 'miss' },
  'a file beside what is copied': { before: COPY, edit: 'echo new > top', ours: 'hit', docker: 'hit' },
  'a file that is ignored': {
    before: COPY,
    prepare: 'echo dir/b > .dockerignore',
    edit: 'echo ignored > dir/b',
    ours: 'hit',
    docker: 'hit',
  },
  'another file that is ignored': {
    before: COPY,
    prepare: 'echo top > .dockerignore',
    edit: 'echo dir/b >> .dockerignore',
    ours: 'miss',
    docker: 'miss',
  },
  // Options of COPY.
  'the mode of a file below --chmod': {
    before: 'COPY --chmod=750 dir /d',
    edit: 'chmod 700 dir/a dir/sub',
    ours: 'hit',
    docker: 'miss',
    because: '--chmod replaces it; Docker hashes files as they were',
  },
  'the owner that a copy gives': {
    before: 'COPY --chown=1:2 dir /d',
    after: 'COPY --chown=1:3 dir /d',
    ours: 'miss',
    docker: 'miss',
  },
  'the mode that a copy gives': {
    before: 'COPY --chmod=755 dir /d',
    after: 'COPY --chmod=750 dir /d',
    ours: 'miss',
    docker: 'miss',
  },
  'where files go': { before: COPY, after: 'COPY dir /e', ours: 'miss', docker: 'miss' },
  'that a copy is linked': {
    before: COPY,
    after: 'COPY --link dir /d',
    ours: 'miss',
    docker: 'hit',
    because:
      'Docker with its classic store makes an ordinary copy of it, and so do we; by the reference it follows no link in the destination, so the two keep keys of their own',
  },
  'how a source is written': { before: COPY, after: 'COPY ./dir/ /d', ours: 'hit', docker: 'hit' },
  'the order of sources': {
    before: 'COPY dir/a dir/b /d/',
    after: 'COPY dir/b dir/a /d/',
    ours: 'hit',
    docker: 'miss',
    because: 'it makes no difference to files of two names in a directory; Docker has the sources in order',
  },
  'the content of a heredoc': {
    before: 'COPY <<E /e\none\nE',
    after: 'COPY <<E /e\ntwo\nE',
    ours: 'miss',
    docker: 'miss',
  },
  'a variable in a source': {
    before: 'ARG F=a\nCOPY dir/$F /f',
    after: 'ARG F=b\nCOPY dir/$F /f',
    ours: 'miss',
    docker: 'miss',
  },
  // Commands.
  'the command': { before: 'RUN echo one', after: 'RUN echo two', ours: 'miss', docker: 'miss' },
  'spaces inside a command': { before: 'RUN echo one', after: 'RUN echo  one', ours: 'miss', docker: 'miss' },
  'a comment': { before: 'RUN echo one', after: '# why\nRUN echo one', ours: 'hit', docker: 'hit' },
  'the form of a command': {
    before: 'RUN echo one',
    after: 'RUN ["/bin/sh", "-c", "echo one"]',
    ours: 'hit',
    docker: 'hit',
  },
  'the text of a heredoc': {
    before: 'RUN <<E\necho one\nE',
    after: 'RUN <<E\necho two\nE',
    ours: 'miss',
    docker: 'miss',
  },
  'a script with an interpreter': {
    before: 'RUN <<E\n#!/bin/sh\necho one\nE',
    after: 'RUN <<E\n#!/bin/sh\necho two\nE',
    ours: 'miss',
    docker: 'miss',
  },
  'a variable that the command may see': {
    before: 'ENV A=1\nRUN true',
    after: 'ENV A=2\nRUN true',
    ours: 'miss',
    docker: 'miss',
  },
  'the order of variables': {
    before: 'ENV A=1 B=2\nRUN env',
    after: 'ENV B=2 A=1\nRUN env',
    ours: 'miss',
    docker: 'miss',
  },
  'an argument before the command': {
    before: { lines: 'ARG A=1\nRUN true', args: ['--build-arg=A=1'] },
    after: { lines: 'ARG A=1\nRUN true', args: ['--build-arg=A=2'] },
    ours: 'miss',
    docker: 'miss',
  },
  'an argument after the command': {
    before: { lines: 'RUN true\nARG A=1', args: ['--build-arg=A=1'] },
    after: { lines: 'RUN true\nARG A=1', args: ['--build-arg=A=2'] },
    ours: 'hit',
    docker: 'hit',
  },
  'an argument that nothing declares': {
    before: 'RUN true',
    after: { lines: 'RUN true', args: ['--build-arg=A=2'] },
    ours: 'hit',
    docker: 'hit',
  },
  'the default of an argument that is given': {
    before: { lines: 'ARG A=1\nRUN true', args: ['--build-arg=A=3'] },
    after: { lines: 'ARG A=2\nRUN true', args: ['--build-arg=A=3'] },
    ours: 'hit',
    docker: 'hit',
  },
  'a proxy': {
    before: 'RUN true',
    after: { lines: 'RUN true', args: ['--build-arg=http_proxy=http://127.0.0.1:9'] },
    ours: 'hit',
    docker: 'hit',
  },
  'a label before the command': {
    before: 'RUN true',
    after: 'LABEL a=b\nRUN true',
    ours: 'hit',
    docker: 'hit',
  },
  'what the image starts': {
    before: 'RUN true',
    after: 'CMD ["x"]\nENTRYPOINT ["y"]\nEXPOSE 80\nVOLUME /v\nRUN true',
    ours: 'hit',
    docker: 'hit',
  },
  'the user': { before: 'USER 1\nRUN true', after: 'USER 2\nRUN true', ours: 'miss', docker: 'miss' },
  'the group of the user': {
    before: 'USER 1\nRUN true',
    after: 'USER 1:5\nRUN true',
    ours: 'miss',
    docker: 'miss',
  },
  'the working directory': { before: 'WORKDIR /a', after: 'WORKDIR /b', ours: 'miss', docker: 'miss' },
  'the shell': {
    before: 'RUN true',
    after: 'SHELL ["/bin/sh", "-ec"]\nRUN true',
    ours: 'miss',
    docker: 'miss',
  },
  'the network': { before: 'RUN true', after: 'RUN --network=none true', ours: 'miss', docker: 'miss' },
  'that the network is named': {
    before: 'RUN true',
    after: 'RUN --network=default true',
    ours: 'hit',
    docker: 'hit',
  },
  // Mounts.
  'the content of a mounted file': { before: MOUNT, edit: 'echo A > dir/a', ours: 'miss', docker: 'miss' },
  'a file beside what is mounted': { before: MOUNT, edit: 'echo new > top', ours: 'hit', docker: 'hit' },
  'the time of a mounted file': { before: MOUNT, edit: 'touch dir/a', ours: 'hit', docker: 'hit' },
  'the mode of a mounted file': { before: MOUNT, edit: 'chmod 600 dir/a', ours: 'miss', docker: 'miss' },
  'the mode of the mounted directory': {
    before: MOUNT,
    edit: 'chmod 700 dir',
    ours: 'hit',
    docker: 'miss',
    because: 'a mount of ours shows 0755, Docker the mode of the directory (decision 58)',
  },
  'the mode of the mounted context': {
    before: 'RUN --mount=target=/m cat /m/top',
    edit: 'chmod 700 .',
    ours: 'hit',
    docker: 'hit',
  },
  'that a mount can be written': {
    before: 'RUN --mount=source=dir,target=/m true',
    after: 'RUN --mount=source=dir,target=/m,rw true',
    ours: 'miss',
    docker: 'miss',
  },
  'the target of a mount': {
    before: 'RUN --mount=source=dir,target=/m true',
    after: 'RUN --mount=source=dir,target=/n true',
    ours: 'miss',
    docker: 'miss',
  },
  'the id of a cache': {
    before: CACHE(',id=@NAME@-1'),
    after: CACHE(',id=@NAME@-2'),
    ours: 'miss',
    docker: 'hit',
    because: 'another cache may hold anything else; Docker leaves the id out',
  },
  'who shares a cache': {
    before: CACHE(',id=@NAME@'),
    after: CACHE(',id=@NAME@,sharing=locked'),
    ours: 'hit',
    docker: 'hit',
  },
  'the mode of a cache': {
    before: CACHE(',id=@NAME@'),
    after: CACHE(',id=@NAME@,mode=0700'),
    ours: 'miss',
    docker: 'miss',
  },
  'the content of a cache': { before: CACHE(',id=@NAME@'), ours: 'hit', docker: 'hit' },
  'the size of memory': {
    before: 'RUN --mount=type=tmpfs,target=/t true',
    after: 'RUN --mount=type=tmpfs,target=/t,size=1m true',
    ours: 'miss',
    docker: 'miss',
  },
  'the value of a secret': { before: SECRET(''), edit: 'echo new > "$SECRET"', ours: 'hit', docker: 'hit' },
  'the id of a secret': {
    before: SECRET(''),
    after: { lines: 'RUN --mount=type=secret,id=two true', args: ['--secret=id=two,src=@SECRET@'] },
    ours: 'miss',
    docker: 'miss',
  },
  'that a secret is required': {
    before: SECRET(''),
    after: SECRET(',required'),
    ours: 'miss',
    docker: 'miss',
  },
  'the mode of a secret': { before: SECRET(''), after: SECRET(',mode=0444'), ours: 'miss', docker: 'miss' },
  'the variable of a secret': { before: SECRET(''), after: SECRET(',env=S'), ours: 'miss', docker: 'miss' },
  'a secret that is not offered again': {
    before: SECRET(''),
    after: 'RUN --mount=type=secret,id=one true',
    ours: 'hit',
    docker: 'hit',
  },
  // Stages and images.
  'the name of a stage': {
    before: { first: 'FROM @BASE@ AS one\nRUN echo 1 > /f', lines: 'COPY --from=one /f /f' },
    after: { first: 'FROM @BASE@ AS two\nRUN echo 1 > /f', lines: 'COPY --from=two /f /f' },
    ours: 'hit',
    docker: 'hit',
  },
  'the command of a stage that makes the same files': {
    before: { first: FROM_STAGE('echo 1 > /f'), lines: 'COPY --from=one /f /f' },
    after: { first: FROM_STAGE('echo 1 > /g; mv /g /f'), lines: 'COPY --from=one /f /f' },
    ours: 'hit',
    docker: 'hit',
  },
  'another file of a stage': {
    before: { first: FROM_STAGE('echo 1 > /f; echo 1 > /g'), lines: 'COPY --from=one /f /f' },
    after: { first: FROM_STAGE('echo 1 > /f; echo 2 > /g'), lines: 'COPY --from=one /f /f' },
    ours: 'hit',
    docker: 'hit',
  },
  'the copied file of a stage': {
    before: { first: FROM_STAGE('echo 1 > /f'), lines: 'COPY --from=one /f /f' },
    after: { first: FROM_STAGE('echo 2 > /f'), lines: 'COPY --from=one /f /f' },
    ours: 'miss',
    docker: 'miss',
  },
  'the owner of the copied file of a stage': {
    before: { first: FROM_STAGE('echo 1 > /f'), lines: 'COPY --from=one /f /f' },
    after: { first: FROM_STAGE('echo 1 > /f; chown 5 /f'), lines: 'COPY --from=one /f /f' },
    ours: 'miss',
    docker: 'miss',
  },
  'the owner of the copied file of a stage below --chown': {
    before: { first: FROM_STAGE('echo 1 > /f'), lines: 'COPY --from=one --chown=7:7 /f /f' },
    after: { first: FROM_STAGE('echo 1 > /f; chown 5 /f'), lines: 'COPY --from=one --chown=7:7 /f /f' },
    ours: 'hit',
    docker: 'miss',
    because: '--chown replaces it; Docker hashes files as they were',
  },
  'the same base, compressed otherwise': {
    before: { base: '@REGISTRY@/busybox:1', lines: 'RUN true' },
    after: { base: '@REGISTRY@/busybox:zstd', lines: 'RUN true' },
    ours: 'hit',
    docker: 'hit',
  },
  'the base image': {
    before: { base: '@REGISTRY@/busybox:1', lines: 'RUN true' },
    after: { base: '@REGISTRY@/rich:1', lines: 'RUN true' },
    ours: 'miss',
    docker: 'miss',
  },
  'a stage in between without files': {
    before: 'RUN true',
    after: { first: 'FROM @BASE@ AS between', base: 'between', lines: 'RUN true' },
    ours: 'hit',
    docker: 'hit',
  },
  // ADD.
  'the content of a download': {
    before: 'ADD @URL@ /d/',
    edit: 'echo new > "$FILE"',
    ours: 'miss',
    docker: 'miss',
  },
  'a checksum that is right': {
    before: 'ADD @URL@ /d/',
    after: 'ADD --checksum=sha256:@DIGEST@ @URL@ /d/',
    ours: 'hit',
    docker: 'hit',
  },
  'the mode of an archive': {
    before: 'ADD t.tar /d/',
    edit: 'chmod 600 t.tar',
    ours: 'hit',
    docker: 'miss',
    because: 'only what is in it is unpacked; Docker hashes the archive as a file',
  },
  'the content of an archive': {
    before: 'ADD t.tar /d/',
    edit: 'mkdir t; echo other > t/in; tar -cf t.tar t; rm -r t',
    ours: 'miss',
    docker: 'miss',
  },
  'that an archive is unpacked': {
    before: 'ADD t.tar /d/',
    after: 'COPY t.tar /d/',
    ours: 'miss',
    docker: 'miss',
  },
  'how a commit is named': {
    before: 'ADD http://@HTTP@/git/refs.git#v1 /r',
    after: 'ADD http://@HTTP@/git/refs.git#refs/tags/v1 /r',
    ours: 'hit',
    docker: 'hit',
  },
  'the directory of a repository': {
    before: 'ADD http://@HTTP@/git/refs.git#v1 /r',
    after: 'ADD http://@HTTP@/git/refs.git#v1:dir /r',
    ours: 'miss',
    docker: 'miss',
  },
  'that .git is kept': {
    before: 'ADD http://@HTTP@/git/refs.git#v1 /r',
    after: 'ADD --keep-git-dir=true http://@HTTP@/git/refs.git#v1 /r',
    ours: 'miss',
    docker: 'miss',
  },
};
