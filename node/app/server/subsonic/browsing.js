/** Folders as they are on disk; artists, albums, genres as the tags say. */
import { CODE, SubsonicError } from './answer.js';
import { folderId, folderOf, having, uuidOf, wordsOf } from './asks.js';
import { albumFolder, albumId3, artistFolder, artistId3, folderChild, IGNORED_ARTICLES, indexed } from './map.js';

/** @import { Method } from './index.js' */

const MEDIA = 'kind:audio,video';
const SONGS = 'kind:audio';

/** @type {Record<string, Method>} */
export const browsing = {
  async getMusicFolders({ shelf, by }) {
    const folders = await shelf.everything('folders', {}, by);
    return { musicFolders: { musicFolder: folders.map(({ id, name }) => ({ id, name: name.slice(name.lastIndexOf('/') + 1) || name })) } };
  },

  /** The folders right below the music folders, and what lies beside them. */
  async getIndexes({ asks, shelf, by, app }) {
    const roots = await chosenRoots(asks, shelf, by);
    const scanned = await app.library.roots();
    const lastModified = Math.max(0, ...scanned.map(({ scannedAtNs }) => Number(scannedAtNs / 1_000_000n)));
    const since = asks.number('ifModifiedSince', 0);
    const base = { ignoredArticles: IGNORED_ARTICLES, lastModified };
    if (since > 0 && lastModified <= since) return { indexes: base };
    /** @type {any[]} */
    const tops = [];
    /** @type {any[]} */
    const beside = [];
    for (const root of roots) {
      const { folders, items } = await inside(root.id, shelf, by);
      tops.push(...folders.map(({ id, name }) => ({ id: folderId(id), name })));
      beside.push(...(await shelf.children(items.filter(isMedia), by, { parent: folderId(root.id) })));
    }
    return { indexes: { ...base, index: indexed(tops), ...(beside.length ? { child: beside } : {}) } };
  },

  async getMusicDirectory({ asks, shelf, by }) {
    const given = asks.needed('id');
    const number = folderOf(given);
    if (number === null) return { directory: await taggedDirectory(uuidOf(given), shelf, by) };
    const { folder, above, folders, items } = await inside(number, shelf, by);
    if (!folder) throw new SubsonicError(CODE.notFound, 'no folder has this id');
    const parent = above.at(-1);
    return {
      directory: {
        id: given, ...(parent ? { parent: folderId(parent.id) } : {}), name: folder.name || '/',
        child: [...folders.map((each) => folderChild(each, given)), ...(await shelf.children(items.filter(isMedia), by, { parent: given }))],
      },
    }; // prettier-ignore
  },

  async getArtists({ shelf, by }) {
    const artists = (await shelf.everything('artists', { sort: 'name' }, by)).map(artistId3);
    return { artists: { ignoredArticles: IGNORED_ARTICLES, index: indexed(artists) } };
  },

  async getArtist({ asks, shelf, by }) {
    const { artist, albums } = await shelf.artist(asks.id('id'), by);
    return { artist: { ...artistId3(artist), album: albums.map(albumId3) } };
  },

  async getAlbum({ asks, shelf, by }) {
    const { album, songs } = await shelf.album(asks.id('id'), by);
    return { album: { ...albumId3(album), song: songs } };
  },

  async getSong({ asks, shelf, by }) {
    const [song] = await shelf.childrenOf([asks.id('id')], by);
    if (!song) throw new SubsonicError(CODE.notFound, 'no song has this id');
    return { song };
  },

  async getGenres({ shelf, by }) {
    const genres = await shelf.everything('genres', {}, by);
    return { genres: { genre: genres.map(({ name, songs, albums }) => ({ songCount: songs, albumCount: albums, value: name })) } };
  },

  async getVideos({ shelf, by }) {
    return { videos: { video: await shelf.songs('kind:video sort:title', { size: 500 }, by) } };
  },

  // What nobody here knows: the answers are valid and empty.
  async getArtistInfo({ asks }) {
    asks.needed('id');
    return { artistInfo: {} };
  },
  async getArtistInfo2({ asks }) {
    asks.needed('id');
    return { artistInfo2: {} };
  },
  async getAlbumInfo({ asks }) {
    asks.needed('id');
    return { albumInfo: {} };
  },
  async getAlbumInfo2({ asks }) {
    asks.needed('id');
    return { albumInfo: {} };
  },

  /** What else there is by this artist, the played ones first. */
  async getTopSongs({ asks, shelf, by }) {
    const artist = asks.needed('artist');
    const size = asks.number('count', 50, { most: 500 });
    return { topSongs: { song: await shelf.songs(`${SONGS} ${having('artist', artist)} plays:>0 sort:-plays`, { size }, by) } };
  },
  async getSimilarSongs(context) {
    return { similarSongs: { song: await similar(context) } };
  },
  async getSimilarSongs2(context) {
    return { similarSongs2: { song: await similar(context) } };
  },

  async getAlbumList(context) {
    return { albumList: { album: (await albumList(context)).map(albumFolder) } };
  },
  async getAlbumList2(context) {
    return { albumList2: { album: (await albumList(context)).map(albumId3) } };
  },

  async getRandomSongs({ asks, shelf, by }) {
    const size = asks.number('size', 10, { most: 500 });
    const genre = asks.text('genre');
    const [from, to] = [asks.number('fromYear', 0), asks.number('toYear', 0)];
    const year = from || to ? ` year:${from || ''}..${to || ''}` : '';
    return { randomSongs: { song: await shelf.random(`${SONGS}${genre ? ` ${having('genre', genre)}` : ''}${year}`, size, by) } };
  },

  async getSongsByGenre({ asks, shelf, by }) {
    const size = asks.number('count', 10, { most: 500 });
    const question = `${SONGS} ${having('genre', asks.needed('genre'))}`;
    return { songsByGenre: { song: await shelf.songs(question, { offset: asks.number('offset', 0), size }, by) } };
  },

  async getStarred({ shelf, by }) {
    const { artists, albums, songs } = await starred(shelf, by);
    return { starred: { artist: artists.map(artistFolder), album: albums.map(albumFolder), song: songs } };
  },
  async getStarred2({ shelf, by }) {
    const { artists, albums, songs } = await starred(shelf, by);
    return { starred2: { artist: artists.map(artistId3), album: albums.map(albumId3), song: songs } };
  },

  async search2(context) {
    const { artists, albums, songs } = await search(context);
    return { searchResult2: { artist: artists.map(artistFolder), album: albums.map(albumFolder), song: songs } };
  },
  async search3(context) {
    const { artists, albums, songs } = await search(context);
    return { searchResult3: { artist: artists.map(artistId3), album: albums.map(albumId3), song: songs } };
  },

  /** The oldest search: one list, by any, artist, album, title. */
  async search({ asks, shelf, by }) {
    const parts = ['artist', 'album', 'title'].flatMap((name) => {
      const words = wordsOf(asks.text(name) ?? '');
      return words ? [`${name}:(${words})`.replace(/\((\S+)\)/, '$1').replace(/\((.*)\)/, '"$1"')] : [];
    });
    const question = [SONGS, wordsOf(asks.text('any') ?? ''), ...parts].filter(Boolean).join(' ');
    const offset = asks.number('offset', 0);
    const match = await shelf.songs(question, { offset, size: asks.number('count', 20, { most: 500 }) }, by);
    return { searchResult: { offset, totalHits: await shelf.client.count(question, by), match } };
  },
};

