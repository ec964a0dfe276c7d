/** What a person makes of songs, albums, artists: events of the daemon, which survive like everything else. */
import { createHash } from 'node:crypto';
import { CODE, SubsonicError } from './answer.js';
import { folderOf } from './asks.js';
import { COLUMNS, isoOf } from './map.js';

/** @import { Method } from './index.js' */

const NOW_PLAYING_MS = 30 * 60_000;
const NOW_PLAYING = 200;

/** Who listens to what, as clients said a moment ago. Nothing of it is kept: it is a cache of the present. */
export class Listening {
  /** @type {Map<string, { id: string, at: number, person: string, client: string, player: number }>} by person and client */
  #now = new Map();
  #players = 0;

  /** @param {string} id @param {string} person @param {string} client */
  note(id, person, client) {
    const key = `${person}\0${client}`;
    const player = this.#now.get(key)?.player ?? (this.#players += 1);
    this.#now.delete(key);
    this.#now.set(key, { id, at: Date.now(), person, client, player });
    if (this.#now.size > NOW_PLAYING) this.#now.delete(/** @type {string} */ (this.#now.keys().next().value));
  }

  all() {
    const least = Date.now() - NOW_PLAYING_MS;
    return [...this.#now.values()].filter(({ at }) => at >= least).reverse();
  }
}

/** Items, albums and artists that a request names; folders are nobody's favourites here. @param {import('./asks.js').Asks} asks */
function named(asks) {
  if (asks.all('id').some((id) => folderOf(id) !== null)) throw new SubsonicError(CODE.generic, 'id: a folder has no star: star what is in it');
  const ids = [...asks.ids('id'), ...asks.ids('albumId'), ...asks.ids('artistId')];
  if (ids.length === 0) throw new SubsonicError(CODE.missing, 'required parameter is missing: id, albumId or artistId');
  return ids;
}

/**
 * Does it, and says which of the ids are nothing.
 * @param {Parameters<Method>[0]} context @param {string[]} ids @param {Record<string, any>[]} actions
 * @param {string} [operation] UUID of what may be sent twice
 */
async function act({ shelf, by }, ids, actions, operation = undefined) {
  const { problems } = await shelf.client.work(ids, actions, { ...by, operation });
  if (problems.length > 0) throw problems[0];
  return {};
}

/**
 * The operation of what is told with its time: told again it is the same one, and is done once (RFC 9562, version 8).
 * @param {...(string | number)} said @returns {string} UUID
 */
function operationOf(...said) {
  const digest = createHash('sha256').update(JSON.stringify(said)).digest().subarray(0, 16);
  digest[6] = (digest[6] & 0x0f) | 0x80;
  digest[8] = (digest[8] & 0x3f) | 0x80;
  return digest.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** @type {Record<string, Method>} */
export const annotating = {
  async star(context) {
    return act(context, named(context.asks), [{ action: 'star' }]);
  },
  async unstar(context) {
    return act(context, named(context.asks), [{ action: 'unstar' }]);
  },

  async setRating(context) {
    const { asks } = context;
    asks.needed('rating');
    const rating = asks.number('rating', 0);
    if (rating > 5) throw new SubsonicError(CODE.generic, 'rating: 0 to 5');
    return act(context, [asks.id('id')], [rating === 0 ? { action: 'unrate' } : { action: 'rate', number: rating }]);
  },

  /** submission=false: it plays now; else it was played, at `time`. */
  async scrobble(context) {
    const { asks, shelf, by, listening, person } = context;
    asks.needed('id');
    const ids = asks.ids('id');
    const times = asks.all('time').map((each) => Number(each));
    if (times.some((each) => !Number.isFinite(each) || each < 0)) throw new SubsonicError(CODE.generic, 'time: milliseconds since 1970 are needed');
    if (!asks.truth('submission', true)) {
      const [{ problem }] = await shelf.client.get(ids[0], { light: true, ...by });
      if (problem) throw problem;
      listening.note(ids[0], person.name, asks.text('c') ?? '');
      return {};
    }
    // A player that was off the net sends many at once, and again where no answer came: a song is played once at a time.
    for (let place = 0; place < ids.length; place += 1) {
      const at = times[place];
      const played = { action: 'play', ...(at ? { atNs: BigInt(Math.round(at)) * 1_000_000n } : {}) };
      await act(context, [ids[place]], [played], at ? operationOf(person.name, ids[place], at) : undefined);
    }
    return {};
  },

  async getNowPlaying({ shelf, by, listening }) {
    const all = listening.all();
    const items = await shelf.items(all.map(({ id }) => id), by); // prettier-ignore
    /** @type {any[]} */
    const entry = [];
    for (const [place, { at, person, client, player }] of all.entries()) {
      const item = items[place];
      if (!item) continue;
      const [song] = await shelf.children([item], by);
      entry.push({ ...song, username: person || 'mediadb', minutesAgo: Math.floor((Date.now() - at) / 60_000), playerId: player, playerName: client });
    }
    return { nowPlaying: { entry } };
  },

  async reportPlayback({ asks, listening, person }) {
    const id = asks.id('mediaId');
    if (asks.text('state') === 'playing' || asks.text('state') === 'starting') listening.note(id, person.name, asks.text('c') ?? '');
    return {};
  },

  // ---------------------------------------------------------------- bookmarks

  async getBookmarks({ shelf, by, person }) {
    const songs = [];
    for await (const item of shelf.client.query('has:bookmark', { ...by, columns: COLUMNS })) songs.push(item);
    const entries = await shelf.children(songs, by);
    return {
      bookmarks: {
        bookmark: songs.map((item, place) => {
          const { position, comment, at } = /** @type {any} */ (item).work.bookmark;
          const when = isoOf(at ?? 0);
          return { position: Math.round(position * 1000), username: person.name || 'mediadb', ...(comment ? { comment } : {}), created: when, changed: when, entry: entries[place] };
        }),
      },
    };
  },

  async createBookmark(context) {
    const { asks } = context;
    asks.needed('position');
    return act(context, [asks.id('id')], [{ action: 'bookmark', number: asks.number('position', 0, { whole: false }) / 1000, value: asks.text('comment') ?? '' }]);
  },
  async deleteBookmark(context) {
    return act(context, [context.asks.id('id')], [{ action: 'unbookmark' }]);
  },

  // ---------------------------------------------------------------- the queue

  async getPlayQueue(context) {
    const queue = await queueOf(context);
    const { entry, current, rest } = queue;
    return { playQueue: { ...(entry[current] ? { current: entry[current].id } : {}), ...rest, entry } };
  },
  async getPlayQueueByIndex(context) {
    const queue = await queueOf(context);
    const { entry, current, rest } = queue;
    return { playQueueByIndex: { ...(entry.length ? { currentIndex: current } : {}), ...rest, entry } };
  },

  async savePlayQueue(context) {
    const { asks } = context;
    const ids = asks.ids('id');
    const current = asks.text('current');
    const place = current === undefined || current === '' ? 0 : ids.indexOf(current.toLowerCase());
    if (place < 0) throw new SubsonicError(CODE.generic, 'current: it is not in the queue');
    return saveQueue(context, ids, place);
  },
  async savePlayQueueByIndex(context) {
    const { asks } = context;
    const ids = asks.ids('id');
    if (ids.length > 0) asks.needed('currentIndex');
    const place = asks.number('currentIndex', 0);
    if (ids.length > 0 && place >= ids.length) throw new SubsonicError(CODE.missing, 'currentIndex: it is beyond the queue');
    return saveQueue(context, ids, place);
  },
};

/** @param {Parameters<Method>[0]} context */
async function queueOf({ shelf, by, person }) {
  const [queue] = await shelf.client.call('queue', { action: 'get' }, by);
  const items = await shelf.items(queue.entries, by);
  // What is forgotten meanwhile is left out, and the place moves along.
  const before = items.slice(0, queue.current).filter((each) => each === null).length;
  const here = /** @type {import('../types.js').Item[]} */ (items.filter((each) => each !== null));
  const entry = await shelf.children(here, by);
  const current = Math.min(Math.max(0, queue.current - before), Math.max(0, entry.length - 1));
  return { entry, current, rest: { position: Math.round(queue.position * 1000), username: person.name || 'mediadb', changed: isoOf(queue.changedAtNs), changedBy: queue.client } };
}

/** @param {Parameters<Method>[0]} context @param {string[]} ids @param {number} current */
async function saveQueue({ asks, shelf, by }, ids, current) {
  const position = asks.number('position', 0, { whole: false }) / 1000;
  const targets = ids.map((id) => ({ id }));
  const [{ problems }] = await shelf.client.call('queue', { action: 'save', targets, current, position, client: asks.text('c') ?? '' }, by);
  if (problems.length > 0) throw problems[0];
  return {};
}
