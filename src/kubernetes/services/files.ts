import { isUtf8 } from 'node:buffer';
import { readDefinition } from '../../context/repository.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { quoteWord } from '../../core/shell-words.ts';
import type { Notes } from '../../devcontainer/compose/notes.ts';
import type { ServiceFile } from '../../devcontainer/compose/service-values.ts';
import { metadata, namesOf } from '../common.ts';
import type { ConfigMap, ManifestSettings, PodSpec, ServiceSettings } from '../types.ts';
import { dnsLabel } from './quantities.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type Mapping = Readonly<Record<string, unknown>>;

interface FileRequest extends ServiceFile {
  readonly element: Mapping;
  readonly settings: ManifestSettings;
  readonly services: ServiceSettings;
  readonly notes: Notes;
}

interface FileVolume {
  readonly volume: Volume;
  /** Of the volume: the file. */
  readonly key: string;
  readonly object?: ConfigMap;
}

/** The key in a Secret or a ConfigMap of ours. */
const KEY = 'value';

/** A Secret as a volume. It is never printed: how it is made is noted. */
export function secretOf({ source, mode, element, settings, services, notes }: FileRequest): FileVolume {
  const { external, name, file, environment } = element;
  const secretName =
    external === true ? String(name ?? source) : `${namesOf(settings).workspace}-${dnsLabel(source)}`;
  const from =
    typeof file === 'string'
      ? `--from-file=${KEY}=${quoteWord(relativeTo(services.repository, file))}`
      : `--from-literal=${KEY}="$${String(environment ?? 'VALUE')}"`;
  const text = `the secret ${source} is in no manifest; make it before the pod: kubectl create secret generic ${secretName} ${from}`;
  if (!notes.list().includes(text)) notes.toDo(text);
  const defaultMode = mode === undefined ? {} : { defaultMode: mode };
  return {
    volume: { name: dnsLabel(`secret-${source}`), secret: { secretName, ...defaultMode } },
    key: KEY,
  };
}

/** A ConfigMap as a volume, and the object itself where it is not there already. */
export function configMapOf({ source, mode, element, settings, services }: FileRequest): FileVolume {
  const isExternal = element.external === true;
  const name = isExternal
    ? String(element.name ?? source)
    : `${namesOf(settings).workspace}-${dnsLabel(source)}`;
  const defaultMode = mode === undefined ? {} : { defaultMode: mode };
  const volume: Volume = { name: dnsLabel(`config-${source}`), configMap: { name, ...defaultMode } };
  if (isExternal) return { volume, key: KEY };
  const content = contentOf(source, element, services);
  const data = isUtf8(content)
    ? { data: { [KEY]: content.toString('utf8') } }
    : { binaryData: { [KEY]: content.toString('base64') } };
  return {
    volume,
    key: KEY,
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name, 'workspace', settings), ...data },
  };
}

/** @throws AppError DEVCONTAINER, OUTSIDE */
function contentOf(source: string, element: Mapping, services: ServiceSettings): Buffer {
  const { content, environment, file } = element;
  const where = services.project.whereOf(['configs', source]);
  if (typeof content === 'string') return Buffer.from(content);
  if (typeof environment === 'string') return Buffer.from(services.env[environment] ?? '');
  if (typeof file !== 'string')
    throw new AppError('DEVCONTAINER', `the config ${source} has neither file nor content`, { where });
  try {
    return readDefinition(file, services.roots, { property: `configs.${source}`, where, by: 'definition' });
  } catch (error) {
    throw toAppError(error, 'DEVCONTAINER', `cannot read the config ${file}`, { where });
  }
}

function relativeTo(folder: string, file: string): string {
  return file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file;
}
