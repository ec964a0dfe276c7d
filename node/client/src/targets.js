/** Items and paths as the methods take them, into those of requests. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgument } from './errors.js';
import { isUuid } from './values.js';

/** A path: text, or bytes where it is not UTF-8, or a file: URL. @typedef {string | Uint8Array | URL} Path */
/** An item's id, or a path; a string is a path unless it is a UUID. @typedef {Path} Target */
/** One or several. @typedef {Target | Iterable<Target>} Targets */

// Paths are bytes, and path.posix works on text: latin1 has a character for each byte and takes none for another.
const BYTES = 'latin1';

/**
 * A path as the daemon knows it: absolute, the folder it lies in without symbolic links. The last name stays as it is,
 * for a link is a thing of its own.
 * @param {Path} given
 * @returns {Promise<Buffer>}
 * @throws {InvalidArgument} for an empty one, or what is no path
 */
export async function pathBytes(given) {
  const local = given instanceof URL ? fileURLToPath(given) : given;
  if (typeof local !== 'string' && !(local instanceof Uint8Array)) {
    throw new InvalidArgument('a path is text, bytes or a file: URL', { input: String(given) });
  }
  const bytes = typeof local === 'string' ? Buffer.from(local) : Buffer.from(local.buffer, local.byteOffset, local.byteLength);
  if (bytes.length === 0) throw new InvalidArgument('an empty path');
  if (bytes.includes(0)) throw new InvalidArgument('a path with a NUL', { input: bytes });
  const text = path.posix.resolve(Buffer.from(process.cwd()).toString(BYTES), bytes.toString(BYTES));
  const folder = await realFolder(path.posix.dirname(text));
  return Buffer.from(path.posix.join(folder, path.posix.basename(text)), BYTES);
}

/**
 * A folder without symbolic links, as far as it is there.
 * @param {string} folder absolute, a character a byte
 * @returns {Promise<string>}
 */
async function realFolder(folder) {
  if (folder === '/') return folder;
  try {
    return (await realpath(Buffer.from(folder, BYTES), { encoding: 'buffer' })).toString(BYTES);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === undefined) throw error;
    // Not there, or not ours to look at: the daemon says what it makes of it.
    return path.posix.join(await realFolder(path.posix.dirname(folder)), path.posix.basename(folder));
  }
}

/**
 * @param {Target} given
 * @returns {Promise<{ id: string } | { path: Buffer }>}
 */
export async function target(given) {
  return isUuid(given) ? { id: given } : { path: await pathBytes(given) };
}

/**
 * One target, or several.
 * @param {Targets | undefined} given
 * @returns {Promise<({ id: string } | { path: Buffer })[]>}
 */
export async function targets(given) {
  return Promise.all(list(given).map(target));
}

/**
 * @param {Path | Iterable<Path> | undefined} given
 * @returns {Promise<Buffer[]>}
 */
export async function paths(given) {
  return Promise.all(list(given).map(pathBytes));
}

/**
 * @param {Path | Iterable<Path> | undefined} given
 * @returns {Path[]}
 * @throws {InvalidArgument} for what is neither one nor several
 */
function list(given) {
  if (given === undefined) return [];
  if (typeof given === 'string' || given instanceof Uint8Array || given instanceof URL) return [given];
  if (typeof given?.[Symbol.iterator] === 'function') return [...given];
  throw new InvalidArgument('a target is an id or a path, or several', { input: String(given) });
}
