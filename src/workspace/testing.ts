import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Event } from '../core/events.ts';
import type { CloneRequest, WorkspaceDeps } from './types.ts';

/** A repository to clone from, in a directory. */
export interface TestRepository {
  readonly path: string;
  git(...args: string[]): string;
  /** Writes files, commits them, and gives the commit. */
  commit(files: Readonly<Record<string, string | Buffer>>): string;
}

/** A new repository with the branch `trunk`, and nothing in it. */
export function createRepository(path: string): TestRepository {
  mkdirSync(path, { recursive: true });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'protocol.file.allow=always', ...args], {
      cwd: path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: path,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'T',
        GIT_AUTHOR_EMAIL: 't@example.org',
        GIT_COMMITTER_NAME: 'T',
        GIT_COMMITTER_EMAIL: 't@example.org',
      },
    }).trim();
  git('init', '-q', '-b', 'trunk');
  return {
    path,
    git,
    commit: (files) => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(path, name)), { recursive: true });
        writeFileSync(join(path, name), content);
      }
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', 'change');
      return git('rev-parse', 'HEAD');
    },
  };
}

/** A request for a URL with nothing else set. */
export function cloneRequest(url: string, more: Partial<CloneRequest> = {}): CloneRequest {
  return {
    url,
    singleBranch: false,
    credentials: { sshKnownHosts: [] },
    network: { insecure: false, proxy: {} },
    git: { file: 'git', path: process.env.PATH ?? '' },
    ...more,
  };
}

/** Dependencies that record what is emitted and what is declared secret. */
export function recordingDeps(signal: AbortSignal = new AbortController().signal): WorkspaceDeps & {
  readonly events: Event[];
  readonly secrets: string[];
} {
  const events: Event[] = [];
  const secrets: string[] = [];
  return {
    events,
    secrets,
    emit: (event) => events.push(event),
    addSecret: (secret) => secrets.push(secret),
    signal,
  };
}
