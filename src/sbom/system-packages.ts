import { lines, oneLine, paragraphs } from './text.ts';
import type { Distribution, Package } from './types.ts';

/** States of dpkg in which nothing but settings is left of a package (dpkg(1)). */
const GONE: ReadonlySet<string | undefined> = new Set(['not-installed', 'config-files']);

/** The packages of dpkg's `status`, or of one file of `status.d`, which has no state. */
export function readDpkg(text: string): Package[] {
  const found: Package[] = [];
  for (const fields of paragraphs(text)) {
    if (fields.has('status') && GONE.has(fields.get('status')!.split(/\s+/)[2])) continue;
    const [name, version] = [oneLine(fields.get('package')), oneLine(fields.get('version'))];
    if (name === undefined || version === undefined) continue;
    // `Source: name (version)` where the version is another one.
    const [, source, sourceVersion] = /^([^\s(]+)(?:\s*\(([^)]*)\))?/.exec(fields.get('source') ?? '') ?? [];
    found.push({
      ecosystem: 'deb',
      name,
      version,
      ...textOf('arch', fields.get('architecture')),
      ...textOf('upstream', sourceVersion ? `${source}@${sourceVersion}` : source),
      ...textOf('maintainer', fields.get('maintainer')),
      ...textOf('homepage', fields.get('homepage')),
    });
  }
  return found;
}

/** The packages of apk's `installed` (Alpine's wiki, "Apk spec"): a letter, a colon, and the value. */
export function readApk(text: string): Package[] {
  const found: Package[] = [];
  let fields = new Map<string, string>();
  const end = (): void => {
    const [name, version] = [oneLine(fields.get('P')), oneLine(fields.get('V'))];
    if (name !== undefined && version !== undefined)
      found.push({
        ecosystem: 'apk',
        name,
        version,
        ...textOf('arch', fields.get('A')),
        ...textOf('upstream', fields.get('o')),
        ...textOf('license', fields.get('L')),
        ...textOf('maintainer', fields.get('m')),
        ...textOf('homepage', fields.get('U')),
      });
    fields = new Map();
  };
  for (const line of lines(text)) {
    if (line === '') end();
    else if (line[1] === ':') fields.set(line[0]!, line.slice(2));
  }
  end();
  return found;
}

/** What os-release(5) says; undefined without an ID. */
export function readOsRelease(text: string): Distribution | undefined {
  const fields = new Map<string, string>();
  for (const line of lines(text)) {
    const [, name, value] = /^\s*([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) fields.set(name, value!.trim().replace(/^(['"])(.*)\1$/, '$2'));
  }
  const id = oneLine(fields.get('ID'));
  return id === undefined ? undefined : { id, ...textOf('version', fields.get('VERSION_ID')) };
}

/** A field with a text, or none. */
export function textOf<Name extends string>(name: Name, value: unknown): { readonly [key in Name]?: string } {
  const text = oneLine(value);
  return text === undefined ? {} : ({ [name]: text } as { readonly [key in Name]: string });
}
