// A page of the portal looked at: no serious violation of axe-core, and its picture in docs/portal/. With MUGAI_SCREENSHOTS=1 the
// picture is taken anew.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const DOCS = fileURLToPath(new URL('../../docs/portal/', import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the browser itself says of an empty field that is needed. */
const OWN_WORDS = "Object.assign(document.createElement('input'), { required: true }).validationMessage";

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Fails on any serious or critical violation; keeps the picture where it is asked for. */
export async function look(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  const violations = await page
    .evaluate(`(() => { ${axe}; return axe.run(document); })()`)
    .then((result) => (result as { violations: Violation[] }).violations);
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = serious.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`,
  );
  assert.deepEqual(told, [], name);
  if (process.env['MUGAI_SCREENSHOTS'] === '1') {
    await mkdir(DOCS, { recursive: true });
    const own = String(await page.evaluate(OWN_WORDS));
    assert.match(own, /フィールド/, 'a Japanese browser (Debian: chromium-l10n) is needed for the pictures');
    await page.screenshot({ path: `${DOCS}${name}.png` });
  }
  assert.ok(existsSync(`${DOCS}${name}.png`), `docs/portal/${name}.png is missing: run with MUGAI_SCREENSHOTS=1`);
}
