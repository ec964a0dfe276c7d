/** The daemon, the roots, and questions, as methods. The fields of the results: messages.d.ts. */
import { BaseClient } from './client.js';
import { InvalidArgument } from './errors.js';
import { followQuery } from './feed.js';
import { one, part, soon } from './requests.js';
import { pathBytes, paths, targets } from './targets.js';

/** @import { CallOptions } from './call.js' */
/** @import { Path, Targets } from './targets.js' */
/** @import { Followed } from './feed.js' */
/** @import * as m from './messages.js' */

/**
 * How items are asked for. `files`: a row a file; `fields`: fill File.fields, `columns`: with these only; `sort`: keys
 * before those of the text, `-` before one: the greatest first; `bare`: ids only.
 * @typedef {{ files?: boolean, fields?: boolean, columns?: readonly string[], sort?: readonly string[], bare?: boolean }
 *   & CallOptions} QueryOptions
 */

// Items asked for at a time. A page is read off the socket before it is handed out, so that a caller who takes his
// time never looks to the daemon like a peer that stopped reading.
const PAGE_ITEMS = 500;

/** What asks, and adds what can be asked for. See `Client` in commands.js. */
export class AskingClient extends BaseClient {
  // ---------------------------------------------------------------- the daemon

  /**
   * @param {Uint8Array} [payload]
   * @param {CallOptions} [options]
   * @returns {Promise<Buffer>} `payload`, by way of the daemon
   */
  async ping(payload, options) {
    return (await this.call('ping', { payload }, options))[0].payload;
  }

  /** @param {CallOptions} [options] @returns {Promise<m.StatusReply>} */
  async status(options) {
    return one(this, 'status', {}, options);
  }

  /** @param {CallOptions} [options] @returns {Promise<m.HandlerInfo[]>} */
  async handlers(options) {
    return (await one(this, 'handlers', {}, options)).handlers;
  }

  // ---------------------------------------------------------------- roots

  /** @param {CallOptions} [options] @returns {Promise<m.Root[]>} */
  async roots(options) {
    return (await one(this, 'roots', {}, options)).roots;
  }

