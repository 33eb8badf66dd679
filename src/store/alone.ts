// One process at a time in a folder. A Unix socket is the lock: whoever listens on it holds it, and the kernel lets go
// when the process ends, however it ends. A file with a process id would outlive kill -9, or name somebody else.
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';

const NAME = '.lock'; // names with a dot are no shards of a store
/** Who clears a dead socket away holds this file, by SQLite's lock on it, which ends with its process, too. */
const CLEARING = '.lock-clearing';
const CLEARING_MS = 10_000;
const AGAIN_MS = 20;

/** Holds a folder (made if need be) for this process until the returned function is called. Held by another: `in-use`. */
export async function holdAlone(folder: string): Promise<() => Promise<void>> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new MugaiError('store-failed', `cannot use ${folder}: ${reasonOf(error)}`, { permanent: true, cause: error });
  }
  // The path of a socket is at most 107 bytes (unix(7)); this one is short wherever the folder lies.
  const directory = openSync(folder, 'r');
  const path = `/proc/self/fd/${directory}/${NAME}`;
  try {
    const server = (await listen(path)) ?? ((await answers(path)) ? undefined : await takeOver(folder, path));
    if (server !== undefined) {
      return async () => {
        server.close();
        closeSync(directory);
      };
    }
  } catch (error) {
    closeSync(directory);
    throw new MugaiError('store-failed', `cannot lock ${folder}: ${reasonOf(error)}`, {
      permanent: true,
      cause: error,
    });
  }
  closeSync(directory);
  throw new MugaiError('in-use', `${folder} is in use by another gateway; give this one a data folder of its own`, {
    permanent: true,
  });
}

/**
 * Takes the place of a socket whose process ended without a word; undefined when another newcomer was quicker. One at a time: of
 * two that find the same dead socket, the later one would take away what the earlier one listens on by then.
 */
async function takeOver(folder: string, path: string): Promise<Server | undefined> {
  const { DatabaseSync } = await import('node:sqlite');
  const clearing = new DatabaseSync(join(folder, CLEARING), { timeout: 0 });
  try {
    const deadline = performance.now() + CLEARING_MS;
    for (let had = false; !had;) {
      try {
        clearing.exec('BEGIN EXCLUSIVE');
        had = true;
      } catch (error) {
        if (!/locked/.test(reasonOf(error)) || performance.now() > deadline) throw error;
        await sleep(AGAIN_MS);
      }
    }
    if (await answers(path)) return undefined;
    try {
      unlinkSync(join(folder, NAME));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error; // let go of meanwhile
    }
    return await listen(path); // whoever came just now without finding a socket has it
  } finally {
    clearing.close();
  }
}
/** Listens on a path; undefined when there is a socket already. */
async function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen(path);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return server;
}

async function answers(path: string): Promise<boolean> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (systemCode(error) === 'ECONNREFUSED' || systemCode(error) === 'ENOENT') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
