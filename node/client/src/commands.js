/** What changes things, the feed, and keeping it safe, as methods. The fields of the results: messages.d.ts. */
import { AskingClient } from './asking.js';
import { followChanges } from './feed.js';
import { join, one, part } from './requests.js';
import { pathBytes, target, targets } from './targets.js';

/** @import { CallOptions } from './call.js' */
/** @import { Path, Target, Targets } from './targets.js' */
/** @import * as m from './messages.js' */

/**
 * Which items beside those named: what a question finds.
 * @typedef {{ query?: string } & CallOptions} WorkOptions
 */


/**
 * A connection to mediad, with what README.md and docs/ of mediadb describe. Every method throws the classes of errors.js and takes `CallOptions` among its options:
 * `deadlineMs`, `signal`, `onProgress`, `actor`, `operation`. Many may be called at the same time.
 */
export class Client extends AskingClient {
  // ---------------------------------------------------------------- a person's work

  /**
   * Does actions (WorkAction in proto/mediadb.proto) to items, wholly or not at all; `undo` takes them back.
   * @param {Targets | undefined} what
   * @param {Partial<m.WorkAction>[]} actions
   * @param {WorkOptions} [how]
   * @returns {Promise<m.WorkReply>}
   */
  async work(what, actions, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'work', { ...rest, targets: await targets(what), actions }, options);
  }

  /**
   * @param {Targets | undefined} what
   * @param {{ add?: readonly string[], remove?: readonly string[] }} tags
   * @param {WorkOptions} [how]
   */
  async tag(what, { add = [], remove = [] }, how) {
    const actions = [
      ...add.map((name) => ({ action: 'tag', name })),
      ...remove.map((name) => ({ action: 'untag', name })),
    ];
    return this.work(what, actions, how);
  }

  /** @param {Targets | undefined} what @param {number | null} rating 0 to 5; null takes it away @param {WorkOptions} [how] */
  async rate(what, rating, how) {
    return this.work(what, [rating === null ? { action: 'unrate' } : { action: 'rate', number: rating }], how);
  }

  /** @param {Targets | undefined} what @param {boolean} [starred] @param {WorkOptions} [how] */
  async star(what, starred = true, how = {}) {
    return this.work(what, [{ action: starred ? 'star' : 'unstar' }], how);
  }

  /** Sets fields; null takes one away. @param {Targets | undefined} what @param {Record<string, string | null>} fields @param {WorkOptions} [how] */
  async set(what, fields, how) {
    const actions = Object.entries(fields).map(([name, value]) =>
      value === null ? { action: 'unset', name } : { action: 'set', name, value },
    );
    return this.work(what, actions, how);
  }

  /** @param {Targets | undefined} what @param {{ atNs?: bigint, count?: number } & WorkOptions} [how] default: once, now */
  async play(what, { atNs, count, ...how } = {}) {
    return this.work(what, [{ action: 'play', atNs, count }], how);
  }

  /**
   * Notes where to go on in an item; null takes the bookmark away.
   * @param {Targets | undefined} what
   * @param {number | null} position seconds from the beginning
   * @param {{ comment?: string, atNs?: bigint } & WorkOptions} [how]
   */
  async bookmark(what, position, { comment, atNs, ...how } = {}) {
    const action = position === null ? { action: 'unbookmark' } : { action: 'bookmark', number: position, value: comment, atNs };
    return this.work(what, [action], how);
  }

  /**
   * Makes, fills, orders, renames or deletes a collection or playlist, or saves a question as one (CollectRequest).
   * @param {string} name
   * @param {'add' | 'remove' | 'move' | 'delete' | 'rename' | 'save' | 'set'} action
   * @param {{ targets?: Targets, kind?: 'collection' | 'playlist', query?: string, place?: number, to?: number,
   *   newName?: string } & CallOptions} [how] `place`: from 0; default -1, the end
   * @returns {Promise<m.CollectReply>}
   */
  async collect(name, action, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'collect', { place: -1, ...rest, name, action, targets: await targets(rest.targets) }, options);
  }

  /** What the actor is about to hear. @param {CallOptions} [options] @returns {Promise<m.QueueReply>} */
  async queue(options) {
    return one(this, 'queue', {}, options);
  }

  /**
   * What the actor is about to hear from now on, or (`what` is null) another place in the same queue.
   * @param {Targets | null} what in order, with repeats
   * @param {{ current?: number, position?: number, client?: string } & CallOptions} [how] which of them, seconds into it
   * @returns {Promise<m.QueueReply>} `events`, `last`, `problems`
   */
  async saveQueue(what, how = {}) {
    const { options, rest } = part(how);
    const request = what === null ? { ...rest, action: 'at' } : { ...rest, action: 'save', targets: await targets(what) };
    return one(this, 'queue', request, options);
  }

  /**
   * @param {{ kind?: string, name?: string, entries?: boolean } & CallOptions} [how]
   * @returns {Promise<m.Collection[]>}
   */
  async collections(how = {}) {
    const { options, rest } = part(how);
    return (await one(this, 'collections', rest, options)).collections;
  }

  /**
   * A page of the library as persons walk through it; `cursor` of the answer goes on, until it is null.
   * @param {'artists' | 'albums' | 'genres' | 'folders'} what
   * @param {Partial<Omit<m.BrowseRequest, 'what'>> & CallOptions} [how]
   * @returns {Promise<m.BrowseReply>} the pages' parts together
   */
  async browse(what, how = {}) {
    const { options, rest } = part(how);
    /** @type {m.BrowseReply | null} */
    let whole = null;
    for await (const reply of this.stream('browse', { ...rest, what }, options)) {
      if (whole === null) whole = reply;
      else {
        for (const name of /** @type {const} */ (['artists', 'albums', 'genres', 'folders', 'items'])) {
          /** @type {unknown[]} */ (whole[name]).push(.../** @type {unknown[]} */ (reply[name]));
        }
        Object.assign(whole, { cursor: reply.cursor, folder: reply.folder, above: reply.above });
      }
    }
    return /** @type {m.BrowseReply} */ (whole);
  }

  /**
   * Takes back an operation, or the last `count` ones (default 1) of this actor.
   * @param {string | null} [operation] UUID
   * @param {{ count?: number } & CallOptions} [how] its own `operation` is that of the undoing
   * @returns {Promise<m.UndoReply>}
   */
  async undo(operation = null, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'undo', { count: 1, ...rest, operation }, options);
  }

  /** What was done last, newest first. @param {{ limit?: number } & CallOptions} [how] @returns {Promise<m.Operation[]>} */
  async operations(how = {}) {
    const { options, rest } = part(how);
    return (await one(this, 'operations', { limit: 20, ...rest }, options)).operations;
  }

  /** @param {Targets} what @param {CallOptions} [options] @returns {Promise<m.HistoryReply[]>} one a target, in order */
  async history(what, options) {
    return this.call('history', { targets: await targets(what) }, options);
  }

  /**
   * How items belong together (RelateRequest).
   * @param {string} relation split join replaces edit accept dismiss detach
   * @param {Target} what
   * @param {Target} [other]
   * @param {CallOptions} [options]
   * @returns {Promise<m.RelateReply>}
   */
  async relate(relation, what, other, options) {
    const request = { relation, target: await target(what), other: other === undefined ? null : await target(other) };
    return one(this, 'relate', request, options);
  }

  /** @param {Targets} [what] @param {WorkOptions} [how] @returns {Promise<m.OffersReply>} */
  async offers(what, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'offers', { ...rest, targets: await targets(what) }, options);
  }

  // ---------------------------------------------------------------- persons whom the applications let in

  /**
   * Makes, changes or removes a person; makes or removes a key; ends a session (AccountRequest). Takes the role admin.
   * @param {'create' | 'remove' | 'role' | 'password' | 'key' | 'unkey' | 'unsession'} action
   * @param {{ name?: string, role?: string, password?: string, keyName?: string, id?: string } & CallOptions} how
   * @returns {Promise<m.AccountReply>} with `key` its `secret`, which is never told again
   */
  async account(action, how) {
    const { options, rest } = part(how);
    return one(this, 'account', { ...rest, action }, options);
  }

  /** @param {string} [name] one person; else all @param {CallOptions} [options] @returns {Promise<m.AccountsReply>} */
  async accounts(name = '', options) {
    return one(this, 'accounts', { name }, options);
  }

  /**
   * A session for a person's password.
   * @param {string} name
   * @param {string} password
   * @param {{ client?: string, origin?: string } & CallOptions} [how] `origin`: who asks, for the limit of attempts
   * @returns {Promise<m.LoginReply>}
   * @throws {PermissionDenied} for a wrong name or password; LimitExceeded after too many
   */
  async login(name, password, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'login', { ...rest, name, password }, options);
  }

  /**
   * Whose a secret is: a session, a key, or md5(key + salt) with its name.
   * @param {{ session?: string, key?: string, name?: string, token?: string, salt?: string, origin?: string } & CallOptions} [how]
   * @returns {Promise<m.AuthenticateReply>} without a secret, `nobody` when no person exists
   * @throws {PermissionDenied} when it is nobody's
   */
  async authenticate(how = {}) {
    const { options, rest } = part(how);
    return one(this, 'authenticate', rest, options);
  }

  /** Ends a session. @param {string} session @param {CallOptions} [options] @returns {Promise<void>} */
  async logout(session, options) {
    await one(this, 'logout', { session }, options);
  }

  /**
   * A small picture of an item: of a picture itself, of a song or film its cover. JPEG, or PNG where it is transparent.
   * `size`: pixels of the longer side, one of 128 320 800 1280 1920. `known`: the tag of the one you have; then `same` is
   * true, and `data` empty, if that is it.
   * @param {Target} what
   * @param {number} size
   * @param {{ known?: Uint8Array } & CallOptions} [how]
   * @returns {Promise<{ data: Buffer, mimeType: string, width: number, height: number, tag: Buffer, same: boolean }>}
   * @throws {NotFound} when there is nothing to show
   */
  async preview(what, size, how = {}) {
    const { options, rest } = part(how);
    const replies = await this.call('preview', { ...rest, target: await target(what), size }, options);
    const { mimeType, width, height, tag, same } = replies[0];
    return { data: Buffer.concat(replies.map(({ data }) => data)), mimeType, width, height, tag, same };
  }

  // ---------------------------------------------------------------- the feed

  /**
   * Events after a number, in the order of their commits. With `resync` the `items` are all there is.
   * @param {{ since?: number, epoch?: string | null, query?: string, limit?: number } & CallOptions} [how]
   * @returns {Promise<m.ChangesReply>} `epoch` and `last` are where to go on
   */
  async changes(how = {}) {
    const { options, rest } = part(how);
    const replies = await this.call('changes', rest, options);
    const first = replies.find((each) => each.resync);
    return Object.assign(join(replies), first ? { resync: true, reason: first.reason } : {});
  }

  /**
   * The same, reply by reply, and what happens from then on, when it happens. It outlives restarts of the daemon
   * without a gap, until the loop is left or `signal` ends it. `last`, where it is not 0, and `epoch` are where another
   * run goes on. It has a connection of its own.
   * @param {{ since?: number, epoch?: string | null, query?: string } & CallOptions} [how]
   * @returns {AsyncGenerator<m.ChangesReply, void, void>}
   */
  followChanges(how = {}) {
    const { options, rest } = part(how);
    return followChanges(this, rest, options);
  }

  // ---------------------------------------------------------------- files

  /**
   * Moves, copies or links files with all that goes along (MoveRequest). `dryRun`: the plan, and nothing is done.
   * @param {Targets | undefined} what
   * @param {Path | null} destination null: below the file's own root, by `template`
   * @param {{ query?: string, folder?: boolean, template?: string, require?: boolean, dropDuplicates?: boolean,
   *   mode?: 'move' | 'copy' | 'hardlink' | 'symlink' | 'reflink', prune?: boolean, fat?: boolean, dryRun?: boolean }
   *   & CallOptions} [how]
   * @returns {Promise<m.MoveReply>}
   */
  async move(what, destination, how = {}) {
    const { options, rest } = part(how);
    const to = destination === null ? null : await pathBytes(destination);
    return one(this, 'move', { ...rest, targets: await targets(what), destination: to }, options);
  }

  /** What has arrived in a media tree's staging folders gets its place. @param {Path} tree @param {{ dryRun?: boolean } & CallOptions} [how] @returns {Promise<m.MoveReply>} */
  async place(tree, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'place', { ...rest, path: await pathBytes(tree) }, options);
  }

  /**
   * Files back where they were before they were moved, or contents of an `archive` where they were found.
   * @param {Targets | undefined} what
   * @param {{ query?: string, archive?: Path, sha1?: readonly string[], into?: Path, dryRun?: boolean } & CallOptions} [how]
   * @returns {Promise<m.MoveReply>}
   */
  async putback(what, how = {}) {
    const { options, rest } = part(how);
    const archive = rest.archive === undefined ? null : await pathBytes(rest.archive);
    const into = rest.into === undefined ? null : await pathBytes(rest.into);
    return one(this, 'putback', { ...rest, archive, into, targets: await targets(what) }, options);
  }

  /**
   * Makes, or with `check` checks, the media tree of torrents, usenet, ddl and media.
   * @param {Path} tree
   * @param {{ check?: boolean, group?: string, torrentStaging?: boolean, photos?: boolean } & CallOptions} [how]
   * @returns {Promise<m.LayoutReply>}
   */
  async layout(tree, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'layout', { ...rest, path: await pathBytes(tree) }, options);
  }

  /**
   * Writes a folder of the library into an archive (docs/archive.md).
   * @param {Path} source
   * @param {Path} archive
   * @param {CallOptions} [options]
   * @returns {Promise<m.ArchiveReply>}
   */
  async archive(source, archive, options) {
    return one(this, 'archive', { source: await pathBytes(source), archive: await pathBytes(archive) }, options);
  }

  /** @param {Path} archive @param {{ quick?: boolean } & CallOptions} [how] `quick`: names and sizes only @returns {Promise<m.ArchiveReply>} */
  async verifyArchive(archive, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'archive', { ...rest, verify: true, archive: await pathBytes(archive) }, options);
  }

  /**
   * Merges files with their XMP side files, and writes these. Without any: what waits for it.
   * @param {Targets} [what]
   * @param {{ query?: string, all?: boolean, dryRun?: boolean } & CallOptions} [how]
   * @returns {Promise<m.SidecarsReply>}
   */
  async sidecars(what, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'sidecars', { ...rest, targets: await targets(what) }, options);
  }

  // ---------------------------------------------------------------- equal files, and keeping it safe

  /**
   * Groups of equal files (DuplicatesRequest). `kind`: exact payload (default) twins hardlinks missing single.
   * @param {{ kind?: string, root?: number, other?: number, below?: number, query?: string } & CallOptions} [how]
   * @returns {Promise<m.DuplicatesReply>}
   */
  async duplicates(how = {}) {
    const { options, rest } = part(how);
    return one(this, 'duplicates', { kind: 'payload', below: 2, ...rest }, options);
  }

  /**
   * Reads files again and compares their checksums with the stored ones.
   * @param {Targets} [what] default: everything
   * @param {{ bytesPerSecond?: number, seconds?: number, again?: boolean } & CallOptions} [how]
   * @returns {Promise<m.VerifyReply>}
   */
  async verify(what, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'verify', { ...rest, targets: await targets(what) }, options);
  }

  /** A person's work and the roots, as lines of JSON. @param {CallOptions} [options] @returns {AsyncGenerator<string, void, void>} */
  async *export(options) {
    for await (const reply of this.stream('export', {}, options)) yield* reply.lines;
  }

  /** Puts such lines into the database; what is there stays. @param {Iterable<string>} lines @param {CallOptions} [options] @returns {Promise<m.RestoreReply>} */
  async restore(lines, options) {
    return one(this, 'restore', { lines }, options);
  }

  /** Throws away what can be made again and makes it again; a person's work stays. @param {CallOptions} [options] @returns {Promise<m.RestoreReply>} */
  async rebuild(options) {
    return one(this, 'rebuild', {}, options);
  }
}
