import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../core/error.ts';
import { MS } from '../sys/constants.ts';
import type { Syscalls } from '../sys/types.ts';

/** The kernel takes one page of mount options; lower directories beyond it are stacked in two levels. */
const MOST_OPTION_BYTES = 4000;
const OPTIONS = 'redirect_dir=off,metacopy=off,index=off,xino=off';

/** Overlay mounts below one directory, remembered so that none is left behind. */
export interface OverlayMounts {
  /** @param lowers lowest first */
  mount(
    lowers: readonly string[],
    top: { readonly upper: string; readonly work: string },
    target: string,
  ): void;
  /** Gives `target`. */
  mountReadOnly(lowers: readonly string[], target: string): string;
  unmount(target: string): void;
  unmountAll(flags: number): void;
}

/** @param workDir an existing directory for links and intermediate mount points; its path should be short */
export function createOverlayMounts(
  syscalls: Pick<Syscalls, 'mount' | 'umount'>,
  workDir: string,
): OverlayMounts {
  const mounted: string[] = [];
  const links = new Map<string, string>();
  let count = 0;

  /** A short symlink for a directory: option space is scarce. */
  const short = (dir: string): string => {
    let link = links.get(dir);
    if (link === undefined) {
      link = join(workDir, `l${links.size}`);
      symlinkSync(dir, link);
      links.set(dir, link);
    }
    return link;
  };

  const mountOverlay = (options: string, target: string, flags: number): void => {
    try {
      syscalls.mount('overlay', target, 'overlay', flags, options);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new AppError('PERMISSION', `cannot mount an overlay on ${target}: ${(error as Error).message}`, {
        cause: error,
        hint:
          code === 'EINVAL'
            ? 'the working directory may itself lie on an overlay; name one on a disk or a tmpfs with --work-dir'
            : 'run as root with CAP_SYS_ADMIN, on a kernel with overlayfs',
      });
    }
    mounted.push(target);
  };

  const lowerOption = (lowers: readonly string[]): string =>
    `lowerdir=${lowers
      .toReversed()
      .map((dir) => short(dir))
      .join(':')}`;

  /** Lower directories that fit into the options, the lowest ones mounted together as one where needed. */
  const fitting = (lowers: readonly string[]): readonly string[] => {
    if (lowerOption(lowers).length < MOST_OPTION_BYTES) return lowers;
    const half = Math.ceil(lowers.length / 2);
    return [mountReadOnly(lowers.slice(0, half), makeDir(`x${count++}`)), ...lowers.slice(half)];
  };

  const makeDir = (name: string): string => {
    const dir = join(workDir, name);
    mkdirSync(dir);
    return dir;
  };

  const mountReadOnly = (lowers: readonly string[], target: string): string => {
    mountOverlay(`${lowerOption(fitting(lowers))},${OPTIONS}`, target, MS.RDONLY);
    return target;
  };

  return {
    mountReadOnly,
    mount: (lowers, { upper, work }, target) => {
      mountOverlay(`${lowerOption(fitting(lowers))},upperdir=${upper},workdir=${work},${OPTIONS}`, target, 0);
    },
    unmount: (target) => {
      syscalls.umount(target);
      mounted.splice(mounted.indexOf(target), 1);
    },
    unmountAll: (flags) => {
      for (const target of mounted.splice(0).toReversed()) syscalls.umount(target, flags);
    },
  };
}
