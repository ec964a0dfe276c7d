/** The daemon as the server sees it: one connection for all requests, and whether it is there. */
import { EventEmitter } from 'node:events';
import { Client, Unavailable, MediadError } from 'mediadb';

/** @import { Greeting } from 'mediadb' */

const ROOTS_MS = 10_000; // how long what is known of the roots holds
const PROBE_MS = 2000; // between two looks whether the daemon is back, while somebody waits for it

/**
 * Emits `connected` and `lost`.
 */
export class Library extends EventEmitter {
  /** @type {Greeting | null} */
  #greeting = null;
  /** @type {{ at: number, roots: Promise<import('./types.js').Root[]> } | null} */
  #roots = null;
  /** @type {NodeJS.Timeout | null} */
  #probing = null;
  #watchers = 0;

  /**
   * @param {{ socket?: string, reconnectMs?: number }} options `socket`: default as for every client. `reconnectMs`: how long a
   *   request waits for a daemon that went away
   */
  constructor({ socket, reconnectMs = 1500 } = {}) {
    super();
    this.setMaxListeners(0);
    this.client = new Client({ socketPath: socket, reconnectMs, deadlineMs: 20_000 });
    this.client.on('connected', (/** @type {Greeting} */ greeting) => {
      const again = this.#greeting === null;
      this.#greeting = greeting;
      this.#roots = null;
      if (again) this.emit('connected', greeting);
    });
    this.client.on('lost', () => {
      if (this.client.greeting !== null) return; // of a stream: the connection of the requests is well
      const was = this.#greeting !== null;
      this.#greeting = null;
      if (was) this.emit('lost');
      this.#probe();
    });
  }

  get connected() {
    return this.#greeting !== null;
  }

  /** What the daemon said of itself, null while it is away. */
  get greeting() {
    return this.#greeting;
  }

  /** Looks for the daemon while anybody is there to be told. @returns {() => void} for whoever leaves */
  watch() {
    this.#watchers += 1;
    this.#probe();
    return () => {
      this.#watchers -= 1;
      if (this.#watchers === 0 && this.#probing) {
        clearTimeout(this.#probing);
        this.#probing = null;
      }
    };
  }

  #probe() {
    if (this.#probing || this.#watchers === 0 || this.connected) return;
    this.#probing = setTimeout(async () => {
      try {
        await this.client.connect();
      } catch (error) {
        if (!(error instanceof MediadError)) throw error;
      }
      this.#probing = null;
      this.#probe();
    }, PROBE_MS);
    this.#probing.unref();
  }

  /**
   * The roots of the library, as they were a few seconds ago at most.
   * @param {{ fresh?: boolean }} [how]
   * @returns {Promise<import('./types.js').Root[]>}
   */
  roots({ fresh = false } = {}) {
    const now = performance.now();
    if (fresh || this.#roots === null || now - this.#roots.at > ROOTS_MS) {
      const roots = this.client.roots();
      this.#roots = { at: now, roots };
      roots.catch(() => {
        this.#roots = null;
      });
    }
    return this.#roots.roots;
  }

  /** @throws {Unavailable} while the daemon is away */
  demand() {
    if (!this.connected) throw new Unavailable('the daemon is away');
  }

  close() {
    this.#watchers = 0;
    if (this.#probing) clearTimeout(this.#probing);
    this.client.close();
  }
}
