/** What the methods of OpenSubsonic ask of the daemon, in the daemon's own terms. */
import { NotFound, StaleCursor } from 'mediadb';
import { CODE, SubsonicError } from './answer.js';
import { COLUMNS, child } from './map.js';
import { Pager } from './pager.js';

/** @import { App, Item, Person } from '../types.js' */

const MOST = 500; // rows of an answer, as in Subsonic
const ALL = 500; // of each page where everything is wanted

export class Shelf {
  /** @param {App} app */
  constructor({ library, lists }) {
    this.client = library.client;
    this.lists = lists;
    this.pager = new Pager();
    /** @type {Map<string, Promise<unknown>>} what is under way for a list */
    this.changing = new Map();
  }

  /**
   * Does something with a list after what is under way with it: what reads it, and then sets it, loses nothing of another's.
   * @template T @param {string} id @param {() => Promise<T>} change @returns {Promise<T>}
   */
  async alone(id, change) {
    const before = this.changing.get(id) ?? Promise.resolve();
    const own = before.then(change, change);
    this.changing.set(id, own);
    try {
      return await own;
    } finally {
      if (this.changing.get(id) === own) this.changing.delete(id);
    }
  }

  /**
   * One page of `browse`, its replies joined.
   * @param {Record<string, any>} request BrowseRequest
   * @param {{ actor: string, signal?: AbortSignal }} by
   * @returns {Promise<{ artists: any[], albums: any[], genres: any[], folders: any[], items: Item[], links: any[], folder: any, above: any[], cursor: Buffer | null }>}
   */
  async browse(request, by) {
    const replies = await this.client.call('browse', request, by);
    /** @type {any} */
    const all = { artists: [], albums: [], genres: [], folders: [], items: [], links: [], above: [], folder: null, cursor: null };
    for (const reply of replies) {
      for (const name of ['artists', 'albums', 'genres', 'folders', 'items', 'links', 'above']) all[name].push(...(reply[name] ?? []));
      all.folder ??= reply.folder;
      if (reply.cursor?.length) all.cursor = reply.cursor;
    }
    return all;
  }

  /**
   * All of what `browse` lists under `name`, page by page.
   * @param {'artists' | 'albums' | 'genres' | 'folders'} name
   * @param {Record<string, any>} request
   * @param {{ actor: string, signal?: AbortSignal }} by
   * @returns {Promise<any[]>}
   */
  async everything(name, request, by) {
    /** @type {any[]} */
    const found = [];
    /** @type {Buffer | null} */
    let cursor = null;
    do {
      const page = await this.browse({ what: name, limit: ALL, ...request, cursor }, by);
      found.push(...page[name]);
      ({ cursor } = page);
    } while (cursor !== null);
    return found;
  }

  /**
   * Albums or artists from an offset on.
   * @param {'artists' | 'albums'} name
   * @param {Record<string, any>} request BrowseRequest
   * @param {{ offset: number, size: number }} part
   * @param {{ actor: string, signal?: AbortSignal }} by
   * @returns {Promise<any[]>}
   */
  browsed(name, request, { offset, size }, by) {
    const key = JSON.stringify([by.actor, name, request]);
    return this.pager.page(key, offset, Math.min(size, MOST), async (cursor, limit) => {
      const page = await this.browse({ what: name, ...request, limit, cursor }, by);
      return { rows: page[name], cursor: page.cursor };
    });
  }

  /**
   * Songs that a question finds, from an offset on, as Child.
   * @param {string} question
   * @param {{ offset?: number, size: number }} part
   * @param {{ actor: string, signal?: AbortSignal }} by
   */
  async songs(question, { offset = 0, size }, by) {
    const key = JSON.stringify([by.actor, question]);
    const fetch = (/** @type {Buffer | null} */ cursor, /** @type {number} */ limit, /** @type {boolean} */ bare) =>
      this.client.queryPage(question, { limit, cursor, ...(bare ? { bare } : { columns: COLUMNS }), ...by })
        .then((page) => ({ rows: page.items, cursor: page.cursor })); // prettier-ignore
    let items;
    try {
      items = await this.pager.page(key, offset, Math.min(size, MOST), fetch);
    } catch (error) {
      if (!(error instanceof StaleCursor)) throw error;
      items = await this.pager.page(`${key}*`, offset, Math.min(size, MOST), fetch); // the daemon was upgraded meanwhile
    }
    return this.children(items, by);
  }

  /**
   * Items by id, in order, null for what is not there (any more); with the fields of a Child.
   * @param {string[]} ids
   * @param {{ actor: string, signal?: AbortSignal }} by
   * @returns {Promise<(Item | null)[]>}
   */
  async items(ids, by) {
    /** @type {(Item | null)[]} */
    const found = [];
    for (let at = 0; at < ids.length; at += MOST) {
      const replies = await this.client.get(ids.slice(at, at + MOST), by);
      for (const { item, problem } of replies) {
        if (problem && !(problem instanceof NotFound)) throw problem;
        found.push(item ?? null);
      }
    }
    return found;
  }

