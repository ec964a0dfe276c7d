/** What the daemon says, as docs/http.md has it: snake_case, seconds, ids as text. */
import { problemOf } from './errors.js';

/** @import { Item, File, Change, Root } from './types.js' */

/** @param {bigint} ns @returns {number} seconds */
export const seconds = (ns) => Number(ns / 1_000_000n) / 1000 + Number(ns % 1_000_000n) / 1e9;

/** @param {bigint} ns 0n: never */
export const secondsOrNull = (ns) => (ns === 0n ? null : seconds(ns));

/** Leaves out what has no value. @template {Record<string, any>} T @param {T} value @returns {Partial<T>} */
export function filled(value) {
  /** @type {any} */
  const kept = {};
  for (const name of Object.keys(value)) {
    const each = value[name];
    if (each !== undefined && each !== null && each !== '') kept[name] = each;
  }
  return kept;
}

/** What lists may ask of a file beside the item's own: columns of a query. */
export const LIST_FIELDS = Object.freeze(['track_number', 'disc_number', 'release_year', 'year', 'date_released', 'genres', 'codec', 'video_codec', 'audio_codec', 'replaygain_track_gain', 'replaygain_album_gain', 'r128_track_gain', 'latitude', 'longitude']);

/** The item's own values among those that a person set or that a file has. @param {any} fields */
function listed(fields) {
  const year = fields.release_year ?? fields.year ?? (/^\d{4}/.test(fields.date_released ?? '') ? Number(fields.date_released.slice(0, 4)) : undefined);
  return {
    track: fields.track_number, disc: fields.disc_number, year, genres: fields.genres, codec: fields.codec,
    video_codec: fields.video_codec, audio_codec: fields.audio_codec,
    track_gain: fields.replaygain_track_gain ?? (fields.r128_track_gain === undefined ? undefined : fields.r128_track_gain / 256 + 5),
    album_gain: fields.replaygain_album_gain, latitude: fields.latitude, longitude: fields.longitude,
  }; // prettier-ignore
}

/** A file's name for people: what stands behind the last slash. @param {File} file */
export const nameOf = (file) => file.pathDisplay.slice(file.pathDisplay.lastIndexOf('/') + 1);

/**
 * The file that stands for an item: the first that is here. @param {Item} item @returns {File | undefined}
 */
export const firstFile = (item) => item.files.find(({ state }) => state !== 'missing') ?? item.files[0];

/**
 * An item of a list.
 * @param {Item} item
 * @param {{ fields?: boolean }} [how] with track, disc, year, genres
 * @returns {Record<string, any>}
 */
export function itemJson(item, { fields = false } = {}) {
  const file = firstFile(item);
  const { work } = /** @type {any} */ (item);
  return filled({
    id: item.id,
    kind: item.kind || 'other',
    format: item.format,
    name: file && nameOf(file),
    title: item.title,
    artist: item.artist,
    album: item.album,
    duration: item.duration || null,
    width: item.width || null,
    height: item.height || null,
    date: item.date,
    size: file?.size,
    mtime: file && seconds(file.mtimeNs),
    missing: !file || file.state === 'missing' ? true : null,
    tags: work.user_tags,
    rating: work.user_rating,
    starred: work.starred,
    plays: work.play_count,
    last_played_at: work.last_played_at,
    bookmark: work.bookmark,
    ...(fields && file ? listed(/** @type {any} */ (file).fields) : {}),
  });
}

const WORK = new Set(['user_tags', 'user_rating', 'starred', 'play_count', 'last_played_at', 'bookmark', 'collections', 'playlists']);

/** Fields as they hold: the person's before the file's (settled 12). @param {Item} item @param {File | undefined} file */
export function effectiveFields(item, file) {
  const fields = { .../** @type {any} */ (file)?.fields };
  for (const [name, value] of Object.entries(/** @type {any} */ (item).work)) {
    if (!WORK.has(name)) fields[name.startsWith('user_') ? name.slice(5) : name] = value;
  }
  return fields;
}

/** @param {File} file */
function fileJson(file) {
  /** @type {Record<string, Record<string, string>>} */
  const checksums = {};
  for (const { algorithm, value, scope } of file.digests) (checksums[scope || 'file'] ??= {})[algorithm] = value.toString('hex');
  const { fields, tags, sources } = /** @type {any} */ (file);
  return filled({
    id: file.id,
    name: nameOf(file),
    path: file.pathDisplay,
    size: file.size,
    mtime: seconds(file.mtimeNs),
    state: file.state,
    missing_since: secondsOrNull(file.missingSinceNs),
    handler: file.handler,
    problem: file.problem && problemOf(file.problem),
    fields,
    tags,
    sources,
    checksums,
    links: file.nlink > 1 ? file.nlink : null,
  });
}

/** An item with all that is known of it. @param {Item} item @returns {Record<string, any>} */
export function recordJson(item) {
  const file = firstFile(item);
  const { work } = /** @type {any} */ (item);
  return {
    ...itemJson(item, { fields: true }),
    fields: effectiveFields(item, file),
    own: Object.fromEntries(Object.entries(work).filter(([name]) => !WORK.has(name)).map(([name, value]) => [name.startsWith('user_') ? name.slice(5) : name, value])),
    sources: /** @type {any} */ (file)?.sources ?? {},
    keys: item.keys.map(({ grade, algorithm, value }) => ({ grade, algorithm, value: value.toString('hex') })),
    collections: work.collections ?? [],
    playlists: work.playlists ?? [],
    files: item.files.map((each) => fileJson(each)),
    ...(item.successor ? { successor: item.successor } : {}),
  };
}

/** @param {Change} change @returns {Record<string, any>} */
export function changeJson(change) {
  return filled({
    seq: change.seq,
    at: seconds(change.atNs),
    action: change.action,
    item: change.item,
    target_kind: change.targetKind,
    target: change.target,
    value: /** @type {any} */ (change).value,
    actor: change.actor,
    operation: change.operation,
  });
}

/** @param {Root} root */
export const rootJson = (root) => ({
  id: root.id, path: root.pathDisplay, state: root.state, files: root.files, folders: root.folders, missing: root.missing,
  pending: root.pending, failed: root.failed, bytes: root.bytes, scanned_at: secondsOrNull(root.scannedAtNs), watched: root.watched,
  host: root.hostName,
}); // prettier-ignore

/** Names and values of any message for people, for what has no form of its own. @param {any} value @returns {any} */
export function plainJson(value) {
  if (typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return value.toString();
  if (Array.isArray(value)) return value.map(plainJson);
  if (value instanceof Error) return problemOf(/** @type {any} */ (value));
  if (value === null || typeof value !== 'object') return value;
  /** @type {Record<string, any>} */
  const plain = {};
  for (const [name, each] of Object.entries(value)) {
    if (name.endsWith('Ns')) plain[snake(name.slice(0, -2))] = secondsOrNull(each);
    else if (name.endsWith('Json')) plain[snake(name.slice(0, -4))] = each ? JSON.parse(each) : {};
    else plain[snake(name)] = plainJson(each);
  }
  return plain;
}

/** @param {string} name */
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A page's cursor in a URL. @param {Buffer | null | undefined} cursor */
export const cursorText = (cursor) => (cursor && cursor.length ? cursor.toString('base64url') : null);
