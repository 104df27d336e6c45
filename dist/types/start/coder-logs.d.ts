import { type TransportOptions } from '../oci/http/transport.ts';
/** The levels that a Coder server knows. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** Sends log lines to a Coder server in the background. */
export interface CoderLogs {
    /** Takes a line; never waits and never throws. */
    line(level: LogLevel, text: string): void;
    /** Sends what is left if the server has answered so far, for a moment at most, and ends. */
    close(): Promise<void>;
}
export interface CoderLogsOptions {
    /** The server's address, as CODER_AGENT_URL has it. */
    readonly url: string;
    readonly token: string;
    readonly transport: TransportOptions;
}
/**
 * A forwarder to the agent API of a Coder server: it registers a log source and patches the agent's logs in batches, as
 * long as the program runs. A server that is down is asked again, less and less often; nothing waits for it.
 */
export declare function createCoderLogs({ url, token, transport: settings }: CoderLogsOptions): CoderLogs;
