/** Items, albums, artists, folders as OpenSubsonic has them: https://opensubsonic.netlify.app/docs/responses/ */
import { filled, firstFile, nameOf, seconds } from '../map.js';
import { typeOf } from '../mime.js';
import { folderId } from './asks.js';

/** @import { Item } from '../types.js' */

/** Columns that a Child is made of, beside the item's own. */
export const COLUMNS = Object.freeze([
  'track_number', 'disc_number', 'release_year', 'year', 'genres', 'bit_rate', 'sample_rate', 'channels', 'bits_per_sample', 'bpm', 'comments', 'title_sort',
  'mb_recording_id', 'mb_track_id', 'isrcs', 'artists', 'album_artists', 'album_artist_credit', 'composers', 'moods', 'replaygain_track_gain', 'replaygain_album_gain',
  'replaygain_track_peak', 'replaygain_album_peak', 'video_bit_rate',
]); // prettier-ignore

/** @param {number | bigint} at nanoseconds (bigint) or seconds */
export const isoOf = (at) => new Date((typeof at === 'bigint' ? seconds(at) : at) * 1000).toISOString();

/** @param {bigint | undefined} ns 0n: never */
const isoOrNone = (ns) => (ns ? isoOf(ns) : undefined);

/** @param {unknown} value */
const whole = (value) => (typeof value === 'number' && Number.isFinite(value) ? Math.round(value) : undefined);

/** @param {unknown} value @returns {any[]} */
const listOf = (value) => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);

/**
 * @typedef {{ album?: string | null, artists?: { id: string, name: string }[] }} Links an item's album and artists
 */

/**
 * A song or film.
 * @param {Item} item
 * @param {{ links?: Links, parent?: string }} [how] `parent`: the folder it was found in
 */
export function child(item, { links = {}, parent } = {}) {
  const file = firstFile(item);
  const { work } = /** @type {any} */ (item);
  /** @type {any} */
  const fields = file ? /** @type {any} */ (file).fields : {};
  const name = file ? nameOf(file) : item.title;
  const genres = listOf(fields.genres).map((each) => ({ name: String(each) }));
  const isVideo = item.kind === 'video';
  const dot = name.lastIndexOf('.');
  const artists = links.artists ?? [];
  return filled({
    id: item.id,
    parent: parent ?? links.album ?? undefined,
    isDir: false,
    title: item.title || (dot > 0 ? name.slice(0, dot) : name) || item.id,
    album: item.album,
    artist: item.artist,
    track: whole(fields.track_number),
    year: whole(fields.release_year ?? fields.year) ?? (Number(item.date.slice(0, 4)) || undefined),
    genre: genres[0]?.name,
    coverArt: item.id,
    size: file?.size,
    contentType: file && typeOf(name, item.format, item.kind).split(';')[0],
    suffix: dot > 0 ? name.slice(dot + 1).toLowerCase() : item.format,
    duration: item.duration ? Math.round(item.duration) : undefined,
    bitRate: whole(fields.bit_rate === undefined ? undefined : fields.bit_rate / 1000) ?? bitRateOf(file?.size, item.duration),
    bitDepth: whole(fields.bits_per_sample),
    samplingRate: whole(fields.sample_rate),
    channelCount: whole(fields.channels),
    path: file && pathOf(item, name),
    isVideo,
    userRating: work.user_rating ? Math.max(1, Math.min(5, Math.round(work.user_rating))) : undefined,
    playCount: work.play_count,
    discNumber: whole(fields.disc_number),
    created: file && isoOf(file.mtimeNs),
    starred: work.starred_at === undefined ? undefined : isoOf(work.starred_at),
    albumId: links.album ?? undefined,
    artistId: (artists.find((each) => each.name === item.artist) ?? artists[0])?.id,
    type: isVideo ? 'video' : 'music',
    mediaType: 'song',
    bookmarkPosition: work.bookmark ? Math.round(work.bookmark.position * 1000) : undefined,
    originalWidth: isVideo ? item.width || undefined : undefined,
    originalHeight: isVideo ? item.height || undefined : undefined,
    played: work.last_played_at === undefined ? undefined : isoOf(work.last_played_at),
    bpm: whole(fields.bpm) ?? 0,
    comment: listOf(fields.comments)[0] === undefined ? '' : String(listOf(fields.comments)[0]),
    sortName: fields.title_sort ?? '',
    musicBrainzId: fields.mb_recording_id ?? '',
    isrc: listOf(fields.isrcs).map(String),
    genres,
    artists,
    displayArtist: item.artist ?? '',
    albumArtists: [],
    displayAlbumArtist: fields.album_artist_credit ?? listOf(fields.album_artists).join(', '),
    contributors: [],
    displayComposer: listOf(fields.composers).map((each) => (typeof each === 'object' ? each.name : each)).join(', '),
    moods: listOf(fields.moods).map(String),
    replayGain: gainOf(fields),
  });
}

