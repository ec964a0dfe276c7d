/** What goes on: the feed of changes, and a question that is followed. Both outlive the daemon. */
import { ConnectionLost, DaemonNotRunning, ShuttingDown } from './errors.js';

/** @import { BaseClient } from './client.js' */
/** @import { CallOptions } from './call.js' */
/** @import { ChangesReply, Item } from './messages.js' */

/**
 * A piece of an answer that goes on. `item`: it matches from the beginning; `caughtUp`: all of these were given;
 * `changed`: it matches now, new or with something else in it; `left`: it matches no more, or never did; `resync`: what
 * was given is void, all comes again.
 * @typedef {{ what: 'item' | 'changed', id: string, item: Item } | { what: 'left', id: string }
 *   | { what: 'caughtUp' | 'resync' }} Followed
 */

/** Whether a daemon that comes back can go on with it. @param {unknown} error */
function passes(error) {
  return error instanceof ConnectionLost || error instanceof ShuttingDown || error instanceof DaemonNotRunning;
}

/**
 * The replies of `changes` with `follow`, without a gap: after a loss they go on at the last number. It waits for a
 * daemon as long as it takes; `signal` ends it.
 * @param {BaseClient} client
 * @param {{ since?: number, epoch?: string | null, query?: string }} from
 * @param {CallOptions} options
 * @returns {AsyncGenerator<ChangesReply, void, void>}
 */
export async function* followChanges(client, { since = 0, epoch = null, query = '' }, options) {
  const resume = losses(client, options);
  for (;;) {
    try {
      for await (const reply of client.stream('changes', { since, epoch, query, follow: true }, options)) {
        resume.well();
        // Parts of a snapshot, and of a number that tells of many items, are no place to go on from.
        const whole = reply.resync ? reply.snapshotEnds : reply.last > 0;
        if (whole) [since, epoch] = [reply.last, reply.epoch];
        yield reply;
      }
      return;
    } catch (error) {
      await resume.after(error);
    }
  }
}

/**
 * Everything that matches, then what changes in the answer. After a loss it begins anew, with `resync`.
 * @param {BaseClient} client
 * @param {Record<string, any>} request of `query`
 * @param {CallOptions} options
 * @returns {AsyncGenerator<Followed, void, void>}
 */
export async function* followQuery(client, request, options) {
  const resume = losses(client, options);
  for (;;) {
    let caughtUp = false;
    try {
      for await (const reply of client.stream('query', { ...request, follow: true }, options)) {
        resume.well();
        if (reply.resync) {
          caughtUp = false;
          yield { what: 'resync' };
        }
        for (const item of reply.items) yield { what: caughtUp ? 'changed' : 'item', id: item.id, item };
        for (const id of reply.left) yield { what: 'left', id };
        if (reply.caughtUp) {
          caughtUp = true;
          yield { what: 'caughtUp' };
        }
      }
      return;
    } catch (error) {
      await resume.after(error);
      yield { what: 'resync' };
    }
  }
}

/**
 * @param {BaseClient} client
 * @param {CallOptions} options
 */
function losses(client, { signal }) {
  let attempt = 0;
  let begun = false;
  return {
    well() {
      attempt = 0;
      begun = true;
    },
    /** @param {unknown} error thrown again unless it passes; a daemon that was never there is an error at once */
    async after(error) {
      if (!begun || !passes(error)) throw error;
      await client.pauseBefore(attempt, signal);
      attempt += 1;
    },
  };
}
