/** Where the daemon's socket is, and how to get hold of it. */
import { closeSync, constants, openSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { DaemonNotRunning, PermissionDenied, Unavailable } from './errors.js';

const SERVICE_SOCKET = '/run/mediad/socket';
const SUN_PATH_BYTES = 107; // unix(7): sun_path has 108, the last is the NUL
const O_PATH = 0o10000000; // open(2) on Linux; not among Node's constants. Asks for no right to read the folder
const READ_BYTES = 64 * 1024;

/**
 * The paths to try, in order: the one named; else $MEDIAD_SOCKET; else the person's daemon and the machine's.
 * @param {string} [named]
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {string[]}
 */
export function listSockets(named, environment = process.env) {
  const one = named || environment.MEDIAD_SOCKET;
  if (one) return [one];
  const runtime = environment.XDG_RUNTIME_DIR;
  return [...(runtime ? [path.join(runtime, 'mediad', 'socket')] : []), SERVICE_SOCKET];
}

/**
 * A connected socket and the one buffer its bytes come in: `onBytes` gets a view that is valid during the call only.
 * @typedef {{ socket: net.Socket, onBytes: (data: Uint8Array) => void }} Opened
 */

/**
 * Connects to the first of `paths` that answers.
 * @param {readonly string[]} paths
 * @returns {Promise<Opened>} nothing is read before `onBytes` is set and the socket resumed
 * @throws {DaemonNotRunning} with a sentence that says what to do
 * @throws {PermissionDenied} a socket is there that this user may not open, and no other answers
 * @throws {Unavailable} a daemon is there whose backlog is full just now: try again shortly
 */
export async function connect(paths) {
  let refused = '';
  for (const each of paths) {
    try {
      return await connectTo(each);
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'EAGAIN') throw new Unavailable('mediad takes no connection', { input: each, cause: error });
      if (code === 'EACCES' || code === 'EPERM') refused = each;
      else if (!code) throw error;
      // not there, nobody behind it, not a socket: the next place may do
    }
  }
  if (refused) throw new PermissionDenied('this user may not open the socket of mediad', { input: refused });
  throw new DaemonNotRunning(
    `mediad does not answer at ${paths.join(' or ')}: start it with \`mediad\`, or \`systemctl start mediad.socket\``,
  );
}

/**
 * @param {string} where
 * @returns {Promise<Opened>}
 */
function connectTo(where) {
  // A path too long for a socket address goes by way of a descriptor of its folder.
  const long = Buffer.byteLength(where) > SUN_PATH_BYTES;
  const folder = long ? openSync(path.dirname(path.resolve(where)), O_PATH | constants.O_DIRECTORY) : -1;
  const address = long ? `/proc/self/fd/${folder}/${path.basename(where)}` : where;
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    /** @type {Opened} */
    const opened = { socket: /** @type {any} */ (null), onBytes: () => {} };
    let settled = false;
    const settle = () => {
      if (long && !settled) closeSync(folder);
      settled = true;
    };
    const socket = net.connect({
      path: address,
      onread: {
        buffer,
        callback: (length) => {
          opened.onBytes(buffer.subarray(0, length));
          return true; // false would stop reading; that is `pause`'s part
        },
      },
    });
    opened.socket = socket;
    socket.once('connect', () => {
      settle();
      resolve(opened);
    });
    socket.once('error', (error) => {
      settle();
      reject(error);
    });
  });
}
