/** Who asks, what is here, and what others have that this has not. */
import { CODE, SubsonicError } from './answer.js';
import { Shelf } from './shelf.js';

/** @import { Method } from './index.js' */

/** https://opensubsonic.netlify.app/docs/extensions/ */
const EXTENSIONS = [
  { name: 'formPost', versions: [1] },
  { name: 'apiKeyAuthentication', versions: [1] },
  { name: 'transcodeOffset', versions: [1] },
  { name: 'songLyrics', versions: [1] },
  { name: 'indexBasedQueue', versions: [1] },
];

/** @type {Record<string, Method>} */
export const system = {
  async ping() {
    return {};
  },
  async getLicense() {
    return { license: { valid: true } };
  },
  async getOpenSubsonicExtensions() {
    return { openSubsonicExtensions: EXTENSIONS };
  },
  async tokenInfo({ person }) {
    return { tokenInfo: { username: person.name || 'mediadb' } };
  },

  async getUser({ asks, person, shelf, by }) {
    const name = asks.text('username') ?? person.name;
    if (name === person.name || person.open) return { user: { ...Shelf.user(person), username: name || 'mediadb', folder: await folders(shelf, by) } };
    const user = (await users({ person, shelf, by })).find((/** @type {{ username: string }} */ each) => each.username === name);
    if (!user) throw new SubsonicError(CODE.notFound, 'no person has this name');
    return { user };
  },
  async getUsers(context) {
    return { users: { user: await users(context) } };
  },

  async getScanStatus({ shelf, by }) {
    const { scans, pending, files } = await shelf.client.status(by);
    return { scanStatus: { scanning: scans.length > 0 || pending > 0, count: files } };
  },
  async startScan(context) {
    const { shelf, by } = context;
    await shelf.client.rescan([], { wait: false, quick: !context.asks.truth('fullScan', false), ...by });
    return system.getScanStatus(context);
  },

  // Nothing of these is here; the answers are valid and empty.
  async getInternetRadioStations() {
    return { internetRadioStations: {} };
  },
  async getPodcasts() {
    return { podcasts: {} };
  },
  async getNewestPodcasts() {
    return { newestPodcasts: {} };
  },
  async getShares() {
    return { shares: {} };
  },
};

/** @param {Shelf} shelf @param {{ actor: string, signal?: AbortSignal }} by */
const folders = async (shelf, by) => (await shelf.everything('folders', {}, by)).map(({ id }) => id);

/** @param {{ person: import('../types.js').Person, shelf: Shelf, by: { actor: string, signal?: AbortSignal } }} context */
async function users({ person, shelf, by }) {
  if (person.role !== 'admin') throw new SubsonicError(CODE.forbidden, 'only who has the role admin sees other persons');
  const [{ users: all }] = await shelf.client.call('accounts', {}, by);
  const folder = await folders(shelf, by);
  return all.map((/** @type {any} */ each) => ({ ...Shelf.user({ ...person, name: each.name, role: each.role }), folder }));
}

/** Never: HTTP 410. What people say to each other, machines that play by themselves, persons made by clients. */
export const NEVER = new Set([
  'getChatMessages', 'addChatMessage', 'jukeboxControl', 'hls.m3u8', 'createUser', 'updateUser', 'deleteUser', 'changePassword', 'createShare', 'updateShare', 'deleteShare',
  'refreshPodcasts', 'createPodcastChannel', 'deletePodcastChannel', 'deletePodcastEpisode', 'downloadPodcastEpisode', 'createInternetRadioStation',
  'updateInternetRadioStation', 'deleteInternetRadioStation',
]); // prettier-ignore

/** Not yet: HTTP 501. */
export const NOT_YET = new Set(['getAvatar', 'getCaptions', 'getVideoInfo', 'getPodcastEpisode', 'getSonicSimilarTracks', 'findSonicPath', 'getTranscodeDecision', 'getTranscodeStream']);
