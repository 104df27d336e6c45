import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { run } from './shell.ts';

export interface HttpFixtures {
  /** `127.0.0.1:port`: files under `/files/`, git repositories under `/git/<name>.git`. */
  readonly host: string;
  /** Directory whose files are served under `/files/`; tests may add to it. */
  readonly files: string;
}

const fixedTime = new Date('2023-05-06T07:08:09Z');

/** Serves files and git repositories (git's own smart protocol) for ADD, on a free port of 127.0.0.1. */
export async function startHttpFixtures(
  dir: string,
): Promise<{ readonly http: HttpFixtures; readonly stop: () => Promise<void> }> {
  const files = join(dir, 'files');
  const repositories = join(dir, 'git');
  mkdirSync(files, { recursive: true });
  mkdirSync(repositories, { recursive: true });
  await makeFiles(files);
  const server = createServer((request, response) => answer(files, repositories, request, response));
  const host = await listen(server);
  await makeRepositories(repositories, `http://${host}/git`);
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { http: { host, files }, stop };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

async function makeFiles(dir: string): Promise<void> {
  writeFileSync(join(dir, 'hello.txt'), 'hello over http\n');
  writeFileSync(join(dir, 'tool.sh'), '#!/bin/sh\necho tool\n');
  await run('/bin/sh', ['-c', 'mkdir t && echo in > t/inside && tar -czf archive.tar.gz t && rm -r t'], {
    cwd: dir,
  });
  await run('/bin/sh', ['-c', 'touch -d 2023-05-06T07:08:09Z *'], { cwd: dir });
}

/** `repo.git`: branches main and other, tag v1, a sub-directory, a symlink, an executable, and a submodule `sub`; `refs.git`: the same without it. */
async function makeRepositories(dir: string, base: string): Promise<void> {
  const script = `
set -e
git init -q -b main work-sub; cd work-sub; echo sub > sub.txt; git add .; git commit -q -m sub; cd ..
git clone -q --bare work-sub sub.git
git init -q -b main work; cd work
mkdir -p dir/deep; echo readme > README; echo deep > dir/deep/file; printf '#!/bin/sh\\n' > run.sh; chmod 755 run.sh
ln -s README link; git add .; git commit -q -m first; git tag v1
git checkout -q -b other; echo other > other.txt; git add .; git commit -q -m other; git checkout -q main
git clone -q --bare . ../refs.git
git submodule --quiet add '${base}/sub.git' sub; echo second > second; git add .; git commit -q -m second; cd ..
git clone -q --bare work repo.git
git init -q --object-format=sha256 -b main work-256; cd work-256; echo long > long.txt; git add .; git commit -q -m long; cd ..
git clone -q --bare work-256 sha256.git
for r in repo refs sub sha256; do git -C $r.git config uploadpack.allowAnySHA1InWant true; done
rm -rf work work-sub`;
  const when = '2023-05-06T07:08:09Z';
  await run('/bin/sh', ['-c', script], {
    cwd: dir,
    env: {
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_AUTHOR_DATE: when,
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@example.org',
      GIT_COMMITTER_DATE: when,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    },
  });
}

function answer(
  files: string,
  repositories: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname.startsWith('/git/')) {
    gitBackend(repositories, url, request, response);
    return;
  }
  const path = url.pathname === '/' ? '/files/hello.txt' : normalize(decodeURIComponent(url.pathname));
  const file = join(files, path.replace(/^\/files\//, ''));
  try {
    if (!path.startsWith('/files/') || !statSync(file).isFile()) throw new Error('not a file');
  } catch {
    response.writeHead(404).end('not found\n');
    return;
  }
  const body = readFileSync(file);
  const etag = `"${file.length}-${body.length}-${statSync(file).mtimeMs}"`;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  response.writeHead(200, {
    'content-length': body.length,
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment; filename="named-by-the-server"',
    'last-modified': fixedTime.toUTCString(),
    etag,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** The CGI program `git http-backend`, called as RFC 3875 says. */
function gitBackend(root: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname.slice('/git'.length)),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('error', () => response.writeHead(500).end());
  child.on('close', () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf('\r\n\r\n');
    const headers = all.subarray(0, Math.max(end, 0)).toString().split('\r\n');
    let status = 200;
    for (const line of headers) {
      const colon = line.indexOf(':');
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else if (colon > 0) response.setHeader(name, value);
    }
    response.writeHead(status).end(all.subarray(end + 4));
  });
}