/** @param {number | undefined} size @param {number} duration @returns {number | undefined} kbit/s */
const bitRateOf = (size, duration) => (size && duration ? Math.round((size * 8) / duration / 1000) : undefined);

/** What clients show and name downloads by: made of what is known, never a path of this machine. @param {Item} item @param {string} name */
const pathOf = (item, name) => [item.artist || 'Unknown Artist', item.album || 'Unknown Album', name].map((each) => each.replaceAll('/', '_')).join('/');

/** @param {any} fields */
function gainOf(fields) {
  const gain = filled({
    trackGain: fields.replaygain_track_gain, albumGain: fields.replaygain_album_gain,
    trackPeak: fields.replaygain_track_peak, albumPeak: fields.replaygain_album_peak,
  }); // prettier-ignore
  return gain;
}

/** @param {any} artist Artist of proto/mediadb.proto */
export const artistId3 = (artist) => filled({
  id: artist.id, name: artist.name, coverArt: artist.id, albumCount: artist.albums, starred: isoOrNone(artist.starredAtNs),
  userRating: artist.rating ? Math.round(artist.rating) : undefined, musicBrainzId: artist.musicbrainzId, sortName: artist.sortName || artist.name, roles: [],
}); // prettier-ignore

/** @param {any} album Album of proto/mediadb.proto */
export function albumId3(album) {
  const genres = album.genres.map((/** @type {string} */ name) => ({ name }));
  /** @type {{ id: string, name: string }[]} */
  const artists = (album.artistIds ?? []).map((/** @type {string} */ id, /** @type {number} */ place) => ({ id, name: album.artistNames[place] ?? album.artist }));
  return filled({
    id: album.id,
    name: album.name,
    artist: album.artist,
    artistId: album.artistId ?? undefined,
    coverArt: album.cover ?? album.id,
    songCount: album.songs,
    duration: Math.round(album.duration),
    playCount: album.plays || undefined,
    created: isoOf(album.createdAtNs),
    starred: isoOrNone(album.starredAtNs),
    year: album.year || undefined,
    genre: genres[0]?.name,
    played: isoOrNone(album.playedAtNs),
    userRating: album.rating ? Math.max(1, Math.round(album.rating)) : undefined,
    musicBrainzId: album.musicbrainzId,
    genres,
    artists,
    displayArtist: album.artist,
    sortName: album.name,
    isCompilation: album.compilation,
  });
}

/** The same for the lists by folders (getAlbumList, search2): an album is a folder there. @param {any} album */
export function albumFolder(album) {
  const { id, name, artist, artistId, coverArt, duration, playCount, created, starred, year, genre, genres, userRating, played } = albumId3(album);
  return filled({
    id, parent: artistId, isDir: true, title: name, album: name, artist, artistId, coverArt, duration, playCount, created, starred, year, genre, genres, userRating, played,
    mediaType: 'album',
  }); // prettier-ignore
}

/** @param {any} artist @returns Artist of the lists by folders */
export const artistFolder = (artist) => filled({ id: artist.id, name: artist.name, starred: isoOrNone(artist.starredAtNs), userRating: artist.rating ? Math.round(artist.rating) : undefined });

/** A folder in a folder. @param {any} folder Folder of proto/mediadb.proto @param {string} [parent] */
export const folderChild = (folder, parent) => filled({ id: folderId(folder.id), parent, isDir: true, title: folder.name || '/', created: folder.mtimeNs ? isoOf(folder.mtimeNs) : undefined });

const ARTICLES = ['The', 'El', 'La', 'Los', 'Las', 'Le', 'Les'];
export const IGNORED_ARTICLES = ARTICLES.join(' ');
const ARTICLE = new RegExp(`^(?:${ARTICLES.join('|')})\\s+(?=\\S)`, 'i');

/**
 * Under its first letter, articles not counted; what begins with none under `#`.
 * @template {{ name?: string, title?: string, sortName?: string }} T
 * @param {T[]} things
 * @returns {{ name: string, artist: T[] }[]}
 */
export function indexed(things) {
  /** @type {Map<string, { key: string, thing: T }[]>} */
  const found = new Map();
  for (const thing of things) {
    const key = (thing.sortName || thing.name || thing.title || '').replace(ARTICLE, '').normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase();
    const first = /^\p{L}/u.exec(key)?.[0] ?? '#';
    const list = found.get(first) ?? [];
    if (list.length === 0) found.set(first, list);
    list.push({ key, thing });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, list]) => ({ name, artist: list.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ thing }) => thing) })); // prettier-ignore
}
