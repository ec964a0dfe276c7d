/** At most so many at a time; more wait in order, and more than may wait are refused. */
import { HttpError } from './errors.js';

export class Semaphore {
  #free;
  /** @type {(() => void)[]} */
  #waiting = [];

  /**
   * @param {number} places
   * @param {{ queue?: number, what?: string, retryAfter?: number }} [how] `queue`: how many may wait; default: without end
   */
  constructor(places, { queue = Infinity, what = 'requests', retryAfter = 2 } = {}) {
    this.#free = places;
    this.queue = queue;
    this.what = what;
    this.retryAfter = retryAfter;
  }

  /**
   * @returns {Promise<() => void>} gives the place back; called twice it does nothing
   * @throws {HttpError} limit_exceeded (429) when too many wait
   */
  async enter() {
    if (this.#free > 0) this.#free -= 1;
    else {
      if (this.#waiting.length >= this.queue) {
        throw new HttpError('limit_exceeded', `too many ${this.what} at a time`, { status: 429, retryAfter: this.retryAfter });
      }
      await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
  }

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async run(work) {
    const leave = await this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}
