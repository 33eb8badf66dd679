// The power cut: builds the data folder that would be found after it, from what was synced before it (see disk.ts).
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';

interface Synced {
  readonly at: number;
  readonly key: string;
  readonly entries?: readonly (readonly [name: string, key: string, folder: boolean])[];
}

type Entries = NonNullable<Synced['entries']>;

/** Makes the folder in which the model keeps what is durable. */
export function openShadow(shadow: string): void {
  mkdirSync(join(shadow, 'content'), { recursive: true });
}

/**
 * Cuts the power of the gateway that wrote `root` (its process is dead already): `root` becomes what survived. `luck`
 * says for each file or name that was not synced whether it survives all the same, as a real disk may have it.
 * Returns how many names vanished.
 */
export function cutPower(root: string, shadow: string, luck: () => boolean): number {
  if (!existsSync(root)) return 0; // it died before it made anything
  const folders = new Map<string, Entries>();
  for (const synced of syncsOf(shadow)) if (synced.entries !== undefined) folders.set(synced.key, synced.entries);
  const after = `${root}.after`;
  rmSync(after, { recursive: true, force: true });
  const life = { folders, shadow, luck, lost: 0 };
  survive(root, after, life);
  rmSync(`${root}.before`, { recursive: true, force: true });
  renameSync(root, `${root}.before`);
  renameSync(after, root);
  baseline(root, shadow);
  rmSync(`${root}.before`, { recursive: true, force: true });
  return life.lost;
}

function syncsOf(shadow: string): Synced[] {
  const lines = readdirSync(shadow)
    .filter((name) => name.startsWith('log-'))
    .flatMap((name) => readFileSync(join(shadow, name), 'utf8').split('\n'));
  // The last line of a log may be half: its process was killed while it wrote, so its sync had not been told yet.
  const whole = lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Synced);
  return whole.toSorted((a, b) => a.at - b.at);
}

interface Life {
  readonly folders: ReadonlyMap<string, Entries>;
  readonly shadow: string;
  readonly luck: () => boolean;
  lost: number;
}

function survive(from: string, to: string, life: Life): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const key = keyOf(from);
  const durable = new Map((life.folders.get(key) ?? []).map(([name, of, folder]) => [name, { key: of, folder }]));
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    const stat = lstatSync(path);
    if (!stat.isFile() && !stat.isDirectory()) continue; // the socket of the lock
    if (durable.get(name)?.key !== keyOf(path) && !life.luck()) {
      life.lost += 1;
      continue;
    }
    durable.delete(name);
    if (stat.isDirectory()) survive(path, join(to, name), life);
    else content(path, join(to, name), life);
  }
  // What was deleted, renamed or replaced after the last sync of its folder is found again under its old name.
  for (const [name, entry] of durable) {
    if (existsSync(join(to, name))) continue;
    if (entry.folder) mkdirSync(join(to, name), { mode: 0o700 });
    else if (existsSync(join(life.shadow, 'content', entry.key)))
      copyFileSync(join(life.shadow, 'content', entry.key), join(to, name));
  }
}

/** Synced bytes survive; others only by luck, and a name without its bytes is an empty file. */
function content(path: string, to: string, life: Life): void {
  const kept = join(life.shadow, 'content', keyOf(path));
  const size = existsSync(kept) ? lstatSync(kept).size : 0;
  if (size < lstatSync(path).size && life.luck()) copyFileSync(path, to);
  else if (existsSync(kept)) copyFileSync(kept, to);
  else appendFileSync(to, '');
}

/** What was found after the cut is durable from now on. */
function baseline(root: string, shadow: string): void {
  for (const name of readdirSync(shadow)) if (name.startsWith('log-')) rmSync(join(shadow, name));
  rmSync(join(shadow, 'content'), { recursive: true, force: true });
  openShadow(shadow);
  const walk = (folder: string): void => {
    const entries = readdirSync(folder).map((name) => {
      const path = join(folder, name);
      const isFolder = lstatSync(path).isDirectory();
      if (isFolder) walk(path);
      else copyFileSync(path, join(shadow, 'content', keyOf(path)));
      return [name, keyOf(path), isFolder] as const;
    });
    const line = { at: 0, key: keyOf(folder), entries };
    appendFileSync(join(shadow, 'log-baseline.jsonl'), `${JSON.stringify(line)}\n`);
  };
  walk(root);
}

function keyOf(path: string): string {
  const stat = lstatSync(path, { bigint: true });
  return `${stat.ino}-${stat.birthtimeNs}`;
}
