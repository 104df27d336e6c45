import { createSocket, type Socket } from 'node:dgram';

const A = 1;
const NAME_ERROR = 3;
/** Answer and question: a response that is authoritative, and recursion is not there. */
const RESPONSE = 0x8400;
const TTL_S = 5;

/**
 * A name server over UDP that knows IPv4 addresses (RFC 1035). A name without any is an error; one that is asked for
 * something else has no data.
 * @param addressOf by the whole name, without the dot at its end
 */
export function startDns(address: string, addressOf: (name: string) => string | undefined): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address: from }) => {
    const answer = answerTo(query, addressOf);
    if (answer !== undefined) socket.send(answer, port, from);
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind(53, address, () => resolve(socket));
  });
}

function answerTo(query: Buffer, addressOf: (name: string) => string | undefined): Buffer | undefined {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    if (length > 63) return undefined;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  if (query.length < end) return undefined;
  const found = addressOf(labels.join('.').toLowerCase());
  const type = query.readUInt16BE(at + 1);
  const record = found !== undefined && type === A ? recordOf(found) : Buffer.alloc(0);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(
    RESPONSE | (query.readUInt16BE(2) & 0x0100) | (found === undefined ? NAME_ERROR : 0),
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(record.length === 0 ? 0 : 1, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, query.subarray(12, end), record]);
}

function recordOf(address: string): Buffer {
  const record = Buffer.alloc(16);
  // The name is the one of the question.
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(TTL_S, 6);
  record.writeUInt16BE(4, 10);
  record.set(address.split('.').map(Number), 12);
  return record;
}
