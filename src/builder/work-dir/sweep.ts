/*
 * Deletes what builds that have ended left in a directory, as a process of its own.
 * Usage: sweep DIRECTORY
 */
import { once } from '../../core/concurrency.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { removeDeadBuilds } from './dead-builds.ts';

const [, , parent] = process.argv;
if (parent !== undefined) removeDeadBuilds(parent, once(createSyscalls));
