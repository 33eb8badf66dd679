// A portal with people and messages, for tests: a whole gateway in this process, signed in by plain HTTP or in Chromium.
import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import type { Role } from '../../src/portal/accounts.ts';
import { until } from './scratch.ts';

export const PASSWORD = 'さくらの花が咲く2026';

/** A gateway as far as its portal goes. */
export interface WithPortal {
  readonly portal?: { readonly port: number; readonly firstCode: string | undefined } | undefined;
}

/** Where the portal of a gateway answers. */
export function portalUrl(gateway: WithPortal): string {
  if (gateway.portal === undefined) throw new Error('no portal');
  return `http://127.0.0.1:${gateway.portal.port}`;
}

/** Somebody at the portal who speaks HTTP as a browser does: cookies kept, redirects not followed. */
export class Visitor {
  readonly url: string;
  readonly cookies = new Map<string, string>();
  constructor(url: string) {
    this.url = url;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send(path, { headers });
  }

  /** Sends a form; the token of the page `from` goes with it unless the form brings one. */
  async post(path: string, form: Record<string, string | readonly string[]>, from = '/account'): Promise<Response> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(form))
      for (const one of typeof value === 'string' ? [value] : value) body.append(name, one);
    if (!body.has('csrf')) body.set('csrf', await this.token(from));
    return this.#send(path, { method: 'POST', body });
  }

  /** Sends a form with files; the token of the page comes first, as in our forms. */
  async upload(
    path: string,
    files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  ): Promise<Response> {
    const body = new FormData();
    body.append('csrf', await this.token(path));
    for (const { name, bytes } of files) body.append('files', new Blob([Uint8Array.from(bytes)]), name);
    return this.#send(path, { method: 'POST', body });
  }

  /** The token in the forms of a page. */
  async token(from: string): Promise<string> {
    const page = await (await this.get(from)).text();
    return /name="csrf" value="([^"]*)"/.exec(page)?.[1] ?? '';
  }

  async signIn(name: string, password = PASSWORD): Promise<Response> {
    return this.post('/sign-in', { name, password }, '/sign-in');
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(init.headers as Record<string, string> | undefined), cookie };
    const answer = await fetch(`${this.url}${path}`, { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }
}

/** Makes the first administrator with the gateway's one-time code. */
export async function firstAdministrator(gateway: WithPortal, name = 'kanri', address = ''): Promise<Visitor> {
  const visitor = new Visitor(portalUrl(gateway));
  const code = gateway.portal?.firstCode ?? '';
  const form = { code, name, display: '管理 一郎', address, password: PASSWORD, again: PASSWORD };
  const answer = await visitor.post('/first', form, '/first');
  if (answer.status !== 303) throw new Error(`first sign-in: ${answer.status} ${await answer.text()}`);
  return visitor;
}

/** Adds a person and signs him in. */
export async function addPerson(
  administrator: Visitor,
  name: string,
  roles: readonly Role[],
  address = '',
): Promise<Visitor> {
  const made = await administrator.post('/people', { name, display: `${name}さん`, address, role: roles });
  const code = /<code class="code">([^<]+)</.exec(await made.text())?.[1] ?? '';
  const visitor = new Visitor(administrator.url);
  const answer = await visitor.post('/first', { code, password: PASSWORD, again: PASSWORD }, '/first');
  if (answer.status !== 303) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
  return visitor;
}

/** Waits until a message with these words is in somebody's list; its id. */
export async function messageId(visitor: Visitor, words: string, ms = 60_000): Promise<string> {
  let id: string | undefined;
  await until(
    async () => {
      const page = await (await visitor.get(`/messages?q=${encodeURIComponent(words)}`)).text();
      id = /href="\/messages\/([0-9a-z]{26})"/.exec(page)?.[1];
      return id !== undefined;
    },
    ms,
    `"${words}" is in the list`,
  );
  return id ?? '';
}

/** Signs in in a browser. */
export async function signInAt(page: Page, url: string, name: string): Promise<void> {
  await page.goto(`${url}/sign-in`);
  await page.fill('#name', name);
  await page.fill('#password', PASSWORD);
  await page.click('main button');
  await page.waitForURL(`${url}/messages`);
}

/** A subject that no other message has. */
export function uniqueSubject(): string {
  return `件名 ${randomBytes(4).toString('hex')}`;
}
