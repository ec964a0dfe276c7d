/** Songs and films in a form that a player takes: ffmpeg, a process each, at most so many at a time. */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink, utimes } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { HttpError } from './errors.js';
import { disposition } from './mime.js';
import { sendFile, written } from './range.js';
import { Semaphore } from './semaphore.js';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { Opened } from './files.js' */

const KILL_MS = 2000;
const RETRY_S = 10;
// What a file is read as. Lists of other files (HLS, concat, DASH, image sequences) are no media: they could name any file of
// this machine, and ffmpeg would put it into the answer.
const DEMUXERS = [
  'aac', 'ac3', 'aiff', 'ape', 'asf', 'au', 'avi', 'caf', 'dsf', 'dts', 'eac3', 'flac', 'flv', 'm4v', 'matroska,webm', 'mov,mp4,m4a,3gp,3g2,mj2', 'mp3',
  'mpc', 'mpc8', 'mpeg', 'mpegts', 'mpegvideo', 'ogg', 'tak', 'tta', 'w64', 'wav', 'wv', 'amr', 'h264', 'hevc', 'ivf',
].join(','); // prettier-ignore

/** Codecs that browsers take in MP4, as the vocabulary writes them. */
const MP4_VIDEO = new Set(['h264', 'avc', 'avc1', 'hevc', 'h265', 'av1', 'vp9']);
const MP4_AUDIO = new Set(['aac', 'mp3', 'opus', 'flac', 'alac', 'mp4a']);

/** @typedef {{ name: 'mp3' | 'opus' | 'remux', type: string, extension: string, least: number, usual: number, most: number, output: (kbits: number, opened: Opened) => string[] }} Profile */

/** Rates in kbit/s. @type {Readonly<Record<string, Profile>>} */
export const PROFILES = Object.freeze({
  mp3: {
    name: 'mp3', type: 'audio/mpeg', extension: 'mp3', least: 32, usual: 192, most: 320,
    output: (kbits) => ['-map', '0:a:0', '-vn', '-c:a', 'libmp3lame', '-b:a', `${kbits}k`, '-write_xing', '0', '-f', 'mp3'],
  },
  opus: {
    name: 'opus', type: 'audio/ogg; codecs=opus', extension: 'opus', least: 16, usual: 128, most: 256,
    output: (kbits) => ['-map', '0:a:0', '-vn', '-c:a', 'libopus', '-b:a', `${kbits}k`, '-f', 'ogg'],
  },
  remux: {
    name: 'remux', type: 'video/mp4', extension: 'mp4', least: 0, usual: 0, most: 0,
    output: (_kbits, { file }) => {
      const { audio_codec: audio } = /** @type {any} */ (file).fields;
      // Sound that no browser plays (AC-3, DTS, PCM) becomes Opus, which is cheap; pictures are copied or refused.
      const sound = !audio || MP4_AUDIO.has(String(audio).toLowerCase()) ? ['-c:a', 'copy'] : ['-c:a', 'libopus', '-b:a', '128k', '-ac', '2'];
      return ['-map', '0:v:0', '-map', '0:a:0?', '-sn', '-dn', '-c:v', 'copy', ...sound, '-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'];
    },
  },
}); // prettier-ignore

export class Transcoder {
  /** @type {Set<import('node:child_process').ChildProcess>} */
  #running = new Set();
  /** @type {Promise<void>} */
  #tidying = Promise.resolve();

  /** @param {{ transcodes: number, ffmpeg: string, cache_dir: string, cache_bytes: number }} config @param {(error: unknown) => void} log */
  constructor({ transcodes, ffmpeg, cache_dir, cache_bytes }, log) {
    this.places = new Semaphore(transcodes, { queue: 0, what: 'transcodings', retryAfter: RETRY_S });
    this.enabled = transcodes > 0;
    this.ffmpeg = ffmpeg;
    this.folder = cache_dir;
    this.bytes = cache_bytes;
    this.log = log;
  }

  /** How many run. */
  get running() {
    return this.#running.size;
  }

