// The courier of a machine without an inner mail server: one .eml file per message, durable before it counts.
import type { Store } from '../store/store.ts';
import type { Courier } from './courier.ts';
import { toBytes } from './nodemailer-options.ts';

/** Delivers into a store as `<id>.eml`. Delivering again leaves the first file as it is. */
export function folderCourier(store: Store): Courier {
  return {
    name: 'folder',
    deliver: async (mail) => {
      const content = await toBytes(mail);
      await store.put('', { name: `${mail.id}.eml`, content });
      return { kind: 'delivered', answer: `${mail.id}.eml`, accepted: mail.envelope.to, rejected: [], deferred: [] };
    },
    close: async () => undefined,
  };
}
