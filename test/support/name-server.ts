// A DNS server of our own on loopback, over UDP and TCP: says what it is given, notes what it is asked.
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { decode, encode, type Answer, type Packet } from 'dns-packet';
import { freePort } from './ports.ts';

/** Records by `TYPE name`. A name without any is NXDOMAIN; `silent` names get no answer, `broken` ones SERVFAIL. */
export interface Zone {
  readonly records: { readonly [question: string]: readonly string[] };
  readonly silent?: readonly string[];
  readonly broken?: readonly string[];
  /** Changes the bytes of an answer. */
  readonly spoil?: (packet: Buffer) => Buffer;
}

export interface NameServer extends AsyncDisposable {
  readonly port: number;
  /** `TYPE name`, in the order of asking; over TCP with `TCP ` in front. */
  readonly asked: string[];
  zone: Zone;
}

const UDP_BYTES = 1232;
const CUT = 0x0200;

export async function startNameServer(zone: Zone): Promise<NameServer> {
  const port = await freePort(); // the same for both
  const udp: Socket = createSocket('udp4');
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  const tcp: Server = createServer();
  tcp.listen(port, '127.0.0.1');
  await once(tcp, 'listening');
  const server: NameServer = {
    port,
    asked: [],
    zone,
    [Symbol.asyncDispose]: async () => {
      udp.close();
      tcp.close();
      await Promise.all([once(udp, 'close'), once(tcp, 'close')]);
    },
  };
  udp.on('message', (bytes, from) => {
    const answer = answerTo(bytes, '', server);
    if (answer !== undefined) udp.send(answer, from.port, from.address);
  });
  tcp.on('connection', (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (bytes: Buffer) => {
      const answer = answerTo(bytes.subarray(2), 'TCP ', server);
      if (answer !== undefined)
        socket.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]));
    });
  });
  return server;
}

function answerTo(bytes: Buffer, by: string, server: NameServer): Buffer | undefined {
  const query = decode(bytes);
  const [question] = query.questions ?? [];
  if (question === undefined) return undefined;
  const name = question.name.toLowerCase();
  const { records, silent = [], broken = [], spoil = (packet) => packet } = server.zone;
  server.asked.push(`${by}${question.type} ${name}`);
  if (silent.includes(name)) return undefined;
  const known = Object.keys(records).some((key) => key.endsWith(` ${name}`));
  const rcode = broken.includes(name) ? 2 : known ? 0 : 3;
  const answers = (records[`${question.type} ${name}`] ?? []).map((text) => record(question.type, name, text));
  const reply: Packet = { type: 'response', id: query.id ?? 0, questions: [question], flags: 0x180 | rcode, answers };
  const whole = encode(reply);
  if (by === '' && whole.length > UDP_BYTES) return encode({ ...reply, flags: 0x180 | CUT, answers: [] });
  return spoil(whole);
}

function record(type: string, name: string, text: string): Answer {
  const data = type === 'MX' ? { preference: 10, exchange: text } : type === 'TXT' ? text.match(/.{1,250}/gs) : text;
  return { type, name, ttl: 60, class: 'IN', data } as Answer;
}