  /**
   * What is to be made of a file.
   * @param {Opened} opened
   * @param {{ format?: string, maxBitRate?: number, timeOffset?: number }} asked kbit/s, seconds
   * @returns {{ profile: Profile, kbits: number, offset: number } | null} null: the original will do
   * @throws {HttpError} unsupported
   */
  plan({ item, file }, { format, maxBitRate = 0, timeOffset = 0 }) {
    const fields = /** @type {any} */ (file).fields;
    const small = maxBitRate > 0 && item.kind === 'audio' && (fields.bit_rate ?? 0) > maxBitRate * 1000;
    if (format === 'raw' || (format === undefined && !small)) return null;
    const profile = PROFILES[format ?? 'mp3'];
    if (!profile) throw new HttpError('unsupported', `the formats are ${Object.keys(PROFILES).join(', ')}, raw`, { input: format });
    if (!this.enabled) throw new HttpError('unsupported', 'this server does not transcode (transcodes = 0)', { input: profile.name });
    if (profile.name === 'remux') {
      const codec = String(fields.video_codec ?? '').toLowerCase();
      if (item.kind !== 'video' || !MP4_VIDEO.has(codec)) throw new HttpError('unsupported', `a remux to MP4 takes films of H.264, HEVC, VP9 or AV1, not ${codec || item.kind}`, { input: item.id });
    } else if (item.kind !== 'audio' && !(item.kind === 'video' && fields.audio_codec)) {
      throw new HttpError('unsupported', 'there is no sound in it', { input: item.id });
    }
    const wanted = maxBitRate > 0 ? Math.min(maxBitRate, profile.most) : profile.usual;
    return { profile, kbits: Math.max(profile.least, wanted), offset: Math.max(0, timeOffset) };
  }

  /**
   * Answers with what ffmpeg makes, or made before; closes the file.
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   * @param {Opened} opened
   * @param {{ profile: Profile, kbits: number, offset: number }} plan
   * @param {Record<string, any>} headers
   * @throws {HttpError} before the head is sent
   */
  async send(request, response, opened, { profile, kbits, offset }, headers) {
    const { handle, item, etag, name } = opened;
    const key = createHash('sha256').update(JSON.stringify([item.id, etag, profile.name, kbits])).digest('hex');
    const shown = `${name.replace(/\.[^.]*$/, '')}.${profile.extension}`;
    /** @type {Record<string, any>} */
    const all = { ...headers, 'content-type': profile.type, 'content-disposition': disposition('inline', shown), 'cache-control': 'private, no-cache' };
    if (item.duration) all['x-content-duration'] = Math.max(0, item.duration - offset).toFixed(3);
    try {
      const made = offset === 0 ? await this.#cached(key) : null;
      if (made) {
        await sendFile(request, response, { ...made, etag: `"${key.slice(0, 32)}"`, headers: all });
        return;
      }
      if (request.method === 'HEAD') {
        response.writeHead(200, { ...all, 'accept-ranges': 'none' }).end();
        return;
      }
      const leave = await this.places.enter();
      try {
        await this.#make(response, opened, profile, kbits, offset, all, offset === 0 && this.folder ? path.join(this.folder, key) : null);
      } finally {
        leave();
      }
    } finally {
      await handle.close();
    }
  }

