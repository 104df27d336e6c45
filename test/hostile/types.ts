/** What is around a run: everything that a hostile input may name, and must not reach. */
export interface Place {
  /** An absolute path that no run may read or write below: `secret` is a file there, `dir` a directory with a file. */
  readonly canary: string;
}

/**
 * What must come of an input.
 * `build`: Docker takes it, and so must we. `refuse`: it must be refused, with the code of its way in.
 * `either`: Docker refuses it or cannot be asked; we may take it, as long as nothing else breaks.
 */
export type Must = 'build' | 'refuse' | 'either';

/** One hostile input of a form. */
export interface Kind<Input> {
  /** Unique within its form; part of the name of a test. */
  readonly name: string;
  readonly must: Must;
  readonly make: (place: Place) => Input;
  /** Why Docker is not asked about it; left out, it is. */
  readonly notDocker?: string;
}

/** A tar, as it stands before it is compressed. */
export interface TarInput {
  readonly bytes: Buffer;
  /** Lines of the Dockerfile after the input is there, for what only strikes when it is used. */
  readonly after?: readonly string[];
}

/** Bytes that are a layer or an archive already, compressed or not. */
export interface StreamInput {
  readonly bytes: Buffer;
  /** The tar that was meant, for the diffID. */
  readonly tar: Buffer;
}
