/** The files themselves. */
import { headersOf } from '../files.js';
import { sendFile } from '../range.js';
import { byKind, KIND_PATH, NUMBER, object } from '../schema.js';
import { asked, heads } from './library.js';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */
/** @import { App } from '../types.js' */

const tags = ['media'];

/** @param {FastifyInstance} routes @param {App} app */
export function mediaRoutes(routes, { files }) {
  /** @param {FastifyRequest} request @param {FastifyReply} reply @param {boolean} attachment */
  async function original(request, reply, attachment) {
    const { id, kind } = /** @type {any} */ (request.params);
    const opened = await files.open(await files.record(id, { kind, ...asked(request) }), /** @type {any} */ (request.query).file);
    reply.hijack();
    await sendFile(request.raw, reply.raw, { ...opened, headers: { ...heads(reply), ...headersOf(opened, { attachment }) } });
    return reply;
  }

  const WHICH = object({ file: { ...NUMBER, description: 'one of the item by its number; default: the first that is here' } });
  routes.route({
    method: ['GET', 'HEAD'], url: `${KIND_PATH}/stream`,
    schema: { tags, summary: 'the original, or a part of it (RFC 9110, 14)', params: byKind, querystring: WHICH },
    config: { role: 'read', content: ['application/octet-stream'] },
    handler: (request, reply) => original(request, reply, false),
  }); // prettier-ignore
  routes.route({
    method: ['GET', 'HEAD'], url: `${KIND_PATH}/download`,
    schema: { tags, summary: 'the original as an attachment', params: byKind, querystring: WHICH },
    config: { role: 'read', content: ['application/octet-stream'] },
    handler: (request, reply) => original(request, reply, true),
  }); // prettier-ignore
}
