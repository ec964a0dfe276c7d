/** The Node.js client of mediad. `import { Client } from 'mediadb'`; README.md has the rest. */
export { Client } from './commands.js';
export { VOCABULARY } from './contract.js';
export * from './errors.js';
export { listSockets } from './locate.js';

/** @typedef {import('./client.js').ClientOptions} ClientOptions */
/** @typedef {import('./call.js').CallOptions} CallOptions */
/** @typedef {import('./asking.js').QueryOptions} QueryOptions */
/** @typedef {import('./contract.js').VocabularyField} VocabularyField */
/** @typedef {import('./feed.js').Followed} Followed */
/** @typedef {import('./messages.js').Item} Item */
/** @typedef {import('./messages.js').File} File */
/** @typedef {import('./messages.js').Change} Change */
/** @typedef {import('./session.js').Greeting} Greeting */
