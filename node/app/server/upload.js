/** Files on their way in: beside the library until they are whole, then under a name that nothing had. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MediadError } from 'mediadb';
import { HttpError } from './errors.js';

/** @import { Readable } from 'node:stream' */
/** @import { Config } from './config.js' */
/** @import { Library } from './library.js' */
/** @import { Files } from './files.js' */
/** @import { Jobs, Job } from './jobs.js' */

const SPARE_BYTES = 64 * 1024 * 1024; // of the file system stay free
const KEPT_MS = 7 * 24 * 3600 * 1000; // an upload that nobody goes on with
const APPEAR_MS = 20_000; // until the daemon's watch has told of a file; then it is asked to look
const NAME_BYTES = 255; // NAME_MAX of Linux
const AGAIN_MS = 10_000; // until what found too many jobs running is tried again
const PART = /^\.([0-9a-f-]{36})\.part$/;
const FACTS = /^\.([0-9a-f-]{36})\.json\.part$/;
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

/**
 * A resumable upload, as it stands beside its bytes.
 * @typedef {{ id: string, name: string, length: number, actor: string, made: number }} Resumable
 */

/**
 * A name for the file system from what a client calls it: never a path, never hidden, never too long.
 * @param {string} hint
 */
export function cleanName(hint) {
  // A client on Windows may send its path; what stands behind the last separator is the name.
  let name = hint.slice(Math.max(hint.lastIndexOf('/'), hint.lastIndexOf('\\')) + 1);
  // Control characters, and those that turn the direction of text and make `gpj.exe` of `exe.jpg`.
  name = name.toWellFormed().normalize('NFC').replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
  name = name.replace(/[<>:"|?*]/g, '_').replace(/^[\s.]+|[\s.]+$/g, '');
  if (name.toLowerCase().endsWith('.part')) name = `${name}_`; // the library passes these over
  const extension = /\.[^.\s]{1,16}$/.exec(name)?.[0] ?? '';
  let stem = name.slice(0, name.length - extension.length);
  while (Buffer.byteLength(stem) + Buffer.byteLength(extension) > NAME_BYTES - 16) stem = [...stem].slice(0, -1).join('');
  return stem + extension || 'upload';
}

export class Uploads {
  /** @type {Set<string>} ids that are being written to, or get their place */
  #busy = new Set();

  /** @type {NodeJS.Timeout | null} */
  #soon = null;

  /** @param {Config} config @param {Library} library @param {Files} files @param {Jobs} jobs @param {(error: unknown) => void} log */
  constructor(config, library, files, jobs, log) {
    this.log = log;
    this.config = config;
    this.library = library;
    this.files = files;
    this.jobs = jobs;
  }

  /** @throws {HttpError} unsupported */
  demand() {
    if (!this.config.staging) throw new HttpError('unsupported', 'this server takes no uploads: staging and incoming are not set in mediadb-app.toml', { status: 403 });
  }

  /** @param {string} id */
  #part(id) {
    return path.join(this.config.staging, `.${id}.part`);
  }
  /** Its facts; named so that the library passes them over. @param {string} id */
  #facts(id) {
    return path.join(this.config.staging, `.${id}.json.part`);
  }

  /**
   * Whether there is room, and a root to come into.
   * @param {number | undefined} bytes as announced
   * @throws {HttpError} limit_exceeded, disk_full, conflict
   */
  async check(bytes) {
    this.demand();
    const { staging, incoming, upload_bytes: most } = this.config;
    if (bytes !== undefined && bytes > most) throw new HttpError('limit_exceeded', `a file has at most ${most} bytes`, { input: String(bytes) });
    const roots = await this.library.roots();
    const inside = (/** @type {{ path: Buffer }[]} */ all) => all.some((root) => root.path.length && within(Buffer.from(incoming).toString('latin1'), this.files.place(root.path)));
    if (!inside(roots) && !inside(await this.library.roots({ fresh: true }))) {
      throw new HttpError('conflict', 'the folder incoming lies in no root of the library: add it, or set another', { input: incoming });
    }
    let room;
    try {
      room = await statfs(staging);
    } catch (error) {
      throw new HttpError('io_error', `the staging folder cannot be used: ${/** @type {NodeJS.ErrnoException} */ (error).code}`, { input: staging });
    }
    if (room.bavail * room.bsize < (bytes ?? 0) + SPARE_BYTES) throw new HttpError('disk_full', 'there is no room for this file', { input: staging });
  }

  /**
   * Takes a whole file.
   * @param {Readable} stream
   * @param {{ name: string, actor: string, bytes?: number, truncated?: () => boolean }} of
   * @returns {Promise<Job>} what places it
   * @throws {HttpError} limit_exceeded, disk_full, invalid_argument; nothing is left of it then
   */
  async take(stream, { name, actor, bytes, truncated = () => false }) {
    await this.check(bytes);
    const id = randomUUID();
    const part = this.#part(id);
    this.#busy.add(id);
    try {
      const size = await this.#write(part, stream, { at: 0, most: this.config.upload_bytes });
      if (truncated()) throw new HttpError('limit_exceeded', `a file has at most ${this.config.upload_bytes} bytes`, { input: name });
      if (bytes !== undefined && size !== bytes) throw new HttpError('invalid_argument', `the upload ended after ${size} of ${bytes} bytes`, { input: name });
      // From here on its sender is told that it is here: a restart before it has its place finds it by this.
      await this.#note({ id, name, length: size, actor, made: Date.now() });
      return this.#begin(id, { name, actor, size });
    } catch (error) {
      await unlink(part).catch(ignoreMissing);
      await unlink(this.#facts(id)).catch(ignoreMissing);
      this.#busy.delete(id);
      throw error;
    }
  }

  /**
   * Bytes to the end of a file, durably.
   * @param {string} file
   * @param {Readable} stream
   * @param {{ at: number, most: number, keep?: boolean }} how `keep`: what came before a loss stays
   * @returns {Promise<number>} its size then
   */
  async #write(file, stream, { at, most, keep = false }) {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const handle = await open(file, O_WRONLY | O_NOFOLLOW | (at === 0 && !keep ? O_CREAT | O_EXCL : 0), 0o640);
    let size = at;
    try {
      try {
        for await (const bytes of stream) {
          if (size + bytes.length > most) throw new HttpError('limit_exceeded', `a file has at most ${most} bytes`, { input: String(size + bytes.length) });
          for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done, size + done)).bytesWritten;
          size += bytes.length;
        }
      } finally {
        await handle.sync();
      }
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'ENOSPC' || code === 'EDQUOT') throw new HttpError('disk_full', 'the disk is full', { input: path.basename(file) });
      if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR') throw new HttpError('cancelled', 'the upload was broken off', { status: 400 });
      throw error;
    } finally {
      await handle.close();
    }
    return size;
  }

  // ---------------------------------------------------------------- into the library

  /** @param {string} id @param {{ name: string, actor: string, size: number }} of @returns {Job} @throws {HttpError} limit_exceeded */
  #begin(id, { name, actor, size }) {
    this.#busy.add(id);
    try {
      return this.#placing(id, { name, actor, size });
    } catch (error) {
      this.#busy.delete(id);
      throw error;
    }
  }

  /** @param {string} id @param {{ name: string, actor: string, size: number }} of */
  #placing(id, { name, actor, size }) {
    return this.jobs.begin('upload', { actor, name: cleanName(name), id }, async (tell, signal) => {
      tell({ stage: 'placing', bytes_total: size, bytes_done: size, total: 1 });
      const target = await this.#place(id, cleanName(name)).finally(() => this.#busy.delete(id));
      tell({ stage: 'reading' });
      const named = this.files.reverse(target.path);
      let item = await this.#appear(named, signal);
      let result = { item, name: target.name, renamed: target.name !== cleanName(name), operation: /** @type {string | null} */ (null), already: /** @type {string[]} */ ([]) };
      if (this.config.upload_template && item) {
        tell({ stage: 'moving' });
        const moved = await this.library.client.move(named, null, { template: this.config.upload_template, prune: true, actor, signal });
        const [step] = moved.steps.filter(({ action }) => action === 'move');
        result = {
          ...result, operation: moved.operation, already: moved.already.map(({ got }) => got.toString()),
          renamed: result.renamed || moved.clashes.length > 0, name: step ? path.posix.basename(step.destinationDisplay) : result.name,
        }; // prettier-ignore
        if (moved.problems.length) throw moved.problems[0];
      }
      tell({ done: 1 });
      return result;
    });
  }

  /**
   * Gives the bytes a name in `incoming` that nothing has. link(2) fails where something stands: nothing is overwritten,
   * whoever else writes there at this moment.
   * @param {string} id @param {string} wanted
   * @returns {Promise<{ path: string, name: string }>}
   */
  async #place(id, wanted) {
    const { incoming } = this.config;
    await mkdir(incoming, { recursive: true });
    const part = this.#part(id);
    const extension = path.extname(wanted);
    const stem = wanted.slice(0, wanted.length - extension.length);
    for (let number = 0; ; number += 1) {
      // As the daemon's own moves name what finds its name taken (docs/moves.md).
      const name = number === 0 ? wanted : `${stem}_copy${number === 1 ? '' : number}${extension}`;
      const target = path.join(incoming, name);
      try {
        await link(part, target);
      } catch (error) {
        const { code } = /** @type {NodeJS.ErrnoException} */ (error);
        if (code === 'EEXIST') continue;
        if (code === 'EXDEV') throw new HttpError('unsupported', 'staging and incoming are on different file systems', { input: incoming });
        if (!NO_LINKS.has(code ?? '')) throw error;
        // FAT and the like: a folder of its own, where nothing can stand.
        const own = path.join(incoming, id);
        await mkdir(own, { recursive: true }); // there already where this was broken off here
        await rename(part, path.join(own, wanted));
        await syncFolder(own);
        await unlink(this.#facts(id)).catch(ignoreMissing);
        return { path: path.join(own, wanted), name: wanted };
      }
      await syncFolder(incoming); // before the other name goes: a power cut leaves one of them
      await unlink(part);
      await unlink(this.#facts(id)).catch(ignoreMissing);
      return { path: target, name };
    }
  }

  /** Waits until the daemon has read the file. @param {Buffer} named @param {AbortSignal} signal @returns {Promise<string | null>} the item's id */
  async #appear(named, signal) {
    const until = performance.now() + APPEAR_MS;
    let asked = false;
    for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
      await sleep(pause, undefined, { signal });
      try {
        const [{ item }] = await this.library.client.get(named, { light: true, signal });
        const state = item?.files.find((file) => file.path.equals(named))?.state;
        if (item && (state === 'read' || state === 'failed' || state === 'parked')) return item.id;
      } catch (error) {
        if (!(error instanceof MediadError) || !error.retryable) throw error;
      }
      if (performance.now() < until) continue;
      if (asked) throw new HttpError('deadline_exceeded', 'the file is in its place, and the daemon has not read it yet', { input: named.toString() });
      asked = true; // a root that is not watched
      await this.library.client.rescan(named, { quick: true, signal });
    }
  }

  // ---------------------------------------------------------------- resumable

  /** @param {{ name: string, length: number, actor: string }} of @returns {Promise<string>} its id */
  async create({ name, length, actor }) {
    await this.check(length);
    await this.#clean();
    const id = randomUUID();
    await writeFile(this.#part(id), '', { flag: 'wx', mode: 0o640 });
    await this.#note({ id, name, length, actor, made: Date.now() });
    return id;
  }

  /** Keeps what is known of an upload beside its bytes, durably. @param {Resumable} facts */
  async #note(facts) {
    await writeFile(this.#facts(facts.id), JSON.stringify(facts), { flag: 'wx', mode: 0o640, flush: true });
    await syncFolder(this.config.staging);
  }

  /** @param {string} id @returns {Promise<(Resumable & { offset: number, links: number }) | null>} null: there is none, or what is there says nothing */
  async #known(id) {
    try {
      /** @type {Resumable} */
      const facts = JSON.parse(await readFile(this.#facts(id), 'utf8'));
      const { size, nlink } = await stat(this.#part(id));
      return { ...facts, offset: size, links: nlink };
    } catch (error) {
      // Half written, by a server that ended before it answered.
      if (error instanceof SyntaxError || /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
      throw error;
    }
  }

  /**
   * Goes on with what was whole when the server ended, or when too much was going on: its sender was told that it is here.
   * @returns {Promise<void>}
   */
  async resume() {
    const { staging } = this.config;
    if (!staging) return;
    for (const name of await readdir(staging)) {
      const id = FACTS.exec(name)?.[1];
      if (id !== undefined && !this.#busy.has(id)) await this.#resumeOne(id);
    }
  }

  /** @param {string} id */
  async #resumeOne(id) {
    this.#busy.add(id);
    let placing = false;
    try {
      const found = await this.#known(id);
      if (found === null || found.offset !== found.length) return;
      if (found.links > 1) {
        // It has its place; the server ended before this name of it went.
        await unlink(this.#part(id));
        await unlink(this.#facts(id));
        return;
      }
      this.#begin(id, { name: found.name, actor: found.actor, size: found.offset });
      placing = true;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#resumeSoon();
    } finally {
      if (!placing) this.#busy.delete(id);
    }
  }

  #resumeSoon() {
    if (this.#soon) return;
    this.#soon = setTimeout(() => {
      this.#soon = null;
      this.resume().catch(this.log);
    }, AGAIN_MS).unref();
  }

  /** @param {string} id @param {string} actor @returns {Promise<Resumable & { offset: number }>} @throws {HttpError} not_found */
  async look(id, actor) {
    this.demand();
    const found = await this.#known(id);
    if (found !== null && found.actor === actor) return found;
    throw new HttpError('not_found', 'no upload of this id', { input: id });
  }

  /**
   * Goes on with one. @param {string} id @param {Readable} stream @param {{ at: number, actor: string }} how
   * @returns {Promise<{ offset: number, job: Job | null }>}
   */
  async append(id, stream, { at, actor }) {
    if (this.#busy.has(id)) throw new HttpError('conflict', 'this upload is being written to', { status: 423, input: id, retryAfter: 1 });
    this.#busy.add(id); // before it is looked at: of two at once one goes on
    let size;
    let facts;
    try {
      facts = await this.look(id, actor);
      const { offset, length } = facts;
      if (at !== offset) throw new HttpError('conflict', `${offset} bytes are here, not ${at}`, { input: String(at) });
      size = await this.#write(this.#part(id), stream, { at: offset, most: length, keep: true });
    } finally {
      this.#busy.delete(id);
    }
    if (size < facts.length) return { offset: size, job: null };
    try {
      return { offset: size, job: this.#begin(id, { name: facts.name, actor, size }) };
    } catch (error) {
      this.#resumeSoon(); // all of it is here: nobody sends it again
      throw error;
    }
  }

  /** @param {string} id @param {string} actor */
  async drop(id, actor) {
    if (this.#busy.has(id)) throw new HttpError('conflict', 'this upload is being written to', { status: 423, input: id, retryAfter: 1 });
    this.#busy.add(id);
    try {
      await this.look(id, actor);
      await unlink(this.#facts(id));
      await unlink(this.#part(id));
    } finally {
      this.#busy.delete(id);
    }
  }

  /** Takes away what nobody went on with. A part of this server's own naming, and nothing else. */
  async #clean() {
    const { staging } = this.config;
    for (const name of await readdir(staging)) {
      const id = (PART.exec(name) ?? FACTS.exec(name))?.[1];
      if (id === undefined || this.#busy.has(id)) continue;
      // Its bytes say when somebody went on with it. One that is whole stays: it waits for its place, and nobody sends it again.
      const known = await this.#known(id);
      if (known !== null && known.offset === known.length && known.length > 0) continue;
      const last = await stat(path.join(staging, known === null ? name : path.basename(this.#part(id)))).catch(ignoreMissing);
      if (last && Date.now() - last.mtimeMs > KEPT_MS) await unlink(path.join(staging, name)).catch(ignoreMissing);
    }
  }
}

/** @param {string} inner @param {string} outer */
const within = (inner, outer) => inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);

/** @param {NodeJS.ErrnoException} error */
function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error;
}

/** A name is durable when its folder is. @param {string} folder */
async function syncFolder(folder) {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
