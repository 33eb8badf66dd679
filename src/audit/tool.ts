// The auditor's tool as one file: page, style and script of tool/, the keys put in, and a policy that allows nothing else.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ACTS } from '../message/act.ts';

const part = async (name: string): Promise<string> => readFile(new URL(`./tool/${name}`, import.meta.url), 'utf8');
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * The tool's HTML. `keys`: public keys in PEM that it trusts from the start; none: whoever uses it drops them. The page may
 * run this one script and apply this one style; it can load and send nothing.
 */
export async function auditorTool(keys: string): Promise<string> {
  const [page, style, journals, code] = await Promise.all([
    part('auditor.html'),
    part('auditor.css'),
    part('journals.js'),
    part('auditor.js'),
  ]);
  const blocks = keys.match(/-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----/g) ?? [];
  const script = `${journals}\n${code}`
    .replace("'%KEYS%'", () => JSON.stringify(blocks.join('\n')))
    .replace("'%ACTS%'", () => JSON.stringify(ACTS.join(' ')));
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; form-action 'none'; base-uri 'none'`;
  const filled: { readonly [place: string]: string } = {
    '%POLICY%': policy,
    '<!-- STYLE -->': `<style>${style}</style>`,
    '<!-- SCRIPT -->': `<script>${script}</script>`,
  };
  return page.replace(/%POLICY%|<!-- (?:STYLE|SCRIPT) -->/g, (place) => filled[place] ?? '');
}
