/** Offsets over a daemon that pages by key: where a page began is remembered, so that whoever goes on in order never walks twice. */

const LISTS = 64;
const MARKS = 2000; // of a list
const KEPT_MS = 10 * 60_000;
const STEP = 500; // rows that are walked over at a time

/**
 * @template T
 * @typedef {(cursor: Buffer | null, limit: number, bare: boolean) => Promise<{ rows: T[], cursor: Buffer | null }>} Fetch
 *   `bare`: the rows are only counted
 */

export class Pager {
  /** @type {Map<string, { used: number, marks: Map<number, Buffer | null> }>} */
  #lists = new Map();

  /**
   * At most `size` rows from the one of number `offset`.
   * @template T
   * @param {string} key whose list, and which question
   * @param {number} offset
   * @param {number} size
   * @param {Fetch<T>} fetch
   * @returns {Promise<T[]>}
   */
  async page(key, offset, size, fetch) {
    if (size === 0) return [];
    const { marks } = this.#list(key, offset === 0);
    let at = 0;
    for (const mark of marks.keys()) if (mark <= offset && mark > at) at = mark;
    let cursor = marks.get(at) ?? null;
    while (at < offset) {
      const limit = Math.min(STEP, offset - at);
      const page = await fetch(cursor, limit, true);
      at += page.rows.length;
      cursor = page.cursor;
      if (cursor === null) return [];
      this.#mark(marks, at, cursor);
    }
    /** @type {T[]} */
    const rows = [];
    do {
      const page = await fetch(cursor, Math.min(STEP, size - rows.length), false);
      rows.push(...page.rows);
      cursor = page.cursor;
    } while (cursor !== null && rows.length < size);
    if (cursor !== null) this.#mark(marks, at + rows.length, cursor);
    else marks.delete(at + rows.length);
    return rows;
  }

  /** A list that is begun anew is another one: what came meanwhile is in it. @param {string} key @param {boolean} anew */
  #list(key, anew) {
    const now = performance.now();
    let list = this.#lists.get(key);
    if (!list || anew || now - list.used > KEPT_MS) list = { used: now, marks: new Map([[0, null]]) };
    list.used = now;
    this.#lists.delete(key);
    this.#lists.set(key, list);
    if (this.#lists.size > LISTS) this.#lists.delete(/** @type {string} */ (this.#lists.keys().next().value));
    return list;
  }

  /** @param {Map<number, Buffer | null>} marks @param {number} at @param {Buffer} cursor */
  #mark(marks, at, cursor) {
    if (marks.size >= MARKS) for (const mark of [...marks.keys()].slice(1, MARKS / 2)) marks.delete(mark);
    marks.set(at, cursor);
  }
}
