import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** What the script of the command line stands in: a function, as Node makes one of a CommonJS module, but strict as modules are. */
export const PROGRAM_URL = '__programUrl';
export const PROGRAM_HEAD = `(function(exports,require,module,${PROGRAM_URL}){'use strict';`;
export const PROGRAM_FOOT = '})';

/** The script of the command line, compiled; each call of `run` is a command of its own, with process.argv. */
export interface Program {
  readonly script: Script;
  /** Whether its compiled code came from the file beside it. */
  readonly cached: boolean;
  /** @returns what the script exports */
  run(load?: NodeJS.Require): unknown;
}

type Module = (exports: object, load: NodeJS.Require, module: { exports: object }, url: string) => void;

/** Bytes before the compiled code: its checksum, which V8 does not check, and room, as V8 wants it aligned. */
const HEAD = 8;

/**
 * Compiles the script `name` of a bundle, or takes its compiled code from the file beside it. That counts only where it is
 * whole and was made by this very Node with these flags; a file that is not there or of no use costs time and nothing else.
 * @param shown the path that stacks show; compiled code holds it
 */
export function loadProgram(dir: string, name: string, shown = join(dir, name)): Program {
  const filename = join(dir, name);
  const cachedData = readCode(codeFile(filename));
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename: shown,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  return {
    script,
    cached: script.cachedDataRejected === false,
    run: (load = createRequire(filename)) => {
      const module = { exports: {} };
      const body = script.runInThisContext() as Module;
      body(module.exports, load, module, pathToFileURL(filename).href);
      return module.exports;
    },
  };
}

/** Where the compiled code of a script lies. */
export function codeFile(script: string): string {
  return script.replace(/\.cjs$/, '.code');
}

/** Compiled code as the file beside a script holds it. */
export function packCode(code: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(crc32(code));
  return Buffer.concat([head, code]);
}

function readCode(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(HEAD);
    return code.length > 0 && crc32(code) === bytes.readUInt32LE() ? code : undefined;
  } catch {
    return undefined;
  }
}
