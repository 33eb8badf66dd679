// The parts of one mail: a row for each leaf, and the text of those that make its body.
import type { Language } from '../message/account.ts';
import { LIMITS } from '../message/limits.ts';
import type { PartRow, Remark } from '../message/part.ts';
import { forLine } from '../message/untrusted.ts';
import { withLinks } from './links.ts';
import { bodyLeaves, type Role } from './mail-body.ts';
import { rowOf, type Leaf } from './part.ts';
import type { MailTreeNode, ReadMail } from './read-mail.ts';
import type { Tools } from './tools.ts';

/** What was seen of a part before its conversion. */
export interface Remarks {
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
}

/** What the parts of a mail need of the walk that they are in. */
export interface Rows {
  readonly rows: PartRow[];
  /** Converts a leaf that is no body text; its row is added. */
  leaf(leaf: Leaf, seen: Remarks): Promise<PartRow>;
}

const OTHER_FORM = {
  ja: '── 本文は別の形式でも書かれており、内容が違います ──',
  en: '── The message is also written in another form, which says something else ──',
} as const;

/**
 * Rows for all leaves of `mail` go to `walk`; the joined text of those that make its body, which will stand in `textFile`,
 * comes back. What was seen of the mail as a whole stands in its first row.
 */
export async function mailParts(
  mail: ReadMail,
  parent: Leaf,
  textFile: string,
  walk: Rows,
  tools: Tools,
): Promise<string> {
  const roles = bodyLeaves(mail.nodes.map((node) => ({ ...node.part, text: node.text })));
  const { language, links } = tools.policy;
  const texts = new Map<string, string>();
  const pictures = new Map<string, string>();
  let whole: Remarks = mail;
  for (const node of mail.nodes) {
    if (node.content === undefined) continue;
    const own = node.part.path.join('.');
    const leaf: Leaf = {
      path: parent.path === '' ? own : `${parent.path}.${own}`,
      depth: parent.depth,
      name: node.part.name,
      declaredType: node.part.type,
      charset: node.part.charset,
      content: node.content,
    };
    const seen = { findings: [...whole.findings, ...node.findings], losses: [...whole.losses, ...node.losses] };
    whole = { findings: [], losses: [] };
    try {
      if (node.text === undefined) {
        const row = await walk.leaf(leaf, seen);
        const words = pictureWords(row, language);
        for (const called of node.part.contentId.split(' ')) if (called !== '') pictures.set(called, words);
      } else {
        const role = roles.get(own);
        walk.rows.push(bodyRow(leaf, node, role, textFile, seen));
        const text = node.text.trimEnd(); // /\s+$/ takes the square of a run of blanks inside the text
        if (role !== undefined && text.trim() !== '')
          texts.set(own, role === 'other' ? `${OTHER_FORM[language]}\n\n${text}` : text);
      }
    } finally {
      await node.content.discard();
    }
  }
  const inOrder = [...roles.keys()].flatMap((path) => texts.get(path) ?? []);
  return withLinks(withPictures(inOrder.join('\n\n'), pictures), links, language);
}

function bodyRow(leaf: Leaf, node: MailTreeNode, role: Role | undefined, textFile: string, seen: Remarks): PartRow {
  const findings = [...seen.findings];
  if (role === 'other') findings.push({ code: 'alternative-differs', detail: leaf.declaredType });
  if (role === undefined && (node.text ?? '').trim() !== '')
    findings.push({ code: 'alternative-not-shown', detail: leaf.declaredType });
  const row = rowOf(leaf, leaf.declaredType, {
    verdict: role === undefined ? 'dropped' : 'text',
    reason: null,
    outputs: [],
    pages: 0,
    findings,
    losses: seen.losses,
  });
  return role === undefined ? row : { ...row, outputs: [textFile] };
}

function pictureWords(row: PartRow, language: Language): string {
  const file = row.outputs[0]?.replace(/^files\//, '');
  if (file !== undefined) return file;
  const gone = language === 'ja' ? 'お届けできません' : 'not delivered';
  return row.name === '' ? gone : `${forLine(row.name, 100)}: ${gone}`;
}

const MARK = /\[画像 (?:cid:([^\]\n]{1,300})|(at:[0-9a-f]{20})(?: ([^\]\n]{1,500}))?)\]/g;

/**
 * The child marks where a picture stood by its Content-ID, or by its place with the words instead of it; here it gets the name of the
 * file that it became. What lies at a place may be outside, too: then those words are all there is.
 */
function withPictures(text: string, pictures: ReadonlyMap<string, string>): string {
  if (!text.includes('[画像 ')) return text;
  let named = 0;
  return text.replace(MARK, (_mark, id: string | undefined, place: string | undefined, instead = '') => {
    const words = pictures.get(id ?? place ?? '');
    // Half a million marks of one picture with a long name would be 60 MB of its name.
    const file = words === undefined || (named += 1) > LIMITS.parts ? undefined : words;
    if (file !== undefined) return `［画像: ${file}］`;
    if (id !== undefined) return '［画像］';
    return instead === '' ? '' : `[画像: ${instead}]`;
  });
}
