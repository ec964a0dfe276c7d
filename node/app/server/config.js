/** Where the server listens, what it may use: command line and mediadb-app.toml. docs/operations.md, "The web server". */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { parse, TomlError } from 'smol-toml';

/** A mistake in the configuration, naming file and key. */
export class ConfigError extends Error {}

/**
 * @typedef {object} Config
 * @property {string} file '' without one
 * @property {{ host: string, port: number }} listen
 * @property {string[]} allowed_hosts names that a Host header may have beside addresses and localhost
 * @property {string[]} trusted_proxies addresses whose X-Forwarded-For and -Proto are believed
 * @property {string} [socket] of the daemon
 * @property {string} staging folder for uploads on their way; '': no uploads
 * @property {string} incoming folder of the library where they go
 * @property {string} upload_template name of a template that takes them on from there (docs/names.md); '': they stay there
 * @property {number} upload_bytes of one file
 * @property {number} transcodes at the same time
 * @property {string} ffmpeg its path, or its name to be found in PATH
 * @property {string} cache_dir of transcoded songs; '': none
 * @property {number} cache_bytes
 * @property {{ from: string, to: string }[]} path_map what the daemon calls `from` is `to` here
 * @property {boolean} subsonic
 * @property {boolean} homegallery
 * @property {{ enabled: boolean, listen: { host: string, port: number }, origin: string }} mediastreamer
 */

const GIB = 1024 ** 3;

/** @type {() => Config} */
const DEFAULTS = () => ({
  file: '',
  listen: { host: '127.0.0.1', port: 8017 },
  allowed_hosts: [],
  trusted_proxies: [],
  socket: undefined,
  staging: '',
  incoming: '',
  upload_template: '',
  upload_bytes: 16 * GIB,
  transcodes: 2,
  ffmpeg: 'ffmpeg',
  cache_dir: process.env.CACHE_DIRECTORY ?? '', // systemd's CacheDirectory=
  cache_bytes: GIB,
  path_map: [],
  subsonic: true,
  homegallery: true,
  mediastreamer: { enabled: false, listen: { host: '127.0.0.1', port: 8000 }, origin: 'http://localhost:5173' },
});

const BYTES = /^(\d+(?:\.\d+)?)\s*([kMGT]i?)?B?$/;
const UNITS = /** @type {Record<string, number>} */ ({
  k: 1e3, M: 1e6, G: 1e9, T: 1e12, ki: 1024, Mi: 1024 ** 2, Gi: GIB, Ti: 1024 ** 4,
}); // prettier-ignore

/** @param {string} text HOST:PORT, [IPv6]:PORT @param {string} where for the error */
export function parseListen(text, where) {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (!found || port > 65535) throw new ConfigError(`${where}: HOST:PORT or [IPv6]:PORT is needed, not ${JSON.stringify(text)}`);
  return { host: found[1] ?? found[2], port };
}

/** @param {string} host an address or name to listen on */
export function isLoopback(host) {
  if (host === 'localhost') return true;
  const kind = isIP(host);
  return kind === 4 ? host.startsWith('127.') : kind === 6 ? host === '::1' : false;
}

/** The checks of single keys: value as read, name for errors -> value as kept. */
const KEYS = /** @type {Record<string, (value: any, where: string) => any>} */ ({
  listen: (value, where) => parseListen(text(value, where), where),
  allowed_hosts: (value, where) => list(value, where).map((each) => each.toLowerCase()),
  trusted_proxies: list,
  socket: absolute,
  staging: absolute,
  incoming: absolute,
  upload_template: text,
  upload_bytes: bytes,
  transcodes: count,
  ffmpeg: text,
  cache_dir: absolute,
  cache_bytes: bytes,
  path_map: (value, where) => {
    if (!Array.isArray(value)) throw new ConfigError(`${where}: tables [[path_map]] are needed`);
    return value.map((each, place) => {
      const [from, to] = [absolute(each?.from, `${where}[${place}].from`), absolute(each?.to, `${where}[${place}].to`)];
      return { from: path.resolve(from), to: path.resolve(to) };
    });
  },
  subsonic: truth,
  homegallery: truth,
  mediastreamer: (value, where) => {
    const all = DEFAULTS().mediastreamer;
    if (typeof value !== 'object' || value === null) throw new ConfigError(`${where}: a table is needed`);
    for (const [name, each] of Object.entries(value)) {
      const key = `${where}.${name}`;
      if (name === 'enabled') all.enabled = truth(each, key);
      else if (name === 'listen') all.listen = parseListen(text(each, key), key);
      else if (name === 'origin') all.origin = text(each, key);
      else throw new ConfigError(`${key}: no such key`);
    }
    if (!isLoopback(all.listen.host)) throw new ConfigError(`${where}.listen: MediaStreamer's routes know no persons, so a loopback address is needed, not ${all.listen.host}`);
    return all;
  },
});

