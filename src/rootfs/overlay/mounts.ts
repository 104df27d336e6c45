import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/error.ts';
import { inInitialNamespace } from '../../core/id-map.ts';
import { MS } from '../../sys/constants.ts';
import type { Syscalls } from '../../sys/types.ts';

/** The kernel takes one page of mount options; lower directories beyond it are mounted in groups, two levels in all. */
const MOST_OPTION_BYTES = 4095;
/** Nothing is written to the disk for its own sake: what is left of a build that was interrupted is never used. */
const VOLATILE = ',volatile';
/**
 * Root of a user namespace may not set attributes of the namespace `trusted`; with `userxattr` redirection and metacopy are
 * off and may not be named (kernel, filesystems/overlayfs.rst, and ovl_fs_params_verify).
 */
const OPTIONS = inInitialNamespace()
  ? 'redirect_dir=off,metacopy=off,index=off,xino=off'
  : 'userxattr,index=off,xino=off';

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
  const groups = new Map<string, string>();
  /** More than the other options take for directories below workDir, so that groups do not change with their names. */
  const usual = 2 * (workDir.length + 32) + OPTIONS.length;

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

  /** Linux before 5.10 does not know the option. */
  let isVolatile = true;

  const mountWritable = (options: string, target: string): void => {
    if (isVolatile) {
      try {
        mountOverlay(options + VOLATILE, target, 0);
        return;
      } catch (error) {
        if (((error as AppError).cause as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      }
    }
    mountOverlay(options, target, 0);
    isVolatile = false;
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

  /**
   * Lower directories that fit into the options beside `others`. Groups are cut from the lowest on, so that the stages
   * on top of each other share theirs.
   */
  const fitting = (lowers: readonly string[], others: string): readonly string[] => {
    const room = MOST_OPTION_BYTES - Math.max(others.length, usual);
    if (lowerOption(lowers).length <= room) return lowers;
    const longest = Math.max(...lowers.map((dir) => short(dir).length + 1));
    const size = Math.floor((room - 'lowerdir='.length) / longest);
    const found: string[] = [];
    for (let at = 0; at < lowers.length; at += size) found.push(groupOf(lowers.slice(at, at + size)));
    return found;
  };

  const groupOf = (lowers: readonly string[]): string => {
    if (lowers.length === 1) return lowers[0]!;
    const key = lowers.join(':');
    let target = groups.get(key);
    if (target === undefined) {
      target = makeDir(`x${groups.size}`);
      mountOverlay(`${lowerOption(lowers)},${OPTIONS}`, target, MS.RDONLY);
      groups.set(key, target);
    }
    return target;
  };

  const makeDir = (name: string): string => {
    const dir = join(workDir, name);
    mkdirSync(dir);
    return dir;
  };

  return {
    mountReadOnly: (lowers, target) => {
      const others = `,${OPTIONS}`;
      mountOverlay(lowerOption(fitting(lowers, others)) + others, target, MS.RDONLY);
      return target;
    },
    mount: (lowers, { upper, work }, target) => {
      const others = `,upperdir=${upper},workdir=${work},${OPTIONS}`;
      mountWritable(lowerOption(fitting(lowers, others)) + others, target);
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