/** @param {import('../types.js').Item} item */
const isMedia = ({ kind }) => kind === 'audio' || kind === 'video';

/**
 * Everything in a folder.
 * @param {number} folder
 * @param {import('./shelf.js').Shelf} shelf
 * @param {{ actor: string, signal?: AbortSignal }} by
 */
async function inside(folder, shelf, by) {
  let page = await shelf.browse({ what: 'folders', folder, items: true, limit: 500 }, by);
  const all = page;
  while (page.cursor !== null) {
    page = await shelf.browse({ what: 'folders', folder, items: true, limit: 500, cursor: page.cursor }, by);
    all.folders.push(...page.folders);
    all.items.push(...page.items);
  }
  return all;
}

/** @param {import('./asks.js').Asks} asks @param {import('./shelf.js').Shelf} shelf @param {{ actor: string, signal?: AbortSignal }} by */
async function chosenRoots(asks, shelf, by) {
  const roots = await shelf.everything('folders', {}, by);
  const chosen = asks.text('musicFolderId');
  if (chosen === undefined || chosen === '') return roots;
  const found = roots.filter(({ id }) => String(id) === chosen || folderId(id) === chosen);
  if (found.length === 0) throw new SubsonicError(CODE.notFound, 'no music folder has this id');
  return found;
}

