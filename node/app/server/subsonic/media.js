/** Bytes of songs and pictures, and the words of songs. What fails is answered in the words of the protocol. */
import { Unsupported } from 'mediadb';
import { headersOf } from '../files.js';
import { sendFile } from '../range.js';
import { heads } from '../routes/library.js';
import { CODE, SubsonicError } from './answer.js';
import { having } from './asks.js';

/** @import { Method } from './index.js' */

const SIZES = [128, 320, 800, 1280, 1920];
const LYRICS_BYTES = 1024 * 1024;
const FORMATS = new Set(['mp3', 'opus', 'raw']);
const SYNCED = /^((?:\[\d{1,3}:\d{2}(?:[.:]\d{1,3})?\])+)(.*)$/; // a line of LRC
const STAMP = /\[(\d{1,3}):(\d{2})(?:[.:](\d{1,3}))?\]/g;

/** @type {Record<string, Method>} */
export const media = {
  async stream(context) {
    const { asks, app, by, request, reply } = context;
    const opened = await app.files.open(await app.files.record(asks.id('id'), by));
    let plan = null;
    try {
      const given = asks.text('format') || undefined;
      const timeOffset = asks.number('timeOffset', 0, { whole: false, most: 1e7 });
      const maxBitRate = asks.number('maxBitRate', 0, { most: 10_000 });
      // A format that is not made here is mp3, which every player takes; an offset alone is one into the same song.
      const format = given === undefined ? (timeOffset > 0 ? 'mp3' : undefined) : FORMATS.has(given) ? given : 'mp3';
      const same = format !== undefined && format === opened.item.format && timeOffset === 0 && !needsLess(opened, maxBitRate);
      plan = same ? null : app.transcoder.plan(opened, { format, maxBitRate, timeOffset });
    } catch (error) {
      await opened.handle.close();
      throw error;
    }
    const shared = heads(reply);
    if (plan) await app.transcoder.send(request.raw, reply.raw, opened, plan, shared);
    else await sendFile(request.raw, reply.raw, { ...opened, headers: { ...shared, ...headersOf(opened), ...lengthOf(opened.item) } });
    reply.hijack();
    return reply;
  },

  async download({ asks, app, by, request, reply }) {
    const opened = await app.files.open(await app.files.record(asks.id('id'), by));
    await sendFile(request.raw, reply.raw, { ...opened, headers: { ...heads(reply), ...headersOf(opened, { attachment: true }) } });
    reply.hijack();
    return reply;
  },

  async getCoverArt({ asks, shelf, app, by, request, reply }) {
    const wanted = asks.number('size', 800, { least: 1, most: 1920 });
    const size = SIZES.find((each) => each >= wanted) ?? 1920;
    const id = await shelf.cover(asks.id('id'), by);
    const known = /^"([0-9a-f]{1,128})"$/.exec(String(request.headers['if-none-match'] ?? ''));
    const replies = await app.previews.run(() => shelf.client.call('preview', { target: { id }, size, ...(known ? { known: Buffer.from(known[1], 'hex') } : {}) }, { deadlineMs: 60_000, ...by }));
    const [{ mimeType, tag, same }] = replies;
    reply.header('etag', `"${tag.toString('hex')}"`).header('cache-control', 'private, max-age=3600');
    if (same) return reply.code(304).send();
    return reply.type(mimeType).send(Buffer.concat(replies.map(({ data }) => data)));
  },

  /** By id: what stands in the file, or in the .lrc or .txt beside it. */
  async getLyricsBySongId({ asks, shelf, by }) {
    const id = asks.id('id');
    const [{ item, problem }] = await shelf.client.get(id, by);
    if (problem || !item) throw problem ?? new SubsonicError(CODE.notFound, 'no song has this id');
    const lines = await linesOf(id, shelf, by);
    if (lines === null) return { lyricsList: {} };
    return { lyricsList: { structuredLyrics: [{ displayArtist: item.artist, displayTitle: item.title, lang: lines.lang, offset: 0, synced: lines.synced, line: lines.line }] } };
  },

  /** By artist and title, as older clients ask. */
  async getLyrics({ asks, shelf, by }) {
    const terms = ['artist', 'title'].flatMap((name) => (asks.text(name) ? [having(name, /** @type {string} */ (asks.text(name)))] : []));
    if (terms.length === 0) throw new SubsonicError(CODE.missing, 'required parameter is missing: artist or title');
    const { items: [item] } = await shelf.client.queryPage(`kind:audio ${terms.join(' ')}`, { limit: 1, ...by }); // prettier-ignore
    const lines = item ? await linesOf(item.id, shelf, by) : null;
    if (lines === null) return { lyrics: { value: '' } }; // its schema wants a value
    return { lyrics: { artist: item.artist, title: item.title, value: lines.line.map(({ value }) => value).join('\n') } };
  },
};

/** @param {import('../files.js').Opened} opened @param {number} most kbit/s, 0: any */
const needsLess = ({ file }, most) => most > 0 && (/** @type {any} */ (file).fields.bit_rate ?? 0) > most * 1000;

/** @param {import('../types.js').Item} item */
const lengthOf = ({ duration }) => (duration ? { 'x-content-duration': duration.toFixed(3) } : {});

/**
 * @param {string} id @param {import('./shelf.js').Shelf} shelf @param {{ actor: string, signal?: AbortSignal }} by
 * @returns {Promise<{ lang: string, synced: boolean, line: { start?: number, value: string }[] } | null>}
 */
async function linesOf(id, shelf, by) {
  for await (const { text, languages, problem } of shelf.client.text(id, { limit: LYRICS_BYTES, ...by })) {
    if (problem instanceof Unsupported) return null;
    if (problem) throw problem;
    return { lang: languages[0] ?? 'und', ...linesOfText(text) };
  }
  return null;
}

/**
 * Lines, with their times where it is LRC.
 * @param {string} text
 * @returns {{ synced: boolean, line: { start?: number, value: string }[] }}
 */
export function linesOfText(text) {
  const lines = text.split(/\r\n|\r|\n/);
  /** @type {{ start: number, value: string }[]} */
  const timed = [];
  for (const each of lines) {
    const found = SYNCED.exec(each.trim());
    if (!found) continue;
    for (const [, minutes, seconds, fraction = '0'] of found[1].matchAll(STAMP)) {
      timed.push({ start: (Number(minutes) * 60 + Number(seconds)) * 1000 + Math.round(Number(`0.${fraction}`) * 1000), value: found[2].trim() });
    }
  }
  if (timed.length > 0) return { synced: true, line: timed.sort((a, b) => a.start - b.start) };
  while (lines.length && lines.at(-1)?.trim() === '') lines.pop();
  return { synced: false, line: lines.map((value) => ({ value })) };
}
