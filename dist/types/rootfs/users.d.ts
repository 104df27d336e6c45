export interface Identity {
    readonly uid: number;
    readonly gid: number;
    /** Supplementary groups, the primary one among them, as Docker gives them. */
    readonly groups: readonly number[];
}
/** A line of /etc/passwd. */
export interface PasswdEntry {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly home: string;
    /** The login shell; empty when the line names none. */
    readonly shell: string;
}
/**
 * Who `USER` means in a root: `name`, `uid`, `name:group`, `uid:gid`, looked up in its /etc/passwd and /etc/group. A
 * number that they do not know is taken as it is, with group 0; '' is root, whom no file need name.
 * @throws AppError BUILD_FAILED for a name that is unknown
 */
export declare function lookupUser(root: string, user: string): Identity;
/**
 * Who `--chown` means: as USER, but a bare number without a group gives files that number as group too when nobody has
 * it, and a bare name gives the name's own group (Dockerfile reference, "COPY --chown").
 * @throws AppError BUILD_FAILED for a name that is unknown
 */
export declare function lookupChown(root: string, spec: string): {
    readonly uid: number;
    readonly gid: number;
};
/** What /etc/passwd says about a uid; its first line when several have it. */
export declare function passwdEntry(root: string, uid: number): PasswdEntry | undefined;
/** The home directory of a uid, `/` when /etc/passwd does not know it. */
export declare function homeOf(root: string, uid: number): string;
