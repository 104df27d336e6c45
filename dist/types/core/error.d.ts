/** A position in a text file; lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
    readonly line: number;
    readonly column: number;
}
/** Where something stands in a source file; `end` is exclusive. */
export interface SourceRange {
    readonly file: string;
    readonly start: Position;
    readonly end: Position;
}
/** Where an error happened: any of a source range (with the text of its first line), a layer, a URL without credentials. */
export interface Where {
    readonly range?: SourceRange;
    /** The source line that `range` starts on, for the caret. */
    readonly sourceLine?: string;
    readonly layer?: string;
    readonly url?: string;
    readonly path?: string;
}
export interface AppErrorDetails {
    /** What the user can do next, one sentence. */
    readonly hint?: string;
    readonly cause?: unknown;
    readonly where?: Where;
}
/**
 * Every error that a user may see. `code` decides the exit code and any fallback; nothing ever matches on messages.
 * Messages are one sentence without a trailing full stop and never contain a credential.
 */
export declare class AppError extends Error {
    readonly code: ErrorCode;
    readonly hint: string | undefined;
    readonly where: Where | undefined;
    constructor(code: ErrorCode, message: string, details?: AppErrorDetails);
}
/** Exit codes of the command line, by error code; docs/reference/exit-codes.md is generated from this table. */
export declare const EXIT_CODES: {
    readonly INTERNAL: {
        readonly exit: 1;
        readonly text: 'a defect in envbuilder itself';
    };
    readonly USAGE: {
        readonly exit: 2;
        readonly text: 'an unknown flag, a bad option value or a missing argument';
    };
    readonly BUILD_FAILED: {
        readonly exit: 3;
        readonly text: 'a RUN command exited with a failure';
    };
    readonly DOCKERFILE: {
        readonly exit: 4;
        readonly text: 'the Dockerfile is missing or wrong';
    };
    readonly CONTEXT: {
        readonly exit: 5;
        readonly text: 'the build context is missing, unreadable or lacks a file that is copied';
    };
    readonly REFERENCE: {
        readonly exit: 6;
        readonly text: 'an image reference is malformed or names nothing';
    };
    readonly REGISTRY: {
        readonly exit: 7;
        readonly text: 'a registry cannot be reached or answered with an error';
    };
    readonly AUTH: {
        readonly exit: 8;
        readonly text: 'a registry or git server refused the credentials';
    };
    readonly CORRUPT: {
        readonly exit: 9;
        readonly text: 'content does not match its digest or cannot be decoded';
    };
    readonly CACHE_MISS: {
        readonly exit: 10;
        readonly text: 'a probe found that something is not cached';
    };
    readonly NOT_PUSHED: {
        readonly exit: 11;
        readonly text: 'a probe found every layer, but the image itself was never pushed';
    };
    readonly PUSH_FAILED: {
        readonly exit: 12;
        readonly text: 'a push failed and EXIT_ON_PUSH_FAILURE is set';
    };
    readonly PERMISSION: {
        readonly exit: 13;
        readonly text: 'a right is missing: root, or the capability to mount';
    };
    readonly DISK_FULL: {
        readonly exit: 14;
        readonly text: 'no space is left on the device';
    };
    readonly UNSAFE: {
        readonly exit: 15;
        readonly text: 'refused, because it would overwrite something that is not ours';
    };
    readonly WORKSPACE: {
        readonly exit: 16;
        readonly text: 'the workspace cannot be cloned or read';
    };
    readonly DEVCONTAINER: {
        readonly exit: 17;
        readonly text: 'devcontainer.json is missing or wrong';
    };
    readonly CACHE_DIR: {
        readonly exit: 18;
        readonly text: 'the layer cache directory cannot be used';
    };
    readonly OUTPUT: {
        readonly exit: 19;
        readonly text: 'the output cannot be written';
    };
    readonly START_FAILED: {
        readonly exit: 20;
        readonly text: 'the container was built but cannot be started: its user, setup script or init command';
    };
    readonly ABORTED: {
        readonly exit: 130;
        readonly text: 'ended by SIGINT or SIGTERM';
    };
};
export type ErrorCode = keyof typeof EXIT_CODES;
/**
 * Wraps anything thrown as an AppError; a full disk and a missing right are recognised by errno wherever they occur.
 * @param code used when the errno says nothing more precise
 */
export declare function toAppError(thrown: unknown, code: ErrorCode, message: string, details?: AppErrorDetails): AppError;
