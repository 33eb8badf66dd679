// Which leaves of a mail are its body. multipart/alternative: the plain text when it says anything, otherwise the last
// form that does (RFC 2046 §5.1.4 orders forms from plain to rich); the others are told as not shown.

/** A node of the MIME tree as the mail child reported it. `text` is undefined where the leaf is no body text. */
export interface BodyNode {
  readonly path: readonly number[];
  readonly kind: 'leaf' | 'multipart';
  readonly type: string;
  readonly text: string | undefined;
}

/** Paths (joined by dots) of the leaves that make the body, in order. */
export function bodyLeaves(nodes: readonly BodyNode[]): Set<string> {
  const root = nodes.find((node) => node.kind === 'multipart' && node.path.length === 0);
  const chosen = root === undefined ? nodes.filter((node) => node.text !== undefined) : choose(root, nodes);
  return new Set(chosen.map((node) => node.path.join('.')));
}

function choose(node: BodyNode, nodes: readonly BodyNode[]): BodyNode[] {
  if (node.kind === 'leaf') return node.text === undefined ? [] : [node];
  const children = nodes.filter(
    (child) =>
      child.path.length === node.path.length + 1 && node.path.every((index, depth) => child.path[depth] === index),
  );
  const forms = children.map((child) => choose(child, nodes));
  if (node.type !== 'multipart/alternative') return forms.flat();
  const told = forms.filter((form) => form.some((leaf) => (leaf.text ?? '').trim() !== ''));
  const plain = told.find((form) => form.every((leaf) => leaf.type !== 'text/html'));
  return plain ?? told.at(-1) ?? [];
}
