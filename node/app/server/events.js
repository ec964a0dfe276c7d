/** Live changes for pages: Server-Sent Events (WHATWG HTML, 9.2) over the daemon's feed, one feed for all. */
import { MediadError } from 'mediadb';
import { isAway } from './auth.js';
import { changeJson, plainJson } from './map.js';

/** @import { ServerResponse } from 'node:http' */
/** @import { Change } from './types.js' */
/** @import { Library } from './library.js' */
/** @import { Jobs } from './jobs.js' */

const HEARTBEAT_MS = 20_000; // below the minute after which proxies end what is silent
const BEHIND_BYTES = 1024 * 1024; // a page that takes nothing is dropped: it comes back with its Last-Event-ID
const CATCH_UP = 5000; // changes; one that was away longer asks anew
const STATUS_MS = 3000;
const CLIENTS = 200;
const AGAIN_MS = 2000;

/** @typedef {{ response: ServerResponse, waiting: string[] | null, actor: string, all: boolean }} Page */

export class Feed {
  /** @type {Set<Page>} */
  #pages = new Set();
  /** @type {AbortController | null} */
  #following = null;
  /** @type {NodeJS.Timeout | null} */
  #beating = null;
  /** @type {NodeJS.Timeout | null} */
  #looking = null;
  #unwatch = () => {};
  /** @type {{ epoch: string | null, last: number }} */
  #place = { epoch: null, last: 0 };

