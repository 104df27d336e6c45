// Plain JavaScript, so that Node need not load its TypeScript compiler for it: that alone takes longer than the rest of a
// start. What main.ts and the modules behind it compile to is kept in the user's cache directory after the first run.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname } from 'node:path';

if (['version', '--version'].includes(process.argv[2] ?? '')) {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`envbuilder ${version}\n`);
} else {
  const { HOME, XDG_CACHE_HOME, ENVBUILDER_GET_CACHED_IMAGE } = process.env;
  const base = XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : HOME && `${HOME}/.cache`;
  // The probe of a starting container changes nothing on its file system.
  const directory = `${base}/envbuilder/node-compile`;
  if (base && !ENVBUILDER_GET_CACHED_IMAGE && made(directory)) enableCompileCache(directory);
  await (await import('./main.ts')).ended;
}

/** Whether a directory is there, or could be made; Node does not end where the kernel makes none, as below /proc. */
function made(path) {
  try {
    if (!existsSync(path) && made(dirname(path))) mkdirSync(path);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
