// Pages as a second view beside a text: a table as a table, HTML as a page.
import { MugaiError, type ErrorCode } from '../message/errors.ts';
import { OverBudget } from './budget.ts';
import { convertOffice, type As } from './convert-office.ts';
import { refusal, type Converted, type Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** Trouble with the children that costs the pages, and not the text. */
const NO_PAGES: ReadonlySet<ErrorCode> = new Set(['no-child', 'child-killed', 'child-failed']);

/** The text with its pages. What hinders them does not cost the text, and is told. */
export async function withPages(text: Converted, leaf: Leaf, as: As, tools: Tools): Promise<Converted> {
  const pages = await pagesOf(leaf, as, tools);
  if (pages.verdict !== 'pages')
    return { ...text, losses: [...text.losses, { code: 'pages-not-shown', detail: pages.reason ?? '' }] };
  return {
    ...text,
    outputs: [...text.outputs, ...pages.outputs],
    pages: pages.pages,
    findings: [...text.findings, ...pages.findings],
    losses: [...text.losses, ...pages.losses],
  };
}

async function pagesOf(leaf: Leaf, as: As, tools: Tools): Promise<Converted> {
  try {
    return await convertOffice(leaf, tools, as);
  } catch (error) {
    if (error instanceof OverBudget) return refusal(error.reason);
    if (error instanceof MugaiError && NO_PAGES.has(error.code)) return refusal('converter-failed');
    throw error;
  }
}
