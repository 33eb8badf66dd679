// A package registry on loopback with what the lock file names: bytes from npm's own cache, where `npm ci` left them.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

interface Locked {
  readonly name?: string;
  readonly version: string;
  readonly integrity?: string;
}

export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** Packages that npm's cache does not hold (any more). */
  readonly missing: ReadonlySet<string>;
}

/** Serves the packages of a lock file. */
export async function startRegistry(lockFile: string): Promise<Registry> {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const cache = join(execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim(), '_cacache');
  const byName = new Map<string, Map<string, string>>();
  for (const [path, { name = path.split('node_modules/').at(-1) ?? '', version, integrity }] of Object.entries(
    packages,
  ))
    if (path !== '' && integrity !== undefined)
      byName.set(name, (byName.get(name) ?? new Map<string, string>()).set(version, integrity));
  const missing = new Set<string>();
  const server = createServer((request, response) => {
    const [name = '', version] = decodeURIComponent((request.url ?? '').slice(1)).split('/-/');
    const versions = byName.get(name);
    const integrity = versions?.get(version ?? '');
    if (version === undefined && versions !== undefined) response.end(JSON.stringify(aboutOf(name, versions)));
    else if (integrity !== undefined)
      try {
        response.end(readFileSync(join(cache, placeOf(integrity))));
      } catch {
        missing.add(`${name}@${version}`);
        response.writeHead(404).end();
      }
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
  /** What a registry tells of a package. */
  function aboutOf(name: string, versions: ReadonlyMap<string, string>): object {
    const told = [...versions].map(([version, integrity]) => [
      version,
      { name, version, dist: { tarball: `${url}${name}/-/${version}`, integrity } },
    ]);
    return { name, 'dist-tags': { latest: [...versions.keys()].at(-1) }, versions: Object.fromEntries(told) };
  }
  return {
    url,
    missing,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Where npm's cache keeps the bytes of a digest. */
function placeOf(integrity: string): string {
  const [algorithm = '', digest = ''] = integrity.split(' ')[0]?.split(/-(.*)/) ?? [];
  const hex = Buffer.from(digest, 'base64').toString('hex');
  return join('content-v2', algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
}