/** An album or artist asked for as a folder: clients of the old lists do. @param {string} id @param {import('./shelf.js').Shelf} shelf @param {{ actor: string, signal?: AbortSignal }} by */
async function taggedDirectory(id, shelf, by) {
  const album = await shelf.albumOrNull(id, by);
  if (album) return { id, ...(album.artistId ? { parent: album.artistId } : {}), name: album.name, child: await shelf.songsOf(id, by) };
  const { artist, albums: own } = await shelf.artist(id, by);
  return { id, name: artist.name, child: own.map(albumFolder) };
}

/** @param {Parameters<Method>[0]} context */
async function albumList({ asks, shelf, by }) {
  const type = asks.needed('type');
  const part = { offset: asks.number('offset', 0), size: asks.number('size', 10, { most: 500 }) };
  /** @type {Record<string, Record<string, any>>} */
  const requests = {
    random: { sort: 'random' }, newest: { sort: 'added' }, highest: { sort: 'rating' }, frequent: { sort: 'frequent' }, recent: { sort: 'recent' },
    alphabeticalByName: { sort: 'name' }, alphabeticalByArtist: { sort: 'artist' }, starred: { sort: 'starred', starred: true },
  }; // prettier-ignore
  if (type === 'byYear') {
    const [from, to] = [asks.needed('fromYear'), asks.needed('toYear')].map((_, place) => asks.number(place ? 'toYear' : 'fromYear', 0, { most: 9999 }));
    return shelf.browsed('albums', { sort: from <= to ? 'year' : '-year', yearFrom: Math.min(from, to), yearTo: Math.max(from, to) }, part, by);
  }
  if (type === 'byGenre') return shelf.browsed('albums', { sort: 'name', genre: asks.needed('genre') }, part, by);
  const request = requests[type];
  if (!request) throw new SubsonicError(CODE.generic, `type: no list is called ${type.slice(0, 40)}`);
  return shelf.browsed('albums', request, part, by);
}

/** @param {import('./shelf.js').Shelf} shelf @param {{ actor: string, signal?: AbortSignal }} by */
async function starred(shelf, by) {
  const [artists, albums, songs] = await Promise.all([
    shelf.everything('artists', { starred: true, allArtists: true }, by),
    shelf.everything('albums', { starred: true, sort: 'starred' }, by),
    shelf.songs(`${MEDIA} starred:yes`, { size: 500 }, by),
  ]);
  return { artists, albums, songs };
}

/** Words of all kinds; without any, everything: clients fetch the whole library so. @param {Parameters<Method>[0]} context */
async function search({ asks, shelf, by }) {
  const words = wordsOf(asks.text('query') ?? '');
  const part = (/** @type {string} */ name) => ({ offset: asks.number(`${name}Offset`, 0), size: asks.number(`${name}Count`, 20, { most: 500 }) });
  const plain = words.replaceAll('"', '');
  const [artists, albums, songs] = await Promise.all([
    shelf.browsed('artists', { sort: 'name', prefix: plain }, part('artist'), by),
    shelf.browsed('albums', { sort: 'name', prefix: plain }, part('album'), by),
    shelf.songs(`${SONGS} ${words}`.trim(), part('song'), by),
  ]);
  return { artists, albums, songs };
}

/** Songs of the same artist and genre in another order each time. @param {Parameters<Method>[0]} context */
async function similar({ asks, shelf, by }) {
  const id = asks.id('id');
  const size = asks.number('count', 50, { most: 500 });
  const [{ item }] = await shelf.client.get(id, by);
  let artist = item?.artist;
  /** @type {string | undefined} */
  let genre = item && /** @type {any} */ (item.files[0])?.fields.genres?.[0];
  if (!item) {
    const album = await shelf.albumOrNull(id, by);
    [artist, genre] = album ? [album.artist, album.genres[0]] : [(await shelf.artist(id, by)).artist.name, undefined];
  }
  const alike = [artist ? having('artist', artist) : '', genre ? having('genre', genre) : ''].filter(Boolean);
  if (alike.length === 0) return [];
  return (await shelf.random(`${SONGS} (${alike.join(' or ')})`, size + 1, by)).filter((song) => song.id !== id).slice(0, size);
}
