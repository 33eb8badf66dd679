// Whom the inner server took is told by the names that the envelope has: by others they would get the mail at each attempt.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutgoingMail } from '../../src/deliver/courier.ts';
import { smtpCourier } from '../../src/deliver/smtp-courier.ts';
import { startInnerServer } from '../support/inner-server.ts';

const MAIL: OutgoingMail = {
  id: 'x',
  messageId: 'x@gateway.example',
  envelope: { from: 'a@example.com', to: [] },
  from: { name: '', address: 'a@example.com' },
  to: [],
  cc: [],
  subject: 's',
  date: new Date(0),
  headers: {},
  text: 't',
  charset: 'utf-8',
  attachments: [],
};

describe('the recipients of a courier’s answer', () => {
  it('are those of the envelope, however the mail library writes them', async () => {
    await using inner = await startInnerServer();
    inner.refuse.rcpt = (address) => ({ slow: 450, none: 550 })[address.split('@')[0] ?? ''];
    const courier = smtpCourier(inner.url, 'gateway.example', 1);
    const to = [
      'quick@CITY.Example.lg.jp',
      'quick@city.example.lg.jp',
      'plain@city.example.lg.jp',
      'none@City.example.lg.jp',
      'slow@CITY.example.lg.jp',
    ];
    const envelope = { ...MAIL.envelope, to };
    const answer = await courier.deliver({ ...MAIL, envelope }, new AbortController().signal);
    await courier.close();
    assert.ok(answer.kind === 'delivered');
    const { accepted, rejected, deferred } = answer;
    assert.deepEqual(
      { accepted: accepted.toSorted(), rejected, deferred },
      { accepted: [to[2], to[0], to[1]], rejected: [to[3]], deferred: [to[4]] },
    );
    assert.equal(inner.taken.length, 1);
  });
});
