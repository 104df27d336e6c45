/** Variables of a process by name; one without a value is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;
