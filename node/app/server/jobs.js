/** What takes longer than a request: uploads, moves, scans, checksums for duplicates. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { HttpError, describeError } from './errors.js';

const KEPT = 500; // ended ones; the oldest go
const RUNNING = 64;
const TELL_MS = 250;

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {'upload' | 'move' | 'scan' | 'duplicates'} what
 * @property {string} actor whose it is
 * @property {'running' | 'done' | 'failed'} state
 * @property {string} stage
 * @property {number} done
 * @property {number} total 0: not known yet
 * @property {number} bytes_done
 * @property {number} bytes_total
 * @property {{ code: string, message: string } | null} error
 * @property {any} result
 * @property {string} name
 * @property {number} started_at seconds since the epoch
 */

/** Emits `progress` with a Job, not oftener than people look. */
export class Jobs extends EventEmitter {
  /** @type {Map<string, { job: Job, stop: AbortController, told: number }>} */
  #all = new Map();

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /**
   * Begins one. `work` gets a way to tell how far it is, and a signal that it is not wanted any more.
   * @param {Job['what']} what
   * @param {{ actor: string, name?: string, id?: string }} of
   * @param {(tell: (news: Partial<Job>) => void, signal: AbortSignal) => Promise<any>} work
   * @returns {Job}
   * @throws {HttpError} limit_exceeded
   */
  begin(what, { actor, name = '', id = randomUUID() }, work) {
    const running = [...this.#all.values()].filter(({ job }) => job.state === 'running').length;
    if (running >= RUNNING) throw new HttpError('limit_exceeded', 'too many jobs are running', { status: 429, retryAfter: 10 });
    /** @type {Job} */
    const job = {
      id, what, actor, name, state: 'running', stage: '', done: 0, total: 0, bytes_done: 0, bytes_total: 0,
      error: null, result: null, started_at: Date.now() / 1000,
    }; // prettier-ignore
    const entry = { job, stop: new AbortController(), told: 0 };
    this.#all.set(id, entry);
    this.#tell(entry, true);
    const tell = (/** @type {Partial<Job>} */ news) => {
      Object.assign(job, news);
      this.#tell(entry, false);
    };
    work(tell, entry.stop.signal).then(
      (result) => Object.assign(job, { state: 'done', result }),
      (error) => Object.assign(job, { state: 'failed', error: describeError(error).body.error, fault: undefined }),
    ).then(() => {
      this.#tell(entry, true);
      this.#forgetOldest();
    }); // prettier-ignore
    return job;
  }

  /** @param {{ job: Job, told: number }} entry @param {boolean} always */
  #tell(entry, always) {
    const now = performance.now();
    if (!always && now - entry.told < TELL_MS) return;
    entry.told = now;
    this.emit('progress', entry.job);
  }

  #forgetOldest() {
    let ended = 0;
    for (const { job } of this.#all.values()) ended += job.state === 'running' ? 0 : 1;
    for (const [id, { job }] of this.#all) {
      if (ended <= KEPT) return;
      if (job.state === 'running') continue;
      this.#all.delete(id);
      ended -= 1;
    }
  }

  /** @param {string} id @returns {Job} @throws {HttpError} not_found */
  get(id) {
    const found = this.#all.get(id);
    if (!found) throw new HttpError('not_found', 'no job of this id', { input: id });
    return found.job;
  }

  /** Gives one up; an ended one is forgotten. @param {string} id */
  stop(id) {
    const { state } = this.get(id);
    const entry = /** @type {{ stop: AbortController }} */ (this.#all.get(id));
    if (state === 'running') entry.stop.abort(new HttpError('cancelled', 'the job was given up', { status: 409 }));
    else this.#all.delete(id);
  }

  list() {
    return [...this.#all.values()].map(({ job }) => job).reverse();
  }

  /** Gives all up. */
  close() {
    for (const { stop } of this.#all.values()) stop.abort(new HttpError('shutting_down', 'the server stops'));
  }
}