/** @param {any} value @param {string} where @returns {string} */
function text(value, where) {
  if (typeof value !== 'string' || value === '') throw new ConfigError(`${where}: text is needed`);
  return value;
}
/** @param {any} value @param {string} where @returns {string} */
function absolute(value, where) {
  const found = text(value, where).replace(/^~(?=\/)/, homedir());
  if (!path.isAbsolute(found)) throw new ConfigError(`${where}: an absolute path is needed, not ${JSON.stringify(value)}`);
  return found;
}
/** @param {any} value @param {string} where @returns {string[]} */
function list(value, where) {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) throw new ConfigError(`${where}: a list of texts is needed`);
  return value;
}
/** @param {any} value @param {string} where @returns {boolean} */
function truth(value, where) {
  if (typeof value !== 'boolean') throw new ConfigError(`${where}: true or false is needed`);
  return value;
}
/** @param {any} value @param {string} where @returns {number} */
function count(value, where) {
  if (!Number.isInteger(value) || value < 0 || value > 64) throw new ConfigError(`${where}: a whole number from 0 to 64 is needed`);
  return value;
}
/** @param {any} value @param {string} where @returns {number} */
function bytes(value, where) {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  const found = typeof value === 'string' ? BYTES.exec(value) : null;
  if (!found) throw new ConfigError(`${where}: bytes are needed: a number, or as in "16Gi", "500M"`);
  return Math.round(Number(found[1]) * (found[2] ? UNITS[found[2]] : 1));
}

/**
 * Reads a file of settings.
 * @param {string} file
 * @returns {Config}
 * @throws {ConfigError} naming the file and the key
 */
export function readConfig(file) {
  let found;
  try {
    found = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof TomlError) throw new ConfigError(`${file}:${error.line}:${error.column}: ${error.message.split('\n')[0]}`);
    throw new ConfigError(`${file}: ${/** @type {Error} */ (error).message}`);
  }
  const config = /** @type {Config & Record<string, any>} */ (DEFAULTS());
  config.file = file;
  for (const [name, value] of Object.entries(found)) {
    const check = KEYS[name];
    if (!check) throw new ConfigError(`${file}: ${name}: no such key`);
    config[name] = check(value, `${file}: ${name}`);
  }
  checkTogether(config, file);
  return config;
}

/** @param {Config} config @param {string} file */
function checkTogether(config, file) {
  if (config.staging && !config.incoming) throw new ConfigError(`${file}: staging: incoming is needed too: the folder of the library where uploads go`);
  if (!config.staging && (config.incoming || config.upload_template)) {
    throw new ConfigError(`${file}: ${config.incoming ? 'incoming' : 'upload_template'}: staging is needed too: a folder on the same file system`);
  }
}

/** The places looked at when none is named, a person's before the service's (settled 27). */
export function defaultConfigFiles() {
  const own = process.env.XDG_CONFIG_HOME || path.join(homedir(), '.config');
  return [path.join(own, 'mediadb-app.toml'), '/etc/mediadb/mediadb-app.toml'];
}

export const USAGE = `mediadb-app [--config FILE] [--listen HOST:PORT] [--socket PATH]

The web page and HTTP interface of mediad. Settings: mediadb-app.toml.
  --config FILE        default: $XDG_CONFIG_HOME/mediadb-app.toml, /etc/mediadb/mediadb-app.toml
  --listen HOST:PORT   default: 127.0.0.1:8017
  --socket PATH        of the daemon; default: $MEDIAD_SOCKET, $XDG_RUNTIME_DIR/mediad/socket, /run/mediad/socket
  --version, --help`;

/**
 * The configuration of a command line.
 * @param {string[]} argv
 * @returns {Config | 'help' | 'version'}
 * @throws {ConfigError}
 */
export function configure(argv) {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        config: { type: 'string' }, listen: { type: 'string' }, socket: { type: 'string' },
        help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' },
      }, // prettier-ignore
    }));
  } catch (error) {
    throw new ConfigError(/** @type {Error} */ (error).message);
  }
  if (values.help) return 'help';
  if (values.version) return 'version';
  const file = values.config ?? defaultConfigFiles().find((each) => existsSync(each));
  const config = file === undefined ? DEFAULTS() : readConfig(path.resolve(file));
  if (values.listen !== undefined) config.listen = parseListen(values.listen, '--listen');
  if (values.socket !== undefined) config.socket = path.resolve(values.socket);
  return config;
}

export { DEFAULTS };
