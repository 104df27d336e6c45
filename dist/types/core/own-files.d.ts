/**
 * Scripts that run in a thread or a process of their own, and where their sources lie. In the bundle of the runtime image
 * each of them is one file, all of them beside the bundle's other files.
 */
export declare const ENTRY_POINTS: {
    readonly 'compress-worker': 'src/layer/compress-worker.ts';
    readonly 'extract-worker': 'src/rootfs/extract/worker.ts';
    readonly 'password-worker': 'src/registry/password-worker.ts';
    readonly 'run-helper': 'src/sys/run-helper.ts';
    readonly 'run-as-init': 'src/sys/run-as-init.ts';
    readonly 'signal-watch': 'src/sys/signal-watch.ts';
    readonly sweep: 'src/builder/work-dir/sweep.ts';
};
export type EntryPoint = keyof typeof ENTRY_POINTS;
/** Programs that the runtime image brings along. */
export type OwnProgram = 'bzip2' | 'git' | 'sh' | 'ssh' | 'ssh-add' | 'ssh-agent' | 'ssh-keygen' | 'xz';
/** The script of a thread or process, whether we run from sources or from the bundle. */
export declare function entryPoint(name: EntryPoint): URL;
/**
 * The environment of our own threads and child processes: nothing, but where Node keeps what our sources compile to.
 * Without it each of them takes 50 ms of processor time more from sources; the bundle needs none.
 */
export declare function ownEnvironment(): Record<string, string>;
/** Our package.json. */
export declare function packageFile(): URL;
/** The directory of the runtime image that holds all that is ours; undefined when we run from sources. */
export declare function ownDirectory(): string | undefined;
/**
 * What to start a program with: its absolute path in the runtime image, where PATH does not lead to it, else its bare
 * name. git finds ssh and the others by itself.
 */
export declare function ownProgram(name: OwnProgram): string;
