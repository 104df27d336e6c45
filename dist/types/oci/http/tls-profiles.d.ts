import { type SecureContext } from 'node:tls';
export interface TlsOptions {
    /** PEM certificates that are trusted besides the built-in ones. */
    readonly extraCaPem?: string;
    /** Accept any certificate of any host. */
    readonly insecure?: boolean;
    /** Hosts, with their port where it is not the usual one, of which any certificate is accepted. */
    readonly insecureHosts?: readonly string[];
    /**
     * Directories as Docker's `/etc/docker/certs.d`: for each `HOST[:PORT]` a directory with `*.crt`, authorities that are
     * trusted for that host, and pairs of `*.cert` and `*.key`, with which we authenticate to it.
     */
    readonly certsDirs?: readonly string[];
}
/** How connections to a host are secured; hosts with the same key can share a pool. */
export interface TlsProfile {
    readonly key: string;
    readonly rejectUnauthorized: boolean;
    readonly secureContext?: SecureContext;
}
/** What a connection without TLS is made with. */
export declare const PLAIN: TlsProfile;
/** TLS settings by host; the files of a host are read once, when it is first asked for. */
export interface TlsProfiles {
    /** @throws AppError REGISTRY when the host's certificates cannot be read */
    forHost(host: string): TlsProfile;
    isInsecure(host: string): boolean;
}
/** Reads no file yet. */
export declare function createTlsProfiles(options: TlsOptions): TlsProfiles;
