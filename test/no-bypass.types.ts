// What must not compile: each line below would carry an original further than it may go. `tsc` (npm run check) fails as soon as
// one of them compiles; nothing here is ever run. See docs/no-bypass.md.
import type { compose } from '../src/deliver/compose.ts';
import type { deliver } from '../src/deliver/deliver.ts';
import type { Delivered, Sanitised, Sealed, Spooled } from '../src/message/stages.ts';
import type { Outbox } from '../src/outbox/outbox.ts';
import type { VerifiedPackage } from '../src/outbox/verify.ts';
import type { seal } from '../src/seal/seal.ts';
import type { Spool, Staged } from '../src/spool/spool.ts';

interface Road {
  readonly seal: typeof seal;
  readonly deliver: typeof deliver;
  readonly compose: typeof compose;
  readonly spool: Spool;
  readonly outbox: Outbox;
}

export async function mustNotCompile(
  road: Road,
  spooled: Spooled,
  sanitised: Sanitised,
  sealed: Sealed,
): Promise<void> {
  const { signal } = new AbortController();
  // @ts-expect-error a message that was not sanitised is not sealed
  await road.seal(spooled, {} as Parameters<typeof seal>[1], signal);
  // @ts-expect-error a message that was not sealed is not delivered
  await road.deliver(spooled, {} as Parameters<typeof deliver>[1], signal);
  // @ts-expect-error nor one that was only sanitised
  await road.deliver(sanitised, {} as Parameters<typeof deliver>[1], signal);
  // @ts-expect-error nothing is made into a mail that was not verified
  road.compose(sealed, 'city.example.lg.jp', { language: 'ja', charset: 'utf-8', portalUrl: '' });
  // @ts-expect-error an id is no stage
  await road.deliver(sealed.id, {} as Parameters<typeof deliver>[1], signal);
  // @ts-expect-error a stage cannot be written by hand
  const forged: Sealed = { id: sealed.id };
  // @ts-expect-error nor a later one taken from an earlier
  const later: Sanitised = spooled;
  // @ts-expect-error nor a package be called verified
  const verified: VerifiedPackage = { statement: {}, files: [] };
  // @ts-expect-error nor an end be told of what has not come so far
  const end: Delivered = sealed;
  // @ts-expect-error outputs are read from what was sanitised, never from what was spooled
  await road.spool.output(spooled, 'files/01-a.pdf');
  const raw: Staged = road.spool.rawContent(spooled);
  // @ts-expect-error raw bytes are no entry of a package: an entry has a name
  await road.outbox.add(spooled.id, [raw]);
  void [forged, later, verified, end];
}
