import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { API_PORT, NODE_ADDRESS, TOKEN } from './configuration.ts';

/** The API server, as the operator. */
export interface Api {
  /**
   * Calls `changed` with every object of a collection as it is now, and again after each change; goes on for ever.
   * @param path of the collection, as `/api/v1/services`
   */
  watch<T>(path: string, changed: (type: string, object: T) => void | Promise<void>): Promise<never>;
  /** Makes an object, or leaves the one of its name as it is. */
  create(path: string, object: unknown): Promise<void>;
}

/** @param certificate the file of the server's certificate */
export function createApi(certificate: string): Api {
  const ca = readFileSync(certificate);
  const call = (method: string, path: string, body?: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
      const options = { method, path, host: NODE_ADDRESS, port: API_PORT, ca, headers };
      request(options, resolve).on('error', reject).end(body);
    });
  return {
    watch: async (path, changed) => {
      for (;;) {
        const answer = await call('GET', `${path}?watch=1`);
        for await (const line of createInterface({ input: answer })) {
          const { type, object } = JSON.parse(line);
          await changed(type, object);
        }
      }
    },
    create: async (path, object) => {
      const answer = await call('POST', path, JSON.stringify(object));
      const text = (await answer.toArray()).join('');
      if (answer.statusCode !== 201 && answer.statusCode !== 409) throw new Error(`${path}: ${text}`);
    },
  };
}
