/** Types that several modules share. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Library } from './library.js';
import type { Config } from './config.js';

export type { Item, File, Change } from 'mediadb';
export type Root = Awaited<ReturnType<import('mediadb').Client['roots']>>[number];

export type Role = 'read' | 'write' | 'organise' | 'admin';

/** Who asks. */
export interface Person {
  /** the account's name; '' while nobody has one and the server's own account asks */
  name: string;
  role: Role;
  open: boolean;
  /** of the session or key; null while open */
  id: string | null;
  /** how it was said: by which the page's own session can be told */
  by: 'open' | 'session' | 'key';
}

export interface App {
  server: FastifyInstance;
  config: Config;
  library: Library;
  auth: import('./auth.js').Auth;
  feed: import('./events.js').Feed;
  jobs: import('./jobs.js').Jobs;
  lists: import('./semaphore.js').Semaphore;
  files: import('./files.js').Files;
  transcoder: import('./transcode.js').Transcoder;
  uploads: import('./upload.js').Uploads;
  zips: import('./semaphore.js').Semaphore;
  previews: import('./semaphore.js').Semaphore;
  version: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    person: Person;
    gone: AbortSignal;
  }
  interface FastifyContextConfig {
    /** what the person needs; null: nobody need be known */
    role?: Role | null;
    /** writes from pages of other origins are let in: authentication is in the request itself (OpenSubsonic) */
    cors?: boolean;
    /** a body may take as long as it takes */
    slow?: boolean;
    /** of its reply, for /openapi.json */
    status?: number;
    content?: string[];
    reply?: any;
  }
}
export type { FastifyRequest };
