import { maskUrlCredentials } from '../../core/url-credentials.ts';
import type { Dotfiles } from '../../index.ts';
import type { Options } from '../options/table.ts';

/** The dotfiles that the options ask for. */
export function dotfilesOf(options: Options): Dotfiles | undefined {
  const url = options['dotfiles-url'];
  if (!url) return undefined;
  const installCommand = options['dotfiles-install-command'];
  return {
    repository: maskUrlCredentials(url),
    target: options['dotfiles-target-path'],
    ...(installCommand ? { installCommand } : {}),
  };
}

/** As in @devcontainers/cli: what is neither an address nor a path is `owner/name` on GitHub. */
export function repositoryOf(text: string): string {
  if (text.includes(':') || /^\.{0,2}\//.test(text)) return text;
  const [path, ...fragment] = text.split('#');
  return [`https://github.com/${path}.git`, ...fragment].join('#');
}
