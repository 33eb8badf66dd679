// A real Chromium, Debian's, driven by playwright-core. It talks to loopback only.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { removeFolder } from './scratch.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export interface Browsing extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the pages complained about: script errors, refused resources, broken content security policy. */
  readonly complaints: string[];
}

/** Opens a browser with a profile of its own, 1366×768 like the terminals of a city hall. */
export async function openBrowser(language: 'ja' | 'en' = 'ja', script = true): Promise<Browsing> {
  const profile = await mkdtemp(join(tmpdir(), 'mugai-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    // The browser's own words (date fields, file buttons) follow the language it was started in, not the pages' locale.
    args: [...FLAGS, `--lang=${language}`],
    env: { ...process.env, LANGUAGE: language },
    headless: true,
    locale: language === 'ja' ? 'ja-JP' : 'en-GB',
    timezoneId: 'Asia/Tokyo',
    viewport: { width: 1366, height: 768 },
    javaScriptEnabled: script,
    timeout: 120_000,
  });
  context.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  const listen = (page: Page): void => {
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  };
  context.on('page', listen);
  const page = context.pages()[0] ?? (await context.newPage());
  listen(page);
  return {
    context,
    page,
    complaints,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await removeFolder(profile);
    },
  };
}
