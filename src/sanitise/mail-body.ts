// Which leaves of a mail are its body. multipart/alternative: the plain text when it says anything, otherwise the last
// form that does (RFC 2046 §5.1.4 orders forms from plain to rich). A form that says something else is shown, too: nobody
// can tell which of two messages was meant (attack row 37). A calendar is no form of the text but an invitation beside it.

/** A node of the MIME tree as the mail child reported it. `text` is undefined where the leaf is no body text. */
export interface BodyNode {
  readonly path: readonly number[];
  readonly kind: 'leaf' | 'multipart';
  readonly type: string;
  readonly text: string | undefined;
}

/** What a text leaf is: `body` is shown, `other` is shown because it says something else, the rest is left out. */
export type Role = 'body' | 'other';

/** Roles by path (joined by dots) of the leaves that are shown, in order. */
export function bodyLeaves(nodes: readonly BodyNode[]): Map<string, Role> {
  const root = nodes.find((node) => node.kind === 'multipart' && node.path.length === 0);
  const shown =
    root === undefined
      ? nodes.filter((node) => node.text !== undefined).map((node) => ({ node, role: 'body' as const }))
      : choose(root, childrenOf(nodes));
  return new Map(shown.map(({ node, role }) => [node.path.join('.'), role]));
}

interface Shown {
  readonly node: BodyNode;
  readonly role: Role;
}

type Children = ReadonlyMap<string, readonly BodyNode[]>;

function childrenOf(nodes: readonly BodyNode[]): Children {
  const children = new Map<string, BodyNode[]>();
  for (const node of nodes) {
    if (node.path.length === 0) continue;
    const parent = node.path.slice(0, -1).join('.');
    const list = children.get(parent) ?? [];
    list.push(node);
    children.set(parent, list);
  }
  return children;
}

function choose(node: BodyNode, children: Children): Shown[] {
  if (node.kind === 'leaf') return node.text === undefined ? [] : [{ node, role: 'body' }];
  const forms = (children.get(node.path.join('.')) ?? []).map((child) => choose(child, children));
  if (node.type !== 'multipart/alternative') return forms.flat();
  const told = forms.filter((form) => form.some((leaf) => (leaf.node.text ?? '').trim() !== ''));
  const calendars = told.filter((form) => isAll(form, 'text/calendar'));
  const rest = told.filter((form) => !isAll(form, 'text/calendar'));
  // AMP is a form for programs that few mail readers know; it may differ from what people see (AMP4Email has no preview).
  const readable = rest.filter((form) => !isAll(form, 'text/x-amp-html'));
  const candidates = readable.length > 0 ? readable : rest;
  const plain = candidates.find((form) =>
    form.every((leaf) => leaf.node.type !== 'text/html' && leaf.node.type !== 'application/rtf'),
  );
  const chosen = plain ?? candidates.at(-1) ?? [];
  const others = candidates.filter((form) => form !== chosen && !saysTheSame(textOf(chosen), textOf(form)));
  return [
    ...chosen,
    ...others.flat().map((leaf) => ({ ...leaf, role: 'other' as const })),
    ...calendars.flat(),
  ].toSorted((a, b) => order(a) - order(b));
}

const order = ({ role }: Shown): number => (role === 'body' ? 0 : 1);

function isAll(form: readonly Shown[], type: string): boolean {
  return form.every((leaf) => leaf.node.type === type);
}

function textOf(form: readonly Shown[]): string {
  return form.map((leaf) => leaf.node.text ?? '').join('\n');
}

/** Letters of a text that are compared. */
const COMPARED = 40_000;

/**
 * True when two forms of a text agree: most pairs of letters of the shorter one are in the other, and the other has not
 * several times as much to say. Targets of links, marks of pictures, signs and spaces do not count: forms differ in them.
 */
export function saysTheSame(a: string, b: string): boolean {
  const [left, right] = [pairsOf(a), pairsOf(b)];
  const [small, large] = left.size < right.size ? [left, right] : [right, left];
  if (large.size > 60 && large.size > small.size * 3) return false;
  if (small.size < 8) return true;
  let common = 0;
  for (const pair of small) if (large.has(pair)) common += 1;
  return common * 2 >= small.size;
}

function pairsOf(text: string): Set<string> {
  const letters = text
    .slice(0, COMPARED)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/<?[a-z]{2,10}:\/\/[^\s<>]*>?|<[^\s<>@]{0,200}@[^\s<>]{0,200}>|\[画像[^\]\n]{0,300}\]/g, '')
    .replace(/[^\p{L}\p{N}]/gu, '');
  const pairs = new Set<string>();
  for (let at = 0; at + 1 < letters.length; at++) pairs.add(letters.slice(at, at + 2));
  return pairs;
}
