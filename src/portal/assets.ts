// What pages load besides themselves: style, script, fonts, the Digital Agency's design tokens. All from this machine.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';

const require = createRequire(import.meta.url);
const OWN = fileURLToPath(new URL('./assets/', import.meta.url));
const FONTS = dirname(require.resolve('@fontsource/biz-udgothic/package.json'));
const TOKENS = dirname(require.resolve('@digital-go-jp/design-tokens'));

const TYPES: { readonly [extension: string]: string } = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
};

/** Where an asset lies, by its name; undefined for a name that is none. */
function placeOf(name: string): string | undefined {
  if (/^(portal\.css|portal\.js|passkey\.js|mark\.svg)$/.test(name)) return join(OWN, name);
  if (/^(400|700)\.css$/.test(name)) return join(FONTS, name);
  if (name === 'tokens.css') return join(TOKENS, 'tokens.css');
  return undefined;
}

interface Asset {
  readonly bytes: Buffer;
  readonly type: string;
  readonly tag: string;
}

/** Declares `/assets/…`. Files are read once; browsers keep them and ask again only whether they changed. */
export function addAssets(app: FastifyInstance, more: ReadonlyMap<string, string>): void {
  const kept = new Map<string, Asset>();
  const load = (name: string, place: string): Asset => {
    const known = kept.get(name);
    if (known !== undefined) return known;
    const bytes = readFileSync(place);
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const asset = { bytes, type: TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream', tag };
    kept.set(name, asset);
    return asset;
  };
  app.get<{ Params: { name: string } }>('/assets/:name', async (request, reply) => {
    const place = placeOf(request.params.name) ?? more.get(request.params.name);
    if (place === undefined) return reply.callNotFound();
    const { bytes, type, tag } = load(request.params.name, place);
    reply.header('Cache-Control', 'public, max-age=3600').header('ETag', tag);
    if (request.headers['if-none-match'] === tag) return reply.code(304).send();
    return reply.type(type).send(bytes);
  });
  app.get<{ Params: { name: string } }>('/assets/files/:name', async (request, reply) => {
    const { name } = request.params;
    if (!/^biz-udgothic-[a-z0-9-]{1,40}\.woff2$/.test(name)) return reply.callNotFound();
    const { bytes, type } = load(name, join(FONTS, 'files', name));
    return reply.header('Cache-Control', 'public, max-age=31536000, immutable').type(type).send(bytes);
  });
}