  /**
   * Adds folders or files. `wait`: ends when all is read (default), else when all is listed.
   * @param {Path | Iterable<Path>} what
   * @param {{ wait?: boolean, once?: boolean, crossMounts?: boolean, exclude?: readonly string[] } & CallOptions} [how]
   * @returns {Promise<m.AddReply>}
   */
  async add(what, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'add', { wait: true, ...rest, paths: await paths(what) }, options);
  }

  /**
   * Walks roots again: all of this host, or those the paths lie in. `quick`: folders with a known mtime are not listed.
   * @param {Path | Iterable<Path>} [what]
   * @param {{ quick?: boolean, wait?: boolean } & CallOptions} [how]
   * @returns {Promise<m.AddReply>}
   */
  async rescan(what, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'rescan', { wait: true, ...rest, paths: await paths(what) }, options);
  }

  /** The loss that froze a root is real. @param {Path} root @param {CallOptions} [options] @returns {Promise<m.Root[]>} */
  async accept(root, options) {
    return (await one(this, 'accept', { root: await pathBytes(root) }, options)).roots;
  }

  /**
   * Drops records of files; the files stay. `work`: what people did to the items too, for good.
   * @param {Targets} what
   * @param {{ missingOnly?: boolean, work?: boolean } & CallOptions} [how]
   * @returns {Promise<m.ForgetReply>}
   */
  async forget(what, how = {}) {
    const { options, rest } = part(how);
    return one(this, 'forget', { ...rest, targets: await targets(what) }, options);
  }

  // ---------------------------------------------------------------- asking

  /**
   * At most `limit` items (default 500), after those of the page whose `cursor` is given.
   * @param {string} text docs/query.md
   * @param {{ limit?: number, cursor?: Uint8Array | null } & QueryOptions} [how]
   * @returns {Promise<{ items: m.Item[], cursor: Buffer | null }>} `cursor` asks for the next ones, null after the last
   */
  async queryPage(text, how = {}) {
    const { options, rest } = part(how);
    const request = { limit: PAGE_ITEMS, ...rest, text };
    if (request.limit < 1) throw new InvalidArgument('a limit is at least 1', { input: String(request.limit) });
    const { items, cursor } = await one(this, 'query', request, soon(this, options));
    return { items, cursor: cursor.length ? cursor : null };
  }

  /**
   * The items that `text` asks for, fetched page by page as they are taken: `for await (const item of ...)`. Memory is
   * a page; whoever takes his time holds nobody up. `limit`: at most so many. `deadlineMs` counts for each page.
   * @param {string} text docs/query.md
   * @param {{ limit?: number } & QueryOptions} [how]
   * @returns {AsyncGenerator<m.Item, void, void>}
   */
  async *query(text, { limit, ...how } = {}) {
    if (limit !== undefined && !(limit >= 1)) {
      throw new InvalidArgument('a limit is at least 1', { input: String(limit) });
    }
    let left = limit ?? Infinity;
    /** @type {Buffer | null} */
    let cursor = null;
    do {
      const page = await this.queryPage(text, { ...how, limit: Math.min(left, PAGE_ITEMS), cursor });
      yield* page.items;
      left -= page.items.length;
      cursor = page.cursor;
    } while (cursor !== null && left > 0);
  }

  /**
   * How many items (`files`: files) match.
   * @param {string} text
   * @param {{ files?: boolean } & CallOptions} [how]
   * @returns {Promise<number>}
   */
  async count(text, how = {}) {
    const { options, rest } = part(how);
    const reply = await one(this, 'query', { ...rest, text, count: true }, soon(this, options));
    return reply.count ?? 0;
  }

  /**
   * How many of the items that match have each value of each field, the most frequent first.
   * @param {string} text
   * @param {readonly string[]} fields
   * @param {{ limit?: number, files?: boolean } & CallOptions} [how] `limit`: values of each at most; default 50
   * @returns {Promise<m.Facet[]>}
   */
  async facets(text, fields, how = {}) {
    const { options, rest } = part(how);
    const { limit: facetLimit, ...others } = rest;
    return (await one(this, 'query', { ...others, text, facets: fields, facetLimit }, soon(this, options))).facets;
  }

  /**
   * How a question is understood and answered; a page of it is asked for that.
   * @param {string} text
   * @param {{ files?: boolean, sort?: readonly string[] } & CallOptions} [how]
   * @returns {Promise<m.Explanation>}
   */
  async explain(text, how = {}) {
    const { options, rest } = part(how);
    return (await one(this, 'query', { ...rest, text, explain: true }, soon(this, options))).explanation;
  }

  /**
   * What may stand where the cursor is in a question that is being written, best first.
   * @param {string} text
   * @param {{ cursor?: number, limit?: number } & CallOptions} [how] `cursor`: in characters (code points), as in
   *   the suggestions; default: the end
   * @returns {Promise<m.Suggestion[]>}
   */
  async complete(text, how = {}) {
    const { options, rest } = part(how);
    return (await one(this, 'complete', { cursor: Array.from(text).length, ...rest, text }, options)).suggestions;
  }

  /**
   * Everything that matches, then what changes in the answer, until the loop is left or `signal` ends it. After a
   * restart of the daemon it begins anew, with `resync`. It has a connection of its own.
   * @param {string} text
   * @param {QueryOptions} [how]
   * @returns {AsyncGenerator<Followed, void, void>}
   */
  follow(text, how = {}) {
    const { options, rest } = part(how);
    return followQuery(this, { ...rest, text }, options);
  }

  /**
   * An answer for each target, in order: its `item` with everything known of it, or the `problem`.
   * @param {Targets} what
   * @param {{ light?: boolean } & CallOptions} [how] `light`: what a list shows, without keys, fields, tags, sources, stat
   * @returns {Promise<m.GetReply[]>}
   */
  async get(what, how = {}) {
    const { options, rest } = part(how);
    return this.call('get', { ...rest, targets: await targets(what) }, options);
  }

  /**
   * The digests of each target's files. `scopes`: file (default), stream; `algorithms`: md5, sha1, sha256 (default all).
   * @param {Targets} what
   * @param {{ scopes?: readonly string[], algorithms?: readonly string[] } & CallOptions} [how]
   * @returns {Promise<m.ChecksumReply[]>}
   */
  async checksum(what, how = {}) {
    const { options, rest } = part(how);
    return this.call('checksum', { ...rest, targets: await targets(what) }, options);
  }

  /**
   * The text of each target and of what `query` finds, each when it is whole. `limit`: bytes of UTF-8 of one file.
   * @param {Targets | undefined} what
   * @param {{ query?: string, limit?: number } & CallOptions} [how]
   * @returns {AsyncGenerator<m.TextReply, void, void>} `problem` unsupported: it has no words
   */
  async *text(what, how = {}) {
    const { options, rest } = part(how);
    let pieces = [];
    for await (const reply of this.stream('text', { ...rest, targets: await targets(what) }, options)) {
      pieces.push(reply.text);
      if (!reply.ends) continue;
      reply.text = pieces.join('');
      pieces = [];
      yield reply;
    }
  }

  /**
   * Puts the words of files into the index; of nothing (no targets, no query): how many files have words there.
   * @param {Targets} [what]
   * @param {{ query?: string, wait?: boolean } & CallOptions} [how] `wait` (default): ends when all are there
   * @returns {Promise<m.TextReply & { problems: import('./errors.js').MediadError[] }>}
   */
  async indexText(what, how = {}) {
    const { options, rest } = part(how);
    const request = { wait: true, ...rest, index: true, targets: await targets(what) };
    const replies = await this.call('text', request, options);
    return Object.assign(replies[replies.length - 1], { problems: replies.flatMap(({ problem }) => problem ?? []) });
  }
}
