/** Playlists: those of the daemon, the same in the page, on the command line and here. */
import { CODE, SubsonicError } from './answer.js';
import { isoOf } from './map.js';

/** @import { Method } from './index.js' */

const KIND = 'playlist';

/**
 * @param {import('./shelf.js').Shelf} shelf @param {string} id @param {{ actor: string, signal?: AbortSignal }} by
 * @returns {Promise<any>} Collection, with its entries
 */
async function found(shelf, id, by) {
  const all = await shelf.client.collections({ kind: KIND, ...by });
  const own = all.find((each) => each.id === id);
  if (!own) throw new SubsonicError(CODE.notFound, 'no playlist has this id');
  const [whole] = await shelf.client.collections({ kind: KIND, name: own.name, entries: true, ...by });
  return whole ?? own;
}

/** @param {any} list Collection @param {number} duration seconds @param {{ name: string }} person */
const head = (list, duration, person) => ({
  id: list.id, name: list.name, owner: list.actor || person.name || 'mediadb', public: list.actor === '', songCount: list.size, duration: Math.round(duration),
  created: isoOf(list.createdAtNs), changed: isoOf(list.changedAtNs || list.createdAtNs), ...(list.query ? { readonly: true } : {}),
}); // prettier-ignore

/** @param {Parameters<Method>[0]} context @param {string} id */
async function whole({ shelf, by, person }, id) {
  const list = await found(shelf, id, by);
  const entry = list.query ? await shelf.songs(list.query, { size: 500 }, by) : await shelf.childrenOf(list.entries, by);
  const duration = entry.reduce((sum, each) => sum + (each.duration ?? 0), 0);
  const [first] = entry;
  return { playlist: { ...head({ ...list, size: entry.length }, duration, person), ...(first ? { coverArt: first.id } : {}), entry } };
}

/** One change of the whole list: what is done to it is undone at once. @param {Parameters<Method>[0]} context */
async function update(context) {
  const { asks, shelf, by } = context;
  const list = await found(shelf, asks.id('playlistId'), by);
  if (list.query) throw new SubsonicError(CODE.generic, 'this playlist is a question: what is in it follows from that');
  const remove = new Set(asks.all('songIndexToRemove').map(Number));
  for (const place of remove) {
    if (!Number.isInteger(place) || place < 0 || place >= list.entries.length) throw new SubsonicError(CODE.notFound, `songIndexToRemove: the playlist has no place ${place}`);
  }
  const add = asks.ids('songIdToAdd');
  if (remove.size > 0) {
    const kept = list.entries.filter((/** @type {string} */ _, /** @type {number} */ place) => !remove.has(place));
    const targets = [...kept, ...add].map((id) => ({ id }));
    const [{ problems }] = await shelf.client.call('collect', { kind: KIND, name: list.name, action: 'set', targets }, by);
    if (problems.length > 0) throw problems[0];
  } else if (add.length > 0) {
    const { problems } = await shelf.client.collect(list.name, 'add', { kind: KIND, targets: add, ...by });
    if (problems.length > 0) throw problems[0];
  }
  const name = asks.text('name')?.trim();
  if (name && name !== list.name) await shelf.client.collect(list.name, 'rename', { kind: KIND, newName: name, ...by });
  return {};
}

/** @type {Record<string, Method>} */
export const playlists = {
  async getPlaylists({ shelf, by, person }) {
    const lists = await shelf.client.collections({ kind: KIND, entries: true, ...by });
    const playlist = [];
    for (const list of lists) {
      const items = await shelf.items(list.entries, by);
      const duration = items.reduce((sum, each) => sum + (each?.duration ?? 0), 0);
      playlist.push({ ...head(list, duration, person), ...(list.entries[0] ? { coverArt: list.entries[0] } : {}) });
    }
    return { playlists: { playlist } };
  },

  async getPlaylist(context) {
    return whole(context, context.asks.id('id'));
  },

  /** Makes one under a name, or sets all that is in one. */
  async createPlaylist(context) {
    const { asks, shelf, by } = context;
    const given = asks.text('playlistId');
    const name = given ? (await found(shelf, asks.id('playlistId'), by)).name : asks.needed('name').trim();
    if (!given) {
      const same = (await shelf.client.collections({ kind: KIND, ...by })).some((each) => each.name === name);
      if (same) throw new SubsonicError(CODE.generic, `there is a playlist called ${name}`);
    }
    const targets = asks.ids('songId').map((id) => ({ id }));
    const [{ collection, problems }] = await shelf.client.call('collect', { kind: KIND, name, action: 'set', targets }, by);
    if (problems.length > 0) throw problems[0];
    return whole(context, collection.id);
  },

  async updatePlaylist(context) {
    return context.shelf.alone(context.asks.id('playlistId'), () => update(context));
  },

  async deletePlaylist({ asks, shelf, by }) {
    const list = await found(shelf, asks.id('id'), by);
    await shelf.client.collect(list.name, 'delete', { kind: KIND, ...by });
    return {};
  },
};
