/** What the methods of the commands have in common. */

/** @import { BaseClient } from './client.js' */
/** @import { CallOptions } from './call.js' */

/** Takes the options that every call has from the others. @param {Record<string, any>} options */
export function part({ deadlineMs, signal, onProgress, actor, operation, ...rest }) {
  return { options: { deadlineMs, signal, onProgress, actor, operation }, rest };
}

/**
 * One answer of several replies: their lists joined, the rest as the last has it.
 * @param {any[]} replies
 * @returns {any}
 */
export function join(replies) {
  const last = replies[replies.length - 1];
  if (replies.length > 1) {
    for (const [name, value] of Object.entries(last)) {
      if (Array.isArray(value)) last[name] = replies.flatMap((each) => each[name]);
    }
  }
  return last;
}

/**
 * @param {BaseClient} client
 * @param {string} command
 * @param {Record<string, any>} request
 * @param {CallOptions} [options]
 * @returns {Promise<any>} its one answer
 */
export async function one(client, command, request, options) {
  return join(await client.call(command, request, options));
}

/**
 * The options of a question that is answered soon, as most of its kind are not.
 * @param {BaseClient} client
 * @param {CallOptions} options
 * @returns {CallOptions}
 */
export function soon(client, options) {
  return { ...options, deadlineMs: options.deadlineMs ?? client.deadlineMs };
}
