/**
 * What becomes of links: 'in-root' resolves them as a process would that has the directory as its root, `..` too;
 * 'beneath' follows those that stay inside, and refuses absolute ones and those that leave; 'none' refuses all.
 */
export type Links = 'in-root' | 'beneath' | 'none';
/**
 * Does what openat2(2) does with RESOLVE_IN_ROOT or RESOLVE_BENEATH, by opening one part of the path after the other, none
 * of them through a link: the text of a link is put in the place of its name. `..` goes back to the directory that the
 * walk came from, wherever that was moved meanwhile.
 * @param root a descriptor of the directory
 * @param path without a slash in front
 * @returns a descriptor, which the caller closes
 * @throws Error as openat2 does
 */
export declare function openByWalk(root: number, path: string, { flags, mode, links }: {
    readonly flags: number;
    readonly mode: number;
    readonly links: Links;
}): number;
