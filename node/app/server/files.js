/** Opens what the daemon has told of, and nothing else: no path ever comes from a client. */
import { constants } from 'node:fs';
import { open, readlink, realpath, statfs } from 'node:fs/promises';
import path from 'node:path';
import { HttpError } from './errors.js';
import { nameOf } from './map.js';
import { disposition, isShown, typeOf } from './mime.js';

/** @import { FileHandle } from 'node:fs/promises' */
/** @import { Item, File } from './types.js' */
/** @import { Library } from './library.js' */

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const BYTES = 'latin1'; // a character a byte: names are bytes

// File systems whose inode numbers are made up and may change (settled 15): linux/magic.h and the headers of each.
const MADE_UP_INODES = new Set([0x4d44, 0x2011bab0, 0x65735546, 0xff534d42, 0xfe534d42, 0x517b, 0x5346544e, 0x7366746e]);

/**
 * A file that is open, compared with its record, and in a root.
 * @typedef {object} Opened
 * @property {FileHandle} handle
 * @property {Item} item
 * @property {File} file
 * @property {string} name for people
 * @property {number} size
 * @property {number} mtime seconds
 * @property {string} etag
 * @property {string} type of its content
 */

export class Files {
  /**
   * @param {Library} library
   * @param {{ from: string, to: string }[]} map where the daemon's folders are on this machine
   */
  constructor(library, map) {
    this.library = library;
    // The longest first: the most specific one counts.
    this.map = map.map(({ from, to }) => ({ from: Buffer.from(from).toString(BYTES), to: Buffer.from(to).toString(BYTES) }))
      .sort((a, b) => b.from.length - a.from.length); // prettier-ignore
  }

  /** @param {Buffer} given as the daemon names it @returns {string} a character a byte, as it is here */
  place(given) {
    const text = given.toString(BYTES);
    const mapped = this.map.find(({ from }) => isBelow(text, from));
    return mapped ? path.posix.join(mapped.to, text.slice(mapped.from.length)) : text;
  }

  /** The other way round. @param {string} here a path of this machine @returns {Buffer} as the daemon names it */
  reverse(here) {
    const text = Buffer.from(here).toString(BYTES);
    const mapped = this.map.find(({ to }) => isBelow(text, to));
    return mapped ? Buffer.from(path.posix.join(mapped.from, text.slice(mapped.to.length)), BYTES) : Buffer.from(here);
  }

  /**
   * The record of an item.
   * @param {string} id
   * @param {{ actor: string, signal?: AbortSignal, kind?: string }} how `kind`: what it must be
   * @returns {Promise<Item>}
   * @throws {HttpError} not_found
   */
  async record(id, { actor, signal, kind }) {
    const [{ item, problem }] = await this.library.client.get(id, { actor, signal });
    if (problem) throw problem;
    if (!item) throw new HttpError('not_found', 'no item of this id', { input: id });
    if (kind && kind !== 'file' && kind !== item.kind) throw new HttpError('not_found', `this is no ${kind}: it is ${item.kind}`, { input: id });
    return item;
  }

  /**
   * Opens a file of an item: the first that is here, or the one of that number.
   * @param {Item} item with everything
   * @param {number} [number]
   * @returns {Promise<Opened>} its handle is the caller's to close
   * @throws {HttpError} not_found, unavailable (the volume is not here), conflict (it changed), permission_denied
   */
  async open(item, number) {
    const here = item.files.filter((each) => (number === undefined || each.id === number) && each.state !== 'missing' && each.type === 'f');
    if (number !== undefined && here.length === 0) throw new HttpError('not_found', 'the item has no such file', { input: String(number) });
    if (here.length === 0) throw new HttpError('not_found', 'every file of this item is missing', { input: item.id });
    /** @type {unknown} */
    let failed = new HttpError('unavailable', 'the volume of this file is not here', { input: item.id, retryAfter: 30 });
    for (const file of here) {
      if (file.path.length === 0) continue;
      try {
        return await this.#open(item, file);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        failed = error;
      }
    }
    throw failed;
  }

