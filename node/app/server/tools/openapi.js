/**
 * Writes docs/openapi.json, which is what /openapi.json says:
 *
 *     node server/tools/openapi.js            writes it
 *     node server/tools/openapi.js --check    fails when it is another
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../app.js';
import { DEFAULTS } from '../config.js';

const FILE = fileURLToPath(new URL('../../../../docs/openapi.json', import.meta.url));

const { server } = await buildApp({ ...DEFAULTS(), cache_dir: '' });
await server.ready();
const text = `${JSON.stringify(server.swagger(), null, 1)}\n`;
await server.close();
if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('docs/openapi.json is another than what the routes say: npm run openapi');
  process.exitCode = 1;
}
