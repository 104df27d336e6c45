/*
 * Room for what is yet to be written. Holes of sparse files take none, but whoever reads them takes the time of as many zeros,
 * and so do all who hash, pack or copy them. So they count as if they were written: more of them than could be is refused
 * before any is read.
 */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../core/error.ts';
import { fsPath } from '../core/path-bytes.ts';
import { formatBytes } from '../core/units.ts';
import { type HoleCalls, holesOf } from './holes.ts';

/** Bytes of a disk. */
export interface Disk {
  /** Infinity where the file system does not tell. */
  readonly size: number;
  readonly free: number;
}

const UNKNOWN: Disk = { size: Infinity, free: Infinity };

/** The disk of a path, or of what is to be made there. */
export function diskOf(path: string): Disk {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bavail, blocks, bsize } = statfsSync(fsPath(at));
      return blocks > 0 ? { size: blocks * bsize, free: bavail * bsize } : UNKNOWN;
    } catch {
      // It is not there yet.
      if (at === dirname(at)) return UNKNOWN;
    }
  }
}

/** With less, hardly anything can be written. */
const FULL = 1024 * 1024;

/** Whether the disk of a path is full. */
export function isFull(path: string): boolean {
  return diskOf(path).free < FULL;
}

/**
 * A function that takes account of one file of an archive after the other, before its content is read.
 * @param what names the archive in errors
 * @param disk where its files are written, which has had room for what was written of them so far
 * @throws AppError DISK_FULL once the holes of all files so far, and this file, have no room; CORRUPT where the whole disk
 * could not hold them: nobody has made it of files that were there, and in a cache it is a layer to be left out
 */
export function createHoleCount(
  what: string,
  disk: string,
): (file: { readonly path: string; readonly size: number; readonly holes: number }) => void {
  let sum = 0;
  return ({ path, size, holes }) => {
    if (holes === 0) return;
    sum += holes;
    const bytes = sum + size - holes;
    const { size: most, free } = diskOf(disk);
    if (bytes <= free) return;
    if (bytes > most)
      throw new AppError(
        'CORRUPT',
        `the sparse files of ${what}, of which "${path}" is one, are larger than the disk`,
      );
    throw noRoom(`${what}: "${path}" is one, and with it they have ${formatBytes(bytes)}`, free);
  };
}

/** A file that may have holes. */
export interface HoledFile {
  /** For messages. */
  readonly path: string;
  readonly size: number;
  /** A descriptor to read from, which is closed. */
  readonly open: () => number;
}

export interface HoledFilesOptions {
  /** Names them together, in errors. */
  readonly what: string;
  /** Where they are written to, or would be. */
  readonly disk: string;
  readonly syscalls: HoleCalls;
}

/**
 * Whether so many bytes have room even if all of them were holes; then nobody need look for any.
 * @param disk as HoledFilesOptions
 */
export function hasRoomForAll(sizes: number, disk: string): boolean {
  return sizes <= diskOf(disk).free;
}

/**
 * Looks for the holes of files, and opens those that may have some.
 * @throws AppError DISK_FULL when all holes together have no room
 */
export function checkHoles(files: Iterable<HoledFile>, { what, disk, syscalls }: HoledFilesOptions): void {
  const { free } = diskOf(disk);
  let sum = 0;
  let largest = { path: '', size: 0, holes: 0 };
  for (const { path, size, open } of files) {
    const holes = holesOf(open(), size, syscalls);
    sum += holes;
    if (holes > largest.holes) largest = { path, size, holes };
    if (sum <= free) continue;
    const named = `${what}: "${largest.path}" has ${formatBytes(largest.size)}, ${formatBytes(largest.holes)} of them holes`;
    throw noRoom(named, free);
  }
}

function noRoom(text: string, free: number): AppError {
  return new AppError(
    'DISK_FULL',
    `there is no room for the sparse files of ${text}; ${formatBytes(free)} are free`,
    {
      hint: 'holes count as if they were written: leave the file out, make it smaller, or take a larger disk (--work-dir)',
    },
  );
}
