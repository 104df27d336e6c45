/*
 * What lstat tells of a path, as a row of 32-bit words, so that trees of many paths are compared and kept without an object
 * for each of them. Times of access are left out. Numbers of 64 bits begin with their lower word; times are such a number
 * of seconds and a word of nanoseconds.
 */

import type { BigIntStats } from 'node:fs';
import { decodePath } from '../core/path-bytes.ts';
import { S_IF } from './constants.ts';
import { deviceNumbers, splitTime } from './file-stat.ts';

/** Where a fact begins in a row. `dev` and `rdev` are twelve bits of a major and twenty of a minor number. */
export const FACT = {
  mode: 0,
  nlink: 1,
  uid: 2,
  gid: 3,
  rdev: 4,
  dev: 5,
  ino: 6,
  size: 8,
  mtime: 10,
  ctime: 13,
  birth: 16,
} as const;

/** Words of a row. */
export const FACT_WORDS = 19;

/** Words that say of a file which one it is, and in which state: dev, ino, size, mtime and ctime, which begin at FACT.dev. */
export const STATE_WORDS = FACT.birth - FACT.dev;

const WORD = 2 ** 32;

/** One row. */
export type PathFacts = Uint32Array;

/** What node:fs says of a path, as a row. */
export function factsOf(stat: BigIntStats): PathFacts {
  const facts = new Uint32Array(FACT_WORDS);
  facts[FACT.mode] = Number(stat.mode);
  facts[FACT.nlink] = Number(stat.nlink);
  facts[FACT.uid] = Number(stat.uid);
  facts[FACT.gid] = Number(stat.gid);
  facts[FACT.rdev] = kernelDevice(stat.rdev);
  facts[FACT.dev] = kernelDevice(stat.dev);
  facts[FACT.ino] = Number(stat.ino & 0xffffffffn);
  facts[FACT.ino + 1] = Number(stat.ino >> 32n);
  facts[FACT.size] = Number(stat.size & 0xffffffffn);
  facts[FACT.size + 1] = Number(stat.size >> 32n);
  setTime(facts, 'mtime', stat.mtimeNs);
  setTime(facts, 'ctime', stat.ctimeNs);
  setTime(facts, 'birth', stat.birthtimeNs);
  return facts;
}

function kernelDevice(device: bigint): number {
  const { major, minor } = deviceNumbers(device);
  return major * 2 ** 20 + minor;
}

/** The row at an index of many. */
export function rowAt(rows: Uint32Array, index: number): PathFacts {
  return rows.subarray(index * FACT_WORDS, (index + 1) * FACT_WORDS);
}

/** Whether the row at an index is of a directory. */
export function isDirectoryAt(rows: Uint32Array, index: number): boolean {
  return (rows[index * FACT_WORDS + FACT.mode]! & S_IF.MT) === S_IF.DIR;
}

/** Whether facts are of a directory. */
export function isDirectory(facts: PathFacts): boolean {
  return isDirectoryAt(facts, 0);
}

/** Whether facts are of a regular file. */
export function isFile(facts: PathFacts): boolean {
  return (facts[FACT.mode]! & S_IF.MT) === S_IF.REG;
}

/** Whether facts are of a symlink. */
export function isSymlink(facts: PathFacts): boolean {
  return (facts[FACT.mode]! & S_IF.MT) === S_IF.LNK;
}

/** Whether facts are of a socket, which no layer holds. */
export function isSocket(facts: PathFacts): boolean {
  return (facts[FACT.mode]! & S_IF.MT) === S_IF.SOCK;
}

/** Size in bytes. */
export function sizeOf(facts: PathFacts): number {
  return facts[FACT.size]! + facts[FACT.size + 1]! * WORD;
}

/** Whether some facts in a row are equal in both: `words` of them from `fact` on. */
export function sameWords(a: PathFacts, b: PathFacts, fact: number, words: number): boolean {
  for (let at = fact; at < fact + words; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/** The number of the inode. */
export function inodeNumber(facts: PathFacts): bigint {
  return (BigInt(facts[FACT.ino + 1]!) << 32n) | BigInt(facts[FACT.ino]!);
}

/** Names the inode, as long as it exists. */
export function inodeOf(facts: PathFacts): string {
  return `${facts[FACT.dev]}:${facts[FACT.ino]}:${facts[FACT.ino + 1]}`;
}

/** The same file and not a later one: inode numbers are used again, times of birth are not. */
export function sameInode(a: PathFacts, b: PathFacts): boolean {
  return sameWords(a, b, FACT.dev, 3) && sameWords(a, b, FACT.birth, 3);
}

/** Writes a time in nanoseconds since the epoch into a row. */
export function setTime(facts: PathFacts, fact: 'ctime' | 'mtime' | 'birth', time: bigint): void {
  const { seconds, nanoseconds } = splitTime(time);
  const words = BigInt.asUintN(64, seconds);
  facts[FACT[fact]] = Number(words & 0xffffffffn);
  facts[FACT[fact] + 1] = Number(words >> 32n);
  facts[FACT[fact] + 2] = Number(nanoseconds);
}

/** The whole seconds of a time of a row since the epoch. */
export function secondsOf(facts: PathFacts, fact: 'ctime' | 'mtime'): number {
  return facts[FACT[fact]]! + (facts[FACT[fact] + 1]! | 0) * WORD;
}

/** A time of a row in nanoseconds since the epoch. */
export function timeOf(facts: PathFacts, fact: 'ctime' | 'mtime'): bigint {
  const at = FACT[fact];
  const seconds = BigInt.asIntN(64, (BigInt(facts[at + 1]!) << 32n) | BigInt(facts[at]!));
  return seconds * 1_000_000_000n + BigInt(facts[at + 2]!);
}

/** Calls back for each name of a listing, with its index. */
export function forEachName(names: Buffer, visit: (name: string, index: number) => void): void {
  for (let at = 0, index = 0; at < names.length; index += 1) {
    const end = names.indexOf(0, at);
    visit(decodePath(names.subarray(at, end)), index);
    at = end + 1;
  }
}

/** Calls back for each directory of a listing, with its name and its index among all names. */
export function forEachDirectory(
  names: Buffer,
  rows: Uint32Array,
  visit: (name: string, index: number) => void,
): void {
  const count = rows.length / FACT_WORDS;
  let left = 0;
  for (let index = 0; index < count; index += 1) if (isDirectoryAt(rows, index)) left += 1;
  for (let at = 0, index = 0; left > 0; index += 1) {
    const end = names.indexOf(0, at);
    if (isDirectoryAt(rows, index)) {
      visit(decodePath(names.subarray(at, end)), index);
      left -= 1;
    }
    at = end + 1;
  }
}
