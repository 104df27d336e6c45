import type { DescribedDockerfile, Outline, OutlineMount } from '../../index.ts';
import { base64, columns, location } from './locations.ts';

/** What a target takes, in the shape of BuildKit's `frontend.outline`; empty lists are left out. */
export function outlineJson({ content, described }: DescribedDockerfile<Outline>): object {
  const { name, description, args, secrets, ssh } = described;
  const some = (key: string, list: readonly object[]): object => (list.length === 0 ? {} : { [key]: list });
  const mounts = (list: readonly OutlineMount[]): readonly object[] =>
    list.map((mount) => ({
      name: mount.name,
      ...(mount.required ? { required: true } : {}),
      location: location(mount.range),
    }));
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...some(
      'args',
      args.map(({ range, ...arg }) => ({ ...arg, location: location(range) })),
    ),
    ...some('secrets', mounts(secrets)),
    ...some('ssh', mounts(ssh)),
    sources: [base64(content)],
  };
}

/** What a target takes, as tables. */
export function outlineText({ name, description, args, secrets, ssh }: Outline): string {
  const parts: string[] = [];
  if (name !== undefined) {
    const about = description === undefined ? [] : [['DESCRIPTION:', description]];
    parts.push(columns([['TARGET:', name], ...about], 1));
  }
  if (args.length > 0) {
    const rows = args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']);
    parts.push(columns([['BUILD ARG', 'VALUE', 'DESCRIPTION'], ...rows]));
  }
  for (const [title, list] of [
    ['SECRET', secrets],
    ['SSH', ssh],
  ] as const) {
    if (list.length === 0) continue;
    const rows = list.map((mount) => [mount.name, mount.required ? 'true' : '']);
    parts.push(columns([[title, 'REQUIRED'], ...rows]));
  }
  return parts.join('\n');
}
