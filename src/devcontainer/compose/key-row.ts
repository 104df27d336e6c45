/** What becomes of keys of a Compose service that stands beside a dev container. */
export interface KeyRow {
  readonly keys: readonly string[];
  /** `no`: named where a service has it. `partly`: what of it is not held is named. `nothing`: it has no meaning there. */
  readonly held: 'yes' | 'partly' | 'no' | 'nothing';
  readonly text: string;
}
