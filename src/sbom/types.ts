/** What keeps the packages of a kind, as the type of their package URLs names it (purl-spec). */
export type Ecosystem = 'deb' | 'apk' | 'rpm' | 'pypi' | 'npm';

/** A package that is installed, as its database tells of it. Texts are without control characters, and not long. */
export interface Package {
  readonly ecosystem: Ecosystem;
  /** Of npm with its scope. */
  readonly name: string;
  readonly version: string;
  readonly arch?: string;
  readonly epoch?: string;
  /** The source package that it was made of, with its version where that is another one. */
  readonly upstream?: string;
  /** As its maker wrote it. */
  readonly license?: string;
  /** Whoever maintains it, as `Name <address>`. */
  readonly maintainer?: string;
  readonly homepage?: string;
}

/** What os-release tells. */
export interface Distribution {
  readonly id: string;
  readonly version?: string;
}

/** What stands in one file. */
export interface Found {
  readonly packages: readonly Package[];
  readonly distribution?: Distribution;
}

/** A database that is there, and whose packages are not known. */
export interface Unread {
  readonly path: string;
  /** Continues a sentence that begins with the path: "is larger than …". */
  readonly why: string;
}

/** A package, and the file that tells of it. */
export interface FoundPackage extends Package {
  readonly path: string;
}

/** Which packages lie in an image. */
export interface Inventory {
  readonly packages: readonly FoundPackage[];
  readonly distribution: Distribution | undefined;
  readonly unread: readonly Unread[];
}
