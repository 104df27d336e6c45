/**
 * The header of a regular file in an archive whose readers know no PAX (docker's and kaniko's): mode 0644, owner 0:0,
 * time 0, so that equal content makes equal archives; a size of 8 GiB and more in GNU's base-256 form.
 * @param name at most 100 ASCII characters
 * @param size in bytes
 * @throws RangeError when the name does not fit
 */
export declare function ustarHeader(name: string, size: number): Buffer;
/** The zero bytes after content of `size` bytes. */
export declare function ustarPadding(size: number): Buffer;
/** The end of an archive. */
export declare function ustarEnd(): Buffer;
