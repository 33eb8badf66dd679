// kill -9 at random moments: every accepted mail arrives; what arrives twice carries the same Message-ID.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTransport } from 'nodemailer';
import { gatewayEnv, startGatewayProcess, type RunningGateway } from '../support/gateway-process.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { scratch, until } from '../support/scratch.ts';

const MAILS = 200;
const KILLS = 20;

/** Repeatable moments: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('kill -9', () => {
  it(`of the whole gateway, ${KILLS} times while ${MAILS} mails arrive, loses none and doubles only inside the named window`, async () => {
    await using folder = await scratch();
    const inner = await startInnerServer();
    const random = seeded(20261122);
    const env = gatewayEnv(folder.path, { MUGAI_INNER_SMTP_URL: inner.url, MUGAI_RETRY_SECONDS: '1' });
    const accepted = new Set<number>();
    let gateway: RunningGateway | undefined = await startGatewayProcess(env);
    let port = gateway.smtpPort;
    let over = false;

    const killer = (async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        await new Promise((resolve) => setTimeout(resolve, 50 + random() * 700));
        await gateway?.end('SIGKILL');
        gateway = await startGatewayProcess(env);
        port = gateway.smtpPort;
      }
      over = true;
    })();

    // Each lane sends its mails one by one and sends again only what was not accepted.
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < MAILS || !over) {
        const number = next++;
        if (number >= MAILS && over) return;
        for (let sent = false; !sent;) {
          const transport = createTransport({
            host: '127.0.0.1',
            port,
            connectionTimeout: 5000,
            socketTimeout: 20_000,
          });
          try {
            await transport.sendMail({
              envelope: { from: 'sender@example.com', to: 'staff@city.example.lg.jp' },
              raw: `From: sender@example.com\r\nTo: staff@city.example.lg.jp\r\nSubject: mail ${number}\r\n\r\nnumber <${number}>\r\n`,
            });
            accepted.add(number);
            sent = true;
          } catch {
            await new Promise((resolve) => setTimeout(resolve, 50)); // not accepted: the sender's to send again
          } finally {
            transport.close();
          }
        }
        if (number >= MAILS) await new Promise((resolve) => setTimeout(resolve, 30)); // keeps mail coming until the last kill
      }
    };
    await Promise.all([killer, lane(), lane(), lane(), lane()]);

    const arrived = (): Map<number, Set<string>> => {
      const byNumber = new Map<number, Set<string>>();
      for (const mail of inner.taken) {
        const number = Number(/^Subject: mail (\d+)/m.exec(mail.raw)?.[1]);
        byNumber.set(number, (byNumber.get(number) ?? new Set()).add(mail.messageId));
      }
      return byNumber;
    };
    await until(() => [...accepted].every((number) => arrived().has(number)), 60_000, 'every accepted mail arrives');
    assert.ok(accepted.size >= MAILS);

    // A mail whose 250 was lost on its way back was sent again by its sender: another message to us, its own Message-ID.
    // Deliveries of one message share its Message-ID; there may be one more for each kill at the most.
    const deliveries = inner.taken.length;
    const messages = new Set(inner.taken.map((mail) => mail.messageId)).size;
    assert.ok(deliveries - messages <= KILLS, `${deliveries} deliveries of ${messages} messages`);
    assert.ok(inner.taken.every((mail) => /^<[0-9a-z]{26}@/.test(mail.messageId)));
    assert.equal(await gateway.end('SIGTERM'), 0);
    await inner.close();
  });
});
