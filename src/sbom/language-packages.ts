import { textOf } from './system-packages.ts';
import { oneLine, paragraphs } from './text.ts';
import type { Package } from './types.ts';

/** The package of Python's METADATA or PKG-INFO (packaging.python.org, "Core metadata"). */
export function readPython(text: string): Package[] {
  // The description may follow, as long as it likes.
  const [fields] = paragraphs(text);
  const [name, version] = [oneLine(fields?.get('name')), oneLine(fields?.get('version'))];
  if (!fields || name === undefined || version === undefined) return [];
  // The older field may hold the whole text of a licence.
  const older = fields.get('license');
  const license = fields.get('license-expression') ?? (older?.includes('\n') ? undefined : older);
  const maintainer =
    fields.get('author-email')?.includes('<') === true ? fields.get('author-email') : fields.get('author');
  return [
    {
      ecosystem: 'pypi',
      name,
      version,
      ...textOf('license', license === 'UNKNOWN' ? undefined : license),
      ...textOf('maintainer', maintainer === 'UNKNOWN' ? undefined : maintainer),
      ...textOf('homepage', fields.get('home-page')),
    },
  ];
}

/** The package of a package.json, if it has a name and a version. @throws SyntaxError for what is no JSON */
export function readNpm(text: string): Package[] {
  const document: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (document === null || typeof document !== 'object') return [];
  const fields = document as Readonly<Record<string, unknown>>;
  const [name, version] = [oneLine(fields.name), oneLine(fields.version)];
  if (name === undefined || version === undefined) return [];
  return [
    {
      ecosystem: 'npm',
      name,
      version,
      ...textOf('license', npmLicense(fields.license ?? fields.licenses)),
      ...textOf('maintainer', npmPerson(fields.author)),
      ...textOf('homepage', fields.homepage),
    },
  ];
}

/** A text, and in old packages `{ type }` or a list of these, of which any may be chosen. */
function npmLicense(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const all = value.map(npmLicense).filter((one) => one !== undefined);
    return all.length > 1 ? `(${all.join(' OR ')})` : all[0];
  }
  const type = fieldOf(value, 'type');
  return typeof type === 'string' ? type : undefined;
}

/** `Name <address> (page)`, or these as fields. */
function npmPerson(value: unknown): string | undefined {
  if (typeof value === 'string') return value.replace(/\s*\([^)]*\)\s*$/, '');
  const [name, email] = [fieldOf(value, 'name'), fieldOf(value, 'email')];
  if (typeof name !== 'string') return undefined;
  return typeof email === 'string' ? `${name} <${email}>` : name;
}

function fieldOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object'
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