  /** @param {ServerResponse} response @param {Opened} opened @param {Profile} profile @param {number} kbits @param {number} offset @param {Record<string, any>} headers @param {string | null} keep */
  async #make(response, opened, profile, kbits, offset, headers, keep) {
    const argv = [
      '-v', 'error', '-nostdin', '-hide_banner', '-threads', '1',
      // It opens what it was given and nothing else: a descriptor, whose name need not be text.
      '-protocol_whitelist', 'file,pipe', '-format_whitelist', DEMUXERS,
      ...(offset > 0 ? ['-ss', offset.toFixed(3)] : []),
      '-i', 'file:/proc/self/fd/3', '-map_metadata', '-1', '-map_chapters', '-1', ...profile.output(kbits, opened), 'pipe:1',
    ]; // prettier-ignore
    const child = spawn(this.ffmpeg, argv, { stdio: ['ignore', 'pipe', 'pipe', opened.handle.fd], env: { PATH: process.env.PATH, LC_ALL: 'C' } });
    this.#running.add(child);
    let said = '';
    /** @type {(reason: number | Error) => void} */
    let end = () => {};
    /** @type {Promise<number | Error>} */
    const ended = new Promise((resolve) => (end = resolve));
    child.once('error', (error) => {
      this.#running.delete(child);
      end(error);
    });
    child.once('close', (code) => {
      this.#running.delete(child);
      end(code ?? -1);
    });
    const [output, errors] = [/** @type {import('node:stream').Readable} */ (child.stdio[1]), /** @type {import('node:stream').Readable} */ (child.stdio[2])];
    errors.on('data', (part) => (said = (said + part).slice(-2000)));
    const stop = () => kill(child);
    response.once('close', stop);
    if (child.pid) giveWay(child.pid);
    const cache = keep ? await this.#begin(keep) : null;
    try {
      let begun = false;
      for await (const part of output) {
        if (!begun) {
          begun = true;
          response.writeHead(200, { ...headers, 'accept-ranges': 'none' });
        }
        if (!(await written(response, part))) break;
        if (cache && !cache.stream.write(part)) await cache.drain();
      }
      if (response.destroyed) stop();
      const result = await ended;
      if (!begun && !response.destroyed) throw this.#failed(result, said, opened);
      if (result !== 0) {
        // A song that ends in its middle must not look whole.
        if (!response.destroyed) this.log(new Error(`ffmpeg ended with ${result} in ${opened.file.pathDisplay}: ${said}`));
        response.destroy();
        await cache?.drop();
      } else {
        response.end();
        await cache?.keep();
        if (cache) this.#tidy();
      }
    } catch (error) {
      await cache?.drop();
      throw error;
    } finally {
      response.off('close', stop);
      if (child.exitCode === null && child.signalCode === null) stop();
      await ended;
    }
  }

  /** @param {number | Error} result @param {string} said @param {Opened} opened */
  #failed(result, said, { file }) {
    if (result instanceof Error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (result);
      return new HttpError('unsupported', code === 'ENOENT' ? `there is no ${this.ffmpeg} on the server` : `ffmpeg cannot be started: ${code}`, { input: this.ffmpeg });
    }
    this.log(new Error(`ffmpeg ended with ${result} at ${file.pathDisplay}: ${said}`));
    return new HttpError('corrupt', 'ffmpeg could make nothing of this file', { input: file.pathDisplay });
  }

  // ---------------------------------------------------------------- what was made before

  /** @param {string} key */
  async #cached(key) {
    if (!this.folder) return null;
    const file = path.join(this.folder, key);
    try {
      const handle = await open(file, 'r');
      const { size, mtimeMs } = await handle.stat();
      const now = new Date();
      await utimes(file, now, new Date(mtimeMs)); // when it was heard last is its atime: the oldest goes first
      return { handle, size, mtime: mtimeMs / 1000 };
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** A file beside the answer, that becomes the cached one when all of it is there. @param {string} target */
  async #begin(target) {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const part = `${target}.${randomUUID()}.part`;
    const stream = createWriteStream(part, { mode: 0o600 });
    /** @type {Error | null} */
    let failed = null;
    stream.on('error', (error) => {
      failed = error;
      this.log(error); // a full disk costs the cache, not the song
    });
    const close = () => new Promise((resolve) => (stream.closed ? resolve(undefined) : stream.end().once('close', () => resolve(undefined))));
    const drop = async () => {
      await close();
      await unlink(part).catch((error) => {
        if (error.code !== 'ENOENT') this.log(error);
      });
    };
    return {
      stream,
      drain: () => (failed ? Promise.resolve() : new Promise((resolve) => ['drain', 'close'].forEach((each) => stream.once(each, resolve)))),
      drop,
      keep: async () => {
        await close();
        await (failed ? drop() : rename(part, target));
      },
    };
  }

  /** Takes the longest unheard away until the rest fits. */
  #tidy() {
    this.#tidying = this.#tidying.then(async () => {
      const found = [];
      let total = 0;
      for (const name of await readdir(this.folder)) {
        if (!/^[0-9a-f]{64}$/.test(name)) continue;
        const file = path.join(this.folder, name);
        const { size, atimeMs } = await stat(file);
        found.push({ file, size, atimeMs });
        total += size;
      }
      found.sort((a, b) => a.atimeMs - b.atimeMs);
      for (const { file, size } of found) {
        if (total <= this.bytes) return;
        await unlink(file);
        total -= size;
      }
    }).catch(this.log); // prettier-ignore
  }

  /** What a stop or crash left half made. */
  async clean() {
    if (!this.folder) return;
    let names;
    try {
      names = await readdir(this.folder);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return;
      throw error;
    }
    for (const name of names) if (/^[0-9a-f]{64}\.[0-9a-f-]{36}\.part$/.test(name)) await unlink(path.join(this.folder, name));
  }

  async close() {
    for (const child of this.#running) kill(child);
    await this.#tidying;
  }
}

/** Requests go before it. A courtesy: the unit's system call filter (@resources) refuses it, and has a Nice= of its own. @param {number} pid */
function giveWay(pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    const { code, info } = /** @type {any} */ (error);
    if (code !== 'ERR_SYSTEM_ERROR' || !['EPERM', 'EACCES', 'ESRCH'].includes(info?.code)) throw error;
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function kill(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), KILL_MS);
  child.once('close', () => clearTimeout(late));
}