  /**
   * @param {Library} library
   * @param {Jobs} jobs
   * @param {(error: unknown) => void} log
   */
  constructor(library, jobs, log) {
    this.library = library;
    this.log = log;
    library.on('connected', () => this.#onConnected());
    library.on('lost', () => this.#send('status', { connected: false }));
    // As GET /jobs has it: one's own, all for an admin. What a job came to names files and folders.
    jobs.on('progress', (job) => this.#each((page) => (page.all || page.actor === job.actor ? event('progress', job) : '')));
  }

  get pages() {
    return this.#pages.size;
  }

  get isFull() {
    return this.#pages.size >= CLIENTS;
  }

  /**
   * Lets a page listen until it goes.
   * @param {ServerResponse} response its head is sent
   * @param {{ actor: string, all?: boolean, lastEventId?: string }} page `all`: it is told of everybody's jobs
   */
  async attach(response, { actor, all = false, lastEventId }) {
    /** @type {Page} */
    const page = { response, waiting: [], actor, all };
    this.#pages.add(page);
    response.on('close', () => this.#leave(page));
    if (this.#pages.size === 1) this.#begin();
    write(page.response, 'retry: 2000\n\n');
    await this.#greet(page, lastEventId);
  }

  /** Says how things are, and what a page that comes again has missed. @param {Page} page @param {string | undefined} lastEventId */
  async #greet(page, lastEventId) {
    const from = /^([0-9a-f-]{36}):(\d{1,16})$/.exec(lastEventId ?? '');
    let last = 0;
    try {
      const status = await this.library.client.status();
      write(page.response, event('status', statusJson(status)));
      if (from) {
        const reply = await this.library.client.changes({ epoch: from[1], since: Number(from[2]), limit: CATCH_UP });
        const behind = reply.resync || status.lastEvent - reply.last > CATCH_UP;
        if (behind) write(page.response, event('resync', { reason: reply.reason || 'too many changes were missed' }, `${reply.epoch}:${status.lastEvent}`));
        else for (const change of reply.changes) write(page.response, changeEvent(change, reply.epoch, page.actor));
        last = behind ? status.lastEvent : reply.last;
      } else if (lastEventId) write(page.response, event('resync', { reason: 'an unknown Last-Event-ID' }));
    } catch (error) {
      if (!(error instanceof MediadError)) throw error;
      // What was missed is not known: a page that comes back then asks anew.
      write(page.response, event('status', { connected: false }));
      if (from) write(page.response, event('resync', { reason: 'the daemon is away' }));
    }
    const waiting = page.waiting ?? [];
    page.waiting = null;
    for (const text of waiting) {
      const number = /^id: \S+:(\d+)$/m.exec(text);
      if (!number || Number(number[1]) > last) this.#push(page, text);
    }
  }

  #begin() {
    this.#unwatch = this.library.watch();
    this.#beating = setInterval(() => this.#write(': \n\n'), HEARTBEAT_MS);
    this.#follow();
  }

  /** @param {Page} page */
  #leave(page) {
    if (!this.#pages.delete(page) || this.#pages.size > 0) return;
    this.#following?.abort();
    this.#following = null;
    if (this.#beating) clearInterval(this.#beating);
    if (this.#looking) clearTimeout(this.#looking);
    this.#beating = this.#looking = null;
    this.#unwatch();
  }

  /** Follows the daemon's feed from now on, for as long as anybody listens. */
  async #follow() {
    if (this.#following) return;
    const following = new AbortController();
    this.#following = following;
    const { signal } = following;
    try {
      const { lastEvent } = await this.library.client.status({ signal });
      const since = this.#place.epoch ? this.#place : { epoch: null, last: lastEvent };
      for await (const reply of this.library.client.followChanges({ epoch: since.epoch, since: since.last, signal })) {
        if (reply.resync) {
          if (reply.snapshotEnds) this.#send('resync', { reason: reply.reason }, `${reply.epoch}:${reply.last}`);
        } else for (const change of reply.changes) this.#each((page) => changeEvent(change, reply.epoch, page.actor));
        if (reply.last > 0) this.#place = { epoch: reply.epoch, last: reply.last };
        if (reply.changes.length > 0) this.#lookSoon();
      }
    } catch (error) {
      if (signal.aborted) return;
      // An absence passes: `connected` begins again. Anything else is told, and the pages ask anew.
      if (!isAway(error)) {
        this.log(error);
        this.#place = { epoch: null, last: 0 };
        this.#send('resync', { reason: 'changes were lost' });
        setTimeout(() => this.#pages.size > 0 && this.#follow(), AGAIN_MS).unref();
      }
    } finally {
      if (this.#following === following) this.#following = null;
      if (this.#pages.size === 0) this.#place = { epoch: null, last: 0 };
    }
  }

  #onConnected() {
    if (this.#pages.size === 0) return;
    this.#lookSoon();
    this.#follow();
  }

  /** How things are, soon after something has happened, and until nothing is pending. */
  #lookSoon() {
    if (this.#looking) return;
    this.#looking = setTimeout(async () => {
      this.#looking = null;
      try {
        const status = statusJson(await this.library.client.status());
        this.#send('status', status);
        if (this.#pages.size > 0 && (status.pending > 0 || status.scans.length > 0)) this.#lookSoon();
      } catch (error) {
        if (!(error instanceof MediadError)) this.log(error);
      }
    }, STATUS_MS);
  }

  /** @param {string} name @param {any} data @param {string} [id] */
  #send(name, data, id) {
    if (this.#pages.size > 0) this.#write(event(name, data, id));
  }

  /** @param {string} text */
  #write(text) {
    for (const page of this.#pages) this.#push(page, text);
  }

  /** @param {(page: Page) => string} make */
  #each(make) {
    for (const page of this.#pages) this.#push(page, make(page));
  }

  /** @param {Page} page @param {string} text */
  #push(page, text) {
    if (page.waiting !== null) page.waiting.push(text);
    else if (!write(page.response, text)) this.#leave(page);
  }

  close() {
    for (const { response } of this.#pages) response.end();
  }
}

/** @param {ServerResponse} response @param {string} text @returns {boolean} false: it was dropped */
function write(response, text) {
  if (text === '' || response.destroyed) return true;
  if (response.writableLength > BEHIND_BYTES) {
    response.destroy();
    return false;
  }
  response.write(text);
  return true;
}

/** @param {string} name @param {any} data @param {string} [id] */
function event(name, data, id) {
  return `${id ? `id: ${id}\n` : ''}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Where a person stands in a queue is nobody else's business. @param {Change} change @param {string | null} epoch @param {string} actor */
function changeEvent(change, epoch, actor) {
  if (change.targetKind === 'queue' && change.actor !== actor && actor !== '') return '';
  return event('change', changeJson(change), `${epoch}:${change.seq}`);
}

/** @param {any} status */
export function statusJson(status) {
  const { files, items, pending, failed, missing, parked, version, database, lastEvent: last_event, scans } = status;
  return { connected: true, files, items, pending, failed, missing, parked, version, database, last_event, scans: scans.map(plainJson) };
}