  /** @param {Item} item @param {File} file @returns {Promise<Opened>} */
  async #open(item, file) {
    const input = file.pathDisplay;
    const place = this.place(file.path);
    const handle = await openOnly(Buffer.from(place, BYTES), input);
    try {
      const stat = await handle.stat({ bigint: true });
      if (!stat.isFile()) throw new HttpError('conflict', 'this is not a regular file any more', { input, retryAfter: 2 });
      await this.#checkInside(handle, input);
      const mapped = place !== file.path.toString(BYTES);
      // Another mount of the same files may keep coarser times: FAT has steps of 2 s.
      const late = stat.mtimeNs - file.mtimeNs;
      const same = Number(stat.size) === file.size && (mapped ? late > -2_000_000_000n && late < 2_000_000_000n : late === 0n);
      const moved = !mapped && file.inode !== 0n && stat.ino !== file.inode && !(await this.#inodesAreMadeUp(place));
      if (!same || moved) throw new HttpError('conflict', 'the file has changed since it was read', { input, retryAfter: 2 });
      const name = nameOf(file);
      const sum = file.digests.find(({ algorithm, scope }) => algorithm === 'sha256' && scope === 'file');
      return {
        handle, item, file, name,
        size: file.size,
        mtime: Number(stat.mtimeNs / 1_000_000n) / 1000,
        etag: sum ? `"${sum.value.toString('hex')}"` : `"${file.size.toString(16)}-${file.mtimeNs.toString(16)}-${file.inode.toString(16)}"`,
        type: typeOf(name, item.format, item.kind),
      }; // prettier-ignore
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** A symbolic link in the middle of the path may lead anywhere. @param {FileHandle} handle @param {string} input */
  async #checkInside(handle, input) {
    const real = (await readlink(`/proc/self/fd/${handle.fd}`, { encoding: 'buffer' })).toString(BYTES);
    for (const fresh of [false, true]) {
      for (const { path: root } of await this.library.roots({ fresh })) {
        if (root.length === 0) continue;
        const top = await this.#realPlace(root);
        if (isBelow(real, top)) return;
      }
    }
    throw new HttpError('permission_denied', 'the file lies in no root of the library', { input });
  }

  /** Where a root is, symbolic links followed in what the configuration says, in nothing behind it. @param {Buffer} root */
  async #realPlace(root) {
    const text = root.toString(BYTES);
    const mapped = this.map.find(({ from }) => isBelow(text, from));
    if (!mapped) return text;
    try {
      const to = await realpath(Buffer.from(mapped.to, BYTES), { encoding: 'buffer' });
      return path.posix.join(to.toString(BYTES), text.slice(mapped.from.length));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return this.place(root); // not mounted: nothing is in it
      throw error;
    }
  }

  /** @param {string} place */
  async #inodesAreMadeUp(place) {
    return MADE_UP_INODES.has((await statfs(Buffer.from(place, BYTES))).type);
  }
}

/** Whether a path is a folder or lies below it. @param {string} place @param {string} folder */
const isBelow = (place, folder) => place === folder || place.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** @param {Buffer} bytes @param {string} input */
async function openOnly(bytes, input) {
  try {
    // O_NONBLOCK: a FIFO put in the place of a file would hold a thread for ever.
    return await open(bytes, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new HttpError('not_found', 'the file is not there any more', { input });
    if (code === 'EACCES' || code === 'EPERM') throw new HttpError('permission_denied', 'the file system does not let the web server read this file', { input });
    if (code === 'ELOOP' || code === 'ENXIO') throw new HttpError('conflict', 'this is not a regular file any more', { input });
    if (code === 'EMFILE' || code === 'ENFILE') throw new HttpError('unavailable', 'too many files are open', { input, retryAfter: 2 });
    throw new HttpError('io_error', `the file cannot be opened: ${code}`, { input });
  }
}

/**
 * The headers of a file as it is: what could hold scripts is saved, in a sandbox, never shown in place.
 * @param {Opened} opened
 * @param {{ attachment?: boolean }} [how]
 * @returns {Record<string, string>}
 */
export function headersOf({ name, type }, { attachment = false } = {}) {
  const shown = isShown(type) && !attachment;
  return {
    'content-type': type,
    'content-disposition': disposition(shown ? 'inline' : 'attachment', name),
    'cache-control': 'private, no-cache',
    ...(isShown(type) ? {} : { 'content-security-policy': "sandbox; default-src 'none'" }),
  };
}
