// The SMTP door alone, with a spool behind it and nothing else: what it took lies in `taken`.
import { connect } from 'node:net';
import { once } from 'node:events';
import { openSmtpDoor, type SmtpDoorDeps } from '../../src/ingress/smtp-door.ts';
import type { Audit } from '../../src/message/act.ts';
import type { Spooled } from '../../src/message/stages.ts';
import { openLog } from '../../src/ops/log.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { scratch } from './scratch.ts';
import { SmtpDialog } from './smtp-dialog.ts';

export const DOMAIN = 'city.example.lg.jp';

export interface TestDoor extends AsyncDisposable {
  readonly port: number;
  readonly taken: readonly Spooled[];
  /** The bytes of mail `index`, as they lie in the spool. */
  raw(index: number): Promise<string>;
  /** Closes it as a stop does that may take `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
  /** The metric `mugai_smtp_replies_total` of a code. */
  replies(code: string): Promise<number>;
}

/** A journal that keeps nothing: what is written there is tested with the journal. */
const POSITION = `outer-00000000:1:${'0'.repeat(64)}`;
export const DEAF_AUDIT: Audit = {
  enter: () => ({ position: POSITION, durable: Promise.resolve() }),
  append: async () => POSITION,
};

/** Opens it on a free port; `more` replaces what the door is given. */
export async function openTestDoor(more: Partial<SmtpDoorDeps> = {}, host = '127.0.0.1'): Promise<TestDoor> {
  const folder = await scratch();
  const spool = new Spool(await openFsStore(folder.path));
  const taken: Spooled[] = [];
  const metrics = openMetrics(false);
  const door = await openSmtpDoor(
    { host, port: 0 },
    {
      spool,
      metrics,
      domains: new Set([DOMAIN]),
      hostname: 'mx.test',
      log: openLog('silent', 'test'),
      audit: DEAF_AUDIT,
      onSpooled: (spooled) => void taken.push(spooled),
      ...more,
    },
  );
  return {
    port: door.port,
    taken,
    raw: async (index) => {
      const spooled = taken[index];
      if (spooled === undefined) throw new Error(`no mail ${index} was taken`);
      const chunks: Uint8Array[] = [];
      for await (const chunk of spool.rawContent(spooled).open()) chunks.push(chunk);
      return Buffer.concat(chunks).toString('latin1');
    },
    replies: async (code) => {
      const { values } = await metrics.smtpReplies.get();
      return values.find((value) => value.labels.code === code)?.value ?? 0;
    },
    close: async (deadlineMs) => door.close(deadlineMs),
    [Symbol.asyncDispose]: async () => {
      await door.close(100);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Says these bytes in one or more writes, and hears everything until the door hangs up or is silent for `quietMs`. */
export async function talk(port: number, writes: readonly (string | Buffer)[], quietMs = 500): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setNoDelay(true);
  let heard = '';
  let last = Date.now();
  let over = false;
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
    last = Date.now();
  });
  socket.on('close', () => (over = true));
  socket.on('error', () => undefined); // hung up on while we talk: `over` tells
  for (const bytes of writes) {
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  last = Date.now();
  while (!over && Date.now() - last < quietMs) await new Promise((resolve) => setTimeout(resolve, 10));
  const hungUp = over;
  socket.destroy();
  return `${heard}${hungUp ? '[closed]' : ''}`;
}

/** A session that is ready for data. */
export async function ready(port: number): Promise<SmtpDialog> {
  const dialog = await SmtpDialog.open(port);
  await dialog.toData(`staff@${DOMAIN}`);
  return dialog;
}
