/** What /openapi.json says beside the routes' schemas. */

const TAGS = [
  { name: 'session', description: 'Persons, sessions, keys' },
  { name: 'library', description: 'Questions, items, walks through the library' },
  { name: 'media', description: 'Files, parts of files, pictures, words' },
  { name: 'work', description: 'What a person makes of items: tags, ratings, stars, plays, lists, queues' },
  { name: 'files', description: 'Uploads, moves, equal files' },
  { name: 'service', description: 'Roots, scans, how things are' },
  { name: 'peers', description: 'What other programs ask for' },
];

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string' }, message: { type: 'string' }, input: { type: 'string' }, position: { type: 'integer' }, retryable: { type: 'boolean' },
      }, // prettier-ignore
    },
  },
};

/**
 * The replies stand in the routes' config, for documents only: a schema that is used to write JSON leaves out what it does
 * not name.
 * @param {any} given
 */
function transform({ schema = {}, url, route }) {
  const { reply, role, status = 200, content } = route.config ?? {};
  const described = { ...schema };
  const { consumes } = schema;
  if (consumes) described.consumes = consumes;
  described.response = {
    [status]: content
      ? { description: 'as asked for', content: Object.fromEntries(content.map((/** @type {string} */ type) => [type, { schema: { type: 'string', format: 'binary' } }])) }
      : { description: 'what was asked for', ...(reply ?? { type: 'object', additionalProperties: true }) },
    default: { description: 'an error', ...ERROR },
  };
  if (role !== undefined && role !== null) {
    described.security = [{ key: [] }, { session: [] }];
    described.description = [schema.description, `Role: ${role}.`].filter(Boolean).join(' ');
  } else described.security = [];
  return { schema: described, url };
}

/** @param {string} version @returns {any} options of @fastify/swagger */
export function documentation(version) {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mediadb',
        version,
        description: 'The HTTP interface of mediadb-app (docs/http.md). Errors have the closed codes of proto/README.md.',
        license: { name: 'GPL-2.0-or-later', identifier: 'GPL-2.0-or-later' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'a key of POST /keys' },
          session: { type: 'apiKey', in: 'cookie', name: 'mediadb_session' },
        },
      },
    },
    hideUntagged: true,
    transform,
  };
}
