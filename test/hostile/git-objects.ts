import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

/** An entry of a tree object, whose name and mode need not be allowed. */
export interface TreeEntry {
  readonly mode: string;
  readonly name: string | Buffer;
  readonly id: string;
}

/** A bare repository that is written object by object, past everything that git itself would refuse to write. */
export interface RawRepository {
  readonly dir: string;
  blob(content: string | Buffer): string;
  tree(entries: readonly TreeEntry[]): string;
  /** A commit of a tree, as the branch `main`. */
  commit(tree: string): string;
  /** Writes a file of the repository itself. */
  file(path: string, content: string | Buffer): void;
}

/** Makes one. */
export function createRawRepository(dir: string): RawRepository {
  mkdirSync(dir, { recursive: true });
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', dir], {
    env: { PATH: process.env.PATH, HOME: dir, GIT_CONFIG_NOSYSTEM: '1' },
  });
  const object = (type: string, content: Buffer): string => {
    const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
    const id = createHash('sha1').update(bytes).digest('hex');
    mkdirSync(join(dir, 'objects', id.slice(0, 2)), { recursive: true });
    writeFileSync(join(dir, 'objects', id.slice(0, 2), id.slice(2)), deflateSync(bytes));
    return id;
  };
  return {
    dir,
    blob: (content) => object('blob', Buffer.from(content)),
    tree: (entries) =>
      object(
        'tree',
        Buffer.concat(
          entries.flatMap(({ mode, name, id }) => [
            Buffer.from(`${mode} `),
            Buffer.from(name),
            Buffer.alloc(1),
            Buffer.from(id, 'hex'),
          ]),
        ),
      ),
    commit: (tree) => {
      const who = 'T <t@example.org> 1700000000 +0000';
      const id = object('commit', Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nx\n`));
      writeFileSync(join(dir, 'refs/heads/main'), `${id}\n`);
      return id;
    },
    file: (path, content) => {
      mkdirSync(join(dir, path, '..'), { recursive: true });
      writeFileSync(join(dir, path), content);
    },
  };
}
