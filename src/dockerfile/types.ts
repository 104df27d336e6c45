import type { SourceRange } from '../core/error.ts';
import type { LintOptions } from './lint/options.ts';

/**
 * A here-document attached to an instruction (Dockerfile reference, "Here-Documents"). In COPY and ADD the content of one
 * with `expand` goes through expandHeredoc (expand.ts); in RUN the shell expands it.
 */
export interface Heredoc {
  /** The word after `<<`, without quotes: `EOF`. */
  readonly name: string;
  /** Lines with their ends as they stand in the file, the final one included; tabs stripped for `<<-`. */
  readonly content: string;
  /** False when the name was quoted: the content is then taken literally. */
  readonly expand: boolean;
  readonly chomp: boolean;
  /** The number before `<<`, 0 when there is none. */
  readonly fd: number;
  /** The lines behind the instruction, the terminator included. */
  readonly range: SourceRange;
}

interface Node {
  /** The whole instruction with its continuation lines and heredocs. */
  readonly range: SourceRange;
  /** The instruction as one line for people and history: continuations joined, heredocs as written. */
  readonly text: string;
}

/** A flag as given, quotes removed and unexpanded; `range` points at it for errors. */
export interface Flag {
  readonly name: string;
  readonly value: string;
  readonly range: SourceRange;
}

/** A command in shell form or exec form. Never expanded by the builder: the shell does that at run time. */
export type Command =
  | { readonly form: 'shell'; readonly line: string }
  | { readonly form: 'exec'; readonly argv: readonly string[] };

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/**
 * `RUN --mount=…`, checked for shape by the parser. Values may hold variables: before use, pass the mount through
 * expandMount (mount.ts), which also fills in numbers and booleans that were variables. `from` is final.
 */
export interface MountSpec {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly source?: string;
  readonly target?: string;
  readonly from?: string;
  readonly id?: string;
  readonly readonly: boolean;
  readonly sharing?: 'shared' | 'private' | 'locked';
  readonly required: boolean;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** tmpfs size in bytes. */
  readonly size?: number;
  /** For secrets: the environment variable to set. */
  readonly env?: string;
  /** The flag's value as written. */
  readonly text: string;
  readonly range: SourceRange;
}

/** `RUN --device=…`: a device that the machine describes (Container Device Interface). */
export interface DeviceRequest {
  /** `vendor.com/class=name`, `vendor.com/class`, `vendor.com/class=*`, or a class. */
  readonly name: string;
  readonly required: boolean;
  readonly range: SourceRange;
}

/** `image` and `platform` go through expandWord with the global ARGs; `name` is final and in lower case. */
export interface FromInstruction extends Node {
  readonly kind: 'from';
  readonly image: string;
  readonly platform?: string;
  readonly name?: string;
}
/** Each `value` goes through expandWord, after the ARGs before it; `key` is final. */
export interface ArgInstruction extends Node {
  readonly kind: 'arg';
  readonly args: readonly { readonly key: string; readonly value?: string }[];
}
/** `key` and `value` of every pair go through expandWord, all of them with the variables from before the instruction. */
export interface EnvInstruction extends Node {
  readonly kind: 'env';
  readonly pairs: readonly KeyValue[];
}
/** As ENV: `key` and `value` of every pair go through expandWord. */
export interface LabelInstruction extends Node {
  readonly kind: 'label';
  readonly pairs: readonly KeyValue[];
}
/** All final but the mounts. `command.line` holds the heredocs' starts (`cat <<EOF`), not their content. */
export interface RunInstruction extends Node {
  readonly kind: 'run';
  readonly command: Command;
  readonly heredocs: readonly Heredoc[];
  readonly mounts: readonly MountSpec[];
  readonly devices?: readonly DeviceRequest[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
}
/**
 * `sources`, `destination`, `chown` and `chmod` each go through expandWord (never split); `from` and `excludes` are final.
 * `heredocs` are sources too, left out of `sources`.
 */
export interface CopyInstruction extends Node {
  readonly kind: 'copy';
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
  readonly from?: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
}
/** As COPY; `checksum` goes through expandWord too. */
export interface AddInstruction extends Node {
  readonly kind: 'add';
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly excludes: readonly string[];
  readonly checksum?: string;
  /** Left out where it is not given. */
  readonly keepGitDir?: boolean;
  /** undefined: the default (local archives are unpacked, downloads are not). */
  readonly unpack?: boolean;
}
/** `path` goes through expandWord. */
export interface WorkdirInstruction extends Node {
  readonly kind: 'workdir';
  readonly path: string;
}
/** `user` goes through expandWord. */
export interface UserInstruction extends Node {
  readonly kind: 'user';
  readonly user: string;
}
export interface ShellInstruction extends Node {
  readonly kind: 'shell';
  readonly argv: readonly string[];
}
export interface CmdInstruction extends Node {
  readonly kind: 'cmd';
  readonly command: Command;
}
export interface EntrypointInstruction extends Node {
  readonly kind: 'entrypoint';
  readonly command: Command;
}
/** Every port goes through expandWords: a variable may hold several. */
export interface ExposeInstruction extends Node {
  readonly kind: 'expose';
  readonly ports: readonly string[];
}
/** Every path goes through expandWord. */
export interface VolumeInstruction extends Node {
  readonly kind: 'volume';
  readonly paths: readonly string[];
}
/** `signal` goes through expandWord. */
export interface StopsignalInstruction extends Node {
  readonly kind: 'stopsignal';
  readonly signal: string;
}
export interface HealthcheckInstruction extends Node {
  readonly kind: 'healthcheck';
  /** undefined: HEALTHCHECK NONE. Durations in nanoseconds, 0 when not given. */
  readonly check?: {
    readonly command: Command;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly startInterval: number;
    readonly retries: number;
  };
}
export interface MaintainerInstruction extends Node {
  readonly kind: 'maintainer';
  readonly name: string;
}
export interface OnbuildInstruction extends Node {
  readonly kind: 'onbuild';
  /** The trigger as text with its heredocs, for the image's config; parseOnbuildTrigger reads it again. */
  readonly trigger: string;
}

/**
 * Everything that can stand in a stage after FROM. Fields that go through an expansion still have their quotes and escapes;
 * which fields those are stands at each interface, and all others are final.
 */
export type Instruction =
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | WorkdirInstruction
  | UserInstruction
  | ShellInstruction
  | CmdInstruction
  | EntrypointInstruction
  | ExposeInstruction
  | VolumeInstruction
  | StopsignalInstruction
  | HealthcheckInstruction
  | MaintainerInstruction
  | OnbuildInstruction;

export interface Stage {
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** A finding that is not an error: rules are data (src/dockerfile/lint/rules.ts). */
export interface LintWarning {
  readonly rule: string;
  readonly text: string;
  readonly range: SourceRange;
  /** The index of the stage without which it is none, since only stages that are built are looked at. */
  readonly stage?: number;
}

export interface Dockerfile {
  readonly file: string;
  /** The source, so that an error can show its line. */
  readonly lines: readonly string[];
  readonly escape: '\\' | '`';
  readonly directives: ReadonlyMap<string, string>;
  /** Which findings count. */
  readonly checks: LintOptions;
  /** The comments right above instructions, without #, by the lines on which these begin. */
  readonly comments: ReadonlyMap<number, readonly string[]>;
  /** ARGs before the first FROM. */
  readonly metaArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly warnings: readonly LintWarning[];
}