  /**
   * @param {Item[]} items
   * @param {{ actor: string, signal?: AbortSignal }} by
   * @param {{ parent?: string }} [how]
   */
  async children(items, by, { parent } = {}) {
    const links = await this.links(items.filter(({ kind }) => kind === 'audio').map(({ id }) => /** @type {string} */ (id)), by);
    return items.map((item) => child(item, { links: links.get(/** @type {string} */ (item.id)), parent }));
  }

  /** @param {string[]} ids @param {{ actor: string, signal?: AbortSignal }} by */
  async childrenOf(ids, by) {
    const items = await this.items(ids, by);
    return this.children(/** @type {Item[]} */ (items.filter((each) => each !== null)), by);
  }

  /**
   * The albums and artists of songs.
   * @param {string[]} ids
   * @param {{ actor: string, signal?: AbortSignal }} by
   * @returns {Promise<Map<string, import('./map.js').Links>>}
   */
  async links(ids, by) {
    if (ids.length === 0) return new Map();
    const { links } = await this.browse({ what: 'links', of: ids }, by);
    return new Map(links.map((/** @type {any} */ each) => [each.item, { album: each.album, artists: each.artists.map((/** @type {string} */ id, /** @type {number} */ place) => ({ id, name: each.artistNames[place] })) }]));
  }

  /** @param {string} id @param {{ actor: string, signal?: AbortSignal }} by */
  async album(id, by) {
    const { albums: [album] } = await this.browse({ what: 'albums', id }, by); // prettier-ignore
    return { album, songs: await this.songsOf(id, by) };
  }

  /** The songs of an album, in its order. @param {string} id @param {{ actor: string, signal?: AbortSignal }} by */
  async songsOf(id, by) {
    /** @type {Item[]} */
    const songs = [];
    for await (const song of this.client.query(`kind:audio id:${id} sort:album`, { columns: COLUMNS, limit: 2000, ...by })) songs.push(song);
    return this.children(songs, by);
  }

  /**
   * The album, null where the id is none's: an artist's, an item's.
   * @param {string} id @param {{ actor: string, signal?: AbortSignal }} by
   * @returns {Promise<any | null>}
   */
  async albumOrNull(id, by) {
    try {
      return (await this.browse({ what: 'albums', id }, by)).albums[0] ?? null;
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      return null;
    }
  }

  /** @param {string} id @param {{ actor: string, signal?: AbortSignal }} by */
  async artist(id, by) {
    const { artists: [artist] } = await this.browse({ what: 'artists', id, allArtists: true }, by); // prettier-ignore
    return { artist, albums: await this.everything('albums', { artist: id, sort: 'year' }, by) };
  }

  /**
   * An item whose picture stands for this id: itself, or the cover of an album, or of an artist's first album.
   * @param {string} id
   * @param {{ actor: string, signal?: AbortSignal }} by
   * @returns {Promise<string>}
   */
  async cover(id, by) {
    const [{ item }] = await this.client.get(id, { light: true, ...by });
    if (item) return id;
    const album = await this.albumOrNull(id, by);
    if (album?.cover) return album.cover;
    const own = await this.browse({ what: 'albums', artist: id, limit: 1 }, by);
    if (own.albums[0]?.cover) return own.albums[0].cover;
    throw new SubsonicError(CODE.notFound, 'no picture has this id');
  }

  /**
   * A random choice, another one each time: `sort:random` is one order for one question.
   * @param {string} question
   * @param {number} size
   * @param {{ actor: string, signal?: AbortSignal }} by
   */
  async random(question, size, by) {
    /** @type {string[]} */
    const chosen = [];
    let seen = 0;
    // Reservoir sampling (Vitter, algorithm R): ids only, a page at a time, whatever the size of the library.
    for await (const { items } of this.client.stream('query', { text: question, bare: true }, by)) {
      for (const { id } of items) {
        seen += 1;
        if (chosen.length < size) chosen.push(id);
        else {
          const place = Math.floor(Math.random() * seen);
          if (place < size) chosen[place] = id;
        }
      }
    }
    for (let at = chosen.length - 1; at > 0; at -= 1) {
      const other = Math.floor(Math.random() * (at + 1));
      [chosen[at], chosen[other]] = [chosen[other], chosen[at]];
    }
    return this.childrenOf(chosen, by);
  }

  /** @param {Person} person the roles as Subsonic names them */
  static user(person) {
    const writes = person.role !== 'read';
    return {
      username: person.name || 'mediadb', scrobblingEnabled: writes, adminRole: person.role === 'admin', settingsRole: false, downloadRole: true, uploadRole: false,
      playlistRole: writes, coverArtRole: false, commentRole: writes, podcastRole: false, streamRole: true, jukeboxRole: false, shareRole: false, videoConversionRole: false,
    }; // prettier-ignore
  }
}
