/** The page: the files that Vite built into dist/, read once. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** @import { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify' */

export const DIST = fileURLToPath(new URL('../dist', import.meta.url));

const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
  '.png': 'image/png', '.ico': 'image/vnd.microsoft.icon', '.json': 'application/json; charset=utf-8', '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8', '.woff2': 'font/woff2', '.map': 'application/json; charset=utf-8',
}); // prettier-ignore
const PACKED = /^(text\/|application\/(json|manifest)|image\/svg)/;

/** @typedef {{ type: string, etag: string, bytes: Buffer, packed: Record<string, Buffer>, hashed: boolean }} Asset */

/** @param {string} folder @returns {Map<string, Asset>} by path below it, with slashes */
function readAll(folder) {
  /** @type {Map<string, Asset>} */
  const found = new Map();
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of names) {
    const file = path.join(folder, name);
    if (!statSync(file).isFile()) continue;
    const bytes = readFileSync(file);
    const type = TYPES[path.extname(name)] ?? 'application/octet-stream';
    /** @type {Record<string, Buffer>} */
    const packed = {};
    if (PACKED.test(type) && bytes.length > 1024) {
      packed.br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
      packed.gzip = gzipSync(bytes, { level: 9 });
    }
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
    found.set(`/${name.split(path.sep).join('/')}`, { type, etag, bytes, packed, hashed: name.startsWith('assets') });
  }
  return found;
}

/**
 * Serves them. A path of the page itself (`/music/albums`) is answered with index.html: the page has its own routes.
 * @param {FastifyInstance} server
 * @param {string} [folder]
 */
export function servePage(server, folder = DIST) {
  /** @type {Map<string, Asset> | null} */
  let assets = null;
  let readAt = 0;
  /** @returns {Map<string, Asset>} */
  const all = () => {
    let changed;
    try {
      changed = statSync(path.join(folder, 'index.html')).mtimeMs;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
      return new Map();
    }
    if (assets === null || changed !== readAt) {
      assets = readAll(folder);
      readAt = changed;
    }
    return assets;
  };

  /** @param {FastifyRequest} request @param {FastifyReply} reply @param {Asset} asset */
  const send = (request, reply, asset) => {
    reply.header('cache-control', asset.hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    reply.header('etag', asset.etag);
    reply.header('vary', 'accept-encoding');
    if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send();
    reply.type(asset.type);
    const accepted = String(request.headers['accept-encoding'] ?? '');
    for (const coding of ['br', 'gzip']) {
      if (asset.packed[coding] && new RegExp(`\\b${coding}\\b(?!;q=0(?:\\.0*)?(?:,|$))`).test(accepted)) {
        return reply.header('content-encoding', coding).send(asset.packed[coding]);
      }
    }
    return reply.send(asset.bytes);
  };

  /**
   * The page for what no route knows. @param {FastifyRequest} request @param {FastifyReply} reply
   * @returns {boolean} whether it was one of its paths
   */
  return (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const [where] = request.url.split('?');
    const files = all();
    const asset = files.get(where === '/' ? '/index.html' : where);
    const page = asset ?? (String(request.headers.accept ?? '').includes('text/html') && !where.startsWith('/assets/') ? files.get('/index.html') : undefined);
    if (page) send(request, reply, page);
    return page !== undefined;
  };
}
