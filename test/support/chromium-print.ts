// Prints HTML to a PDF with Chromium, with the Japanese fonts of this repository: documents as offices make them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const face = (family: string, path: string): string =>
  `@font-face { font-family: ${family}; src: url(${pathToFileURL(require.resolve(path)).href}) }`;
const FACES = [
  face('gothic', '@expo-google-fonts/biz-udgothic/400Regular/BIZUDGothic_400Regular.ttf'),
  face('mincho', '@expo-google-fonts/biz-udmincho/400Regular/BIZUDMincho_400Regular.ttf'),
].join('\n');

/** The PDF of an HTML body; families `gothic` and `mincho`, A4. Throws when Chromium is not installed. */
export function printHtml(body: string, style = ''): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'mugai-'));
  try {
    const page = join(folder, 'page.html');
    const made = join(folder, 'page.pdf');
    const styles = `${FACES} @page { size: A4; margin: 18mm } body { font: 10.5pt mincho } ${style}`;
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><style>${styles}</style><body>${body}`);
    execFileSync(
      'chromium',
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--allow-file-access-from-files',
        `--user-data-dir=${join(folder, 'profile')}`,
        '--no-pdf-header-footer',
        `--print-to-pdf=${made}`,
        pathToFileURL(page).href,
      ],
      { stdio: 'ignore', timeout: 120_000 },
    );
    return readFileSync(made);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
