/**
 * What the .proto does not say of its commands. test/contract.test.js compares it with the daemon's own table
 * (mediad/commands/table.py).
 */

/** Those that change something: an operation id makes them happen once. @type {ReadonlySet<string>} */
export const CHANGING = new Set([
  'account', 'add', 'collect', 'forget', 'move', 'place', 'putback', 'rebuild', 'relate', 'restore', 'sidecars', 'undo', 'work',
]); // prettier-ignore

/** Those that are answered soon, since they neither walk nor hash nor go on. @type {ReadonlySet<string>} */
export const ANSWERED = new Set([
  'account', 'accounts', 'authenticate', 'browse', 'collect', 'collections', 'complete', 'get', 'handlers', 'history', 'login',
  'logout', 'operations', 'ping', 'preview', 'queue', 'relate', 'roots', 'status',
]); // prettier-ignore
