/** Asking the server. Paths are relative, so that the page also works behind a proxy that puts it under a folder. */
import { signal } from '@preact/signals';

/** A refusal in the words of the server: closed codes (proto/README.md, "Errors"), and where in a question the mistake is. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly input?: string,
    /** from 0, in characters of `input` */
    readonly position?: number,
  ) {
    super(message);
  }
}

/** Whether the server answered last time. The banner of the shell shows it. */
export const reachable = signal(true);
/** Raised when a request is answered 401: the shell then shows the login. */
export const refused = signal(0);

/** A version 4 UUID (RFC 9562). crypto.randomUUID is missing where the page comes by plain HTTP from a LAN. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidOf(bytes, 0);
}

const HEX = Array.from({ length: 256 }, (_, each) => each.toString(16).padStart(2, '0'));

/** The text of a UUID that lies at an offset of some bytes. */
export function uuidOf(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let each = 0; each < 16; each += 1) {
    text += HEX[bytes[at + each]!];
    if (each === 3 || each === 5 || each === 7 || each === 9) text += '-';
  }
  return text;
}

export type Parameters = Record<string, string | number | boolean | undefined | null>;

/** A path of the interface with its query; what is undefined, null or false is left out, true is 1. */
export function url(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== null && value !== false)
      query.set(name, value === true ? '1' : String(value));
  const text = query.toString();
  return `.${path}${text ? `?${text}` : ''}`;
}

async function problemOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text);
    return new ApiError(response.status, error.code, error.message, error.input, error.position);
  } catch (wrong) {
    if (!(wrong instanceof SyntaxError || wrong instanceof TypeError)) throw wrong;
    // a proxy in between answers in its own way
    return new ApiError(response.status, 'internal', `The server answered ${response.status} ${response.statusText}`);
  }
}

/** Asks, and answers the response once its headers are there. Throws ApiError. */
export async function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  let response;
  try {
    response = await fetch(path, { method, credentials: 'same-origin', ...init });
  } catch (wrong) {
    if (wrong instanceof DOMException && wrong.name === 'AbortError') throw wrong;
    if (!(wrong instanceof TypeError)) throw wrong; // fetch's word for "no connection"
    reachable.value = false;
    throw new ApiError(0, 'unavailable', 'The server cannot be reached');
  }
  reachable.value = true;
  if (response.ok) return response;
  if (response.status === 401 && !path.startsWith('./login')) refused.value += 1;
  throw await problemOf(response);
}

export async function get<T>(path: string, parameters?: Parameters, abort?: AbortSignal): Promise<T> {
  const init = abort ? { signal: abort } : {};
  return (await ask('GET', url(path, parameters), init)).json() as Promise<T>;
}

/** Asks without changing anything, with a body: POST /items, dry runs. */
export async function post<T>(path: string, body: unknown, abort?: AbortSignal): Promise<T> {
  const init: RequestInit = { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  if (abort) init.signal = abort;
  return (await ask('POST', url(path), init)).json() as Promise<T>;
}

/**
 * Changes something. Each call has an operation of its own; where the answer is lost or the daemon is just restarting, it is
 * sent again under the same, which does it once. The answer has the operation with it, for a way back.
 */
export async function change<T = unknown>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T & { operation: string }> {
  const operation = uuid();
  const headers: Record<string, string> = { Operation: operation };
  const init: RequestInit = { headers };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await ask(method, url(path), init);
      const text = await response.text();
      return { operation, ...(text ? JSON.parse(text) : {}) };
    } catch (wrong) {
      const lost = wrong instanceof ApiError && (wrong.status === 0 || wrong.status === 503);
      if (!lost || attempt >= 3) throw wrong;
      await new Promise((done) => setTimeout(done, 400 * 2 ** attempt));
    }
  }
}
