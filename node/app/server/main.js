#!/usr/bin/env node
/** mediadb-app: reads its settings, listens, stops when told to. */
import { buildApp, version } from './app.js';
import { isLoopback, ConfigError, configure, USAGE } from './config.js';
import { buildMediaStreamer } from './mediastreamer.js';

const STOP_MS = 5000;

try {
  const config = configure(process.argv.slice(2));
  if (config === 'help') console.log(USAGE);
  else if (config === 'version') console.log(`mediadb-app ${version}`);
  else await serve(config);
} catch (error) {
  const { code, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  if (!(error instanceof ConfigError) && syscall !== 'listen') throw error;
  console.error(`mediadb-app: ${syscall === 'listen' ? `it cannot listen: ${code}: ` : ''}${/** @type {Error} */ (error).message}`);
  process.exitCode = 2;
}

/** @param {import('./config.js').Config} config */
async function serve(config) {
  const app = await buildApp(config);
  const { server, library, auth } = app;
  if (!isLoopback(config.listen.host)) await refuseWithoutPersons(library, auth);
  await server.listen(config.listen);
  const others = config.mediastreamer.enabled ? [buildMediaStreamer(app)] : [];
  for (const other of others) await other.listen(config.mediastreamer.listen);
  const { address, port, family } = /** @type {import('node:net').AddressInfo} */ (server.server.address());
  for (const other of others) console.error(`mediastreamer: port ${/** @type {any} */ (other.server.address()).port}`);
  console.error(`mediadb-app ${version}: http://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) {
    process.once(signal, () => {
      setTimeout(() => process.exit(1), STOP_MS).unref();
      Promise.all([...others, server].map((each) => each.close())).then(() => process.exit(0));
    });
  }
}

/**
 * Beyond this machine it answers persons only: while there are none, nobody could come in, and a server that waits open
 * for its first person is anybody's.
 * @param {import('./library.js').Library} library @param {import('./auth.js').Auth} auth
 */
async function refuseWithoutPersons(library, auth) {
  try {
    const [{ nobody }] = await library.client.call('authenticate', {}, { deadlineMs: 10_000 });
    if (!nobody) return;
  } catch (error) {
    library.close();
    throw new ConfigError(`it listens beyond this machine only where persons have accounts, and the daemon does not say: ${error}`);
  }
  library.close();
  throw new ConfigError('it listens beyond this machine only where persons have accounts: make one first (mediactl user create NAME --role admin), or listen on 127.0.0.1');
}
