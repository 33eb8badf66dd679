// Whether every letter and every cell of an office document stands on its pages or is told as lost. What is in it is asked of
// LibreOffice itself, called by hand on the file as it came: none of our readers, cleaners or fonts has a part in that answer.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { strFromU8, unzipSync } from 'fflate';
import type { PartRow, Remark } from '../../src/message/part.ts';
import { readCsv } from '../../workers/office/csv.ts';

const run = promisify(execFile);
const SOFFICE = '/usr/bin/soffice';
const MS = 90_000;

/** What was counted of one document. Details: what is neither on a page nor told. */
export interface Count {
  readonly letters: number;
  readonly lettersTold: number;
  readonly lettersLost: readonly string[];
  readonly cells: number;
  readonly cellsTold: number;
  readonly cellsLost: readonly string[];
}

/** What of the document the other reader finds: the letters of a text, the cells of a table. */
interface Source {
  readonly letters: ReadonlySet<string>;
  readonly cells: readonly string[];
}

/** Undefined where the other reader is not there, or does not read the document. */
export async function checkOffice(
  name: string,
  bytes: Buffer,
  { parts, files }: { readonly parts: readonly PartRow[]; readonly files: ReadonlyMap<string, Buffer> },
): Promise<Count | undefined> {
  if (!existsSync(SOFFICE)) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'mugai-check-'));
  try {
    const source = await readSource(name, bytes, folder);
    if (source === undefined) return undefined;
    const words = await pageWords(files, folder);
    const page = plain(words);
    const losses = parts.flatMap((part) => part.losses);
    const told = new Set(
      plain(
        losses
          .filter(({ code }) => code === 'glyph-missing')
          .map(({ detail }) => detail)
          .join(''),
      ),
    );
    const isHiding = isHidden(losses);
    const seen = new Set(page);
    const missing = [...source.letters].filter((letter) => !seen.has(letter));
    const numbers = numbersOf(words);
    const absent = source.cells.filter(
      (cell) => !page.includes(cell) && !isRounded(cell, numbers) && !isDate(cell, words) && !isError(cell, words),
    );
    return {
      letters: source.letters.size,
      lettersTold: missing.filter((letter) => told.has(letter) || isHiding).length,
      lettersLost: missing.filter((letter) => !told.has(letter) && !isHiding),
      cells: source.cells.length,
      cellsTold: isHiding ? absent.length : 0,
      cellsLost: isHiding ? [] : absent,
    };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/**
 * True where words of the document itself are told as not shown. Comments and the notes of slides are none of them: the other
 * reader gives neither, so that nothing which it gives can be one.
 */
export function isHidden(losses: readonly Pick<Remark, 'code'>[]): boolean {
  return losses.some(({ code }) => /^(?:hidden-|pages-cut|cells-cut)/.test(code));
}

/** In one form, without blanks: lines break elsewhere. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/(?<![\d.])0+(?=\d)/g, '') // dates have leading zeros or not, by the language
    .replace(/[\s\p{Cc}\p{Cf}\p{Mn}]/gu, '');
}

/** The numbers of a page, with and without the commas of thousands. Blanks part them: without, two of a row would be one. */
function numbersOf(words: string): ReadonlySet<string> {
  const found = words.normalize('NFKC').match(/-?\d[\d,]*(?:\.\d+)?/g) ?? [];
  return new Set(found.flatMap((number) => [number, number.replaceAll(',', '')]));
}

/** A number that stands on the page rounded to the width of its column, as spreadsheets show it. */
function isRounded(cell: string, numbers: ReadonlySet<string>): boolean {
  const value = /^(-?\d+(?:\.\d+)?)(?:%|E[+-]\d+)?$/.exec(cell.replaceAll(',', ''))?.[1];
  if (value === undefined) return false;
  // A half goes up, whatever is nearest to it in binary.
  const [number, more] = [Number(value), Number(value) * (1 + 1e-12)];
  for (let digits = 0; digits <= 12; digits++)
    if (numbers.has(number.toFixed(digits)) || numbers.has(more.toFixed(digits))) return true;
  return false;
}

/** A date in the form of its cell: the other reader gives month, day and year, whatever of them is shown. */
function isDate(cell: string, words: string): boolean {
  const [, month, day] = /^(\d{1,2})\/(\d{1,2})\/\d{4}$/.exec(cell) ?? [];
  if (month === undefined || day === undefined) return false;
  const name = MONTHS[Number(month) - 1] ?? '';
  return new RegExp(`\\b0?${day}[-/ .]+${name}|\\b${name}[a-z]*[-/ .]+0?${day}\\b`, 'i').test(words);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** LibreOffice's own name of an error, which every workbook knows as that of a wrong value. */
function isError(cell: string, words: string): boolean {
  return /^Err:5\d\d$/.test(cell) && words.includes('#VALUE!');
}

/** Numbers and dates, which are looked for as such: rounded and shortened ones leave digits out. */
const NUMBER = /^[-+\d.,/:%E]+$/;

function lettersOf(text: string): ReadonlySet<string> {
  return new Set(plain(text).match(/[\p{L}\p{N}]/gu) ?? []);
}

async function pageWords(files: ReadonlyMap<string, Buffer>, folder: string): Promise<string> {
  const texts: string[] = [];
  for (const [name, content] of files) {
    if (!name.endsWith('.pdf')) continue;
    const file = join(folder, 'page.pdf');
    await writeFile(file, content);
    const { stdout } = await run('pdftotext', ['-raw', file, '-'], { maxBuffer: 1 << 28 });
    texts.push(stdout);
  }
  return texts.join('\n');
}

async function readSource(name: string, bytes: Buffer, folder: string): Promise<Source | undefined> {
  const extension = extname(name).toLowerCase();
  const input = join(folder, `in${extension}`);
  await writeFile(input, bytes);
  if (/^\.(?:xls[xmb]?|xlt[xm]?|ods|fods|sxc|sdc|csv)$/.test(extension)) {
    await convert(input, 'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1', folder);
    const made = (await readdir(folder)).filter((file) => file.endsWith('.csv') && file !== 'in.csv');
    if (made.length === 0) return undefined;
    const texts = await Promise.all(made.map(async (file) => readFile(join(folder, file), 'utf8')));
    const cells = texts
      .flatMap((text) => readCsv(text, ',').flat())
      .map(plain)
      .filter((cell) => cell !== '');
    const letters = lettersOf(cells.filter((cell) => !NUMBER.test(cell)).join('\n'));
    return { letters, cells };
  }
  if (/^\.(?:pp[st][xm]?|pot[xm]?|odp|fodp|odg|fodg|sxi|sdd)$/.test(extension)) {
    await convert(input, 'odp', folder);
    return slides(join(folder, 'in.odp'));
  }
  await convert(input, 'txt:Text (encoded):UTF8', folder);
  const made = join(folder, 'in.txt');
  return existsSync(made) ? { letters: lettersOf(await readFile(made, 'utf8')), cells: [] } : undefined;
}

/** The texts of slides that are shown, without their notes and the words in the place of a picture, which stand on no slide. */
async function slides(file: string): Promise<Source | undefined> {
  if (!existsSync(file)) return undefined;
  const { 'content.xml': content } = unzipSync(await readFile(file), { filter: ({ name }) => name === 'content.xml' });
  if (content === undefined) return undefined;
  const body = strFromU8(content)
    .replace(/[^]*<office:body>/, '')
    .replace(
      /<presentation:notes[^]*?<\/presentation:notes>|<office:annotation[^]*?<\/office:annotation>|<svg:(?:title|desc)>[^<]*/g,
      '',
    )
    .replace(/<(?:presentation:date-time|presentation:footer|presentation:header)-decl[^>]*>[^<]*/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(?:#\d+|[a-z]+);/g, ' ');
  return { letters: lettersOf(body), cells: [] };
}

/** Has LibreOffice convert a file. It may fall, or take too long: then there is no other reading. */
async function convert(input: string, to: string, folder: string): Promise<void> {
  const args = [`-env:UserInstallation=file://${folder}/profile`, '--headless', '--norestore', '--convert-to', to];
  const env = { HOME: folder, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', SAL_USE_VCLPLUGIN: 'svp' };
  const child = spawn(SOFFICE, [...args, '--outdir', folder, input], { env, stdio: 'ignore', detached: true });
  // A group of its own: what it starts ends with it.
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), MS);
  await once(child, 'close');
  clearTimeout(timer);
}
