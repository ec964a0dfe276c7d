/** What the HTTP interface answers (docs/http.md). A field without a value is not there. */

export type Kind = 'audio' | 'image' | 'video' | 'document' | 'other';

export interface Item {
  id: string;
  kind: Kind;
  format?: string;
  name: string;
  title?: string;
  artist?: string;
  album?: string;
  /** seconds */
  duration?: number;
  width?: number;
  height?: number;
  /** as far as it is known: 2003, 2003-10-31T21:32:49 */
  date?: string;
  /** bytes */
  size?: number;
  /** seconds since the Unix epoch */
  mtime?: number;
  missing?: boolean;
  tags?: string[];
  /** 1 to 5 */
  rating?: number;
  starred?: boolean;
  plays?: number;
  last_played_at?: number;
  bookmark?: { position: number; comment?: string; at?: number };
  track?: number;
  disc?: number;
  year?: number;
  genres?: string[];
  codec?: string;
  /** ReplayGain, dB */
  track_gain?: number;
  album_gain?: number;
}

export type Value = string | number | boolean | Value[] | { [name: string]: Value };

export interface FileOfItem {
  id: number | string;
  name: string;
  path: string;
  folder?: number | string;
  size?: number;
  mtime?: number;
  state?: string;
  missing_since?: number;
  handler?: string;
  problem?: { code: string; message: string };
  fields?: Record<string, Value>;
  tags?: Record<string, Value>;
  sources?: Record<string, string>;
  checksums?: Record<string, Record<string, string>>;
}

export interface FullItem extends Item {
  fields?: Record<string, Value>;
  /** name of a field -> where its value is from */
  sources?: Record<string, string>;
  keys?: { grade: string; algorithm: string; value: string }[];
  collections?: string[];
  playlists?: string[];
  files?: FileOfItem[];
}

export interface Page<T> {
  items: T[];
  next: string | null;
  count?: number;
  facets?: Facets;
}

export type Facets = Record<string, { value: string; count: number }[]>;

export type Role = 'read' | 'write' | 'organise' | 'admin';

export interface Session {
  open: boolean;
  user: { name: string; role: Role } | null;
  role: Role | null;
  daemon: { connected: boolean; version?: string };
  server: { version: string };
  features: { transcode: string[]; upload: boolean; organise: boolean; accounts: boolean };
}

export interface Artist {
  id: string;
  name: string;
  sort_name?: string;
  albums: number;
  songs: number;
  starred?: boolean;
  rating?: number;
}

export interface Album {
  id: string;
  name: string;
  artist?: string;
  artist_id?: string;
  songs: number;
  duration?: number;
  year?: number;
  genres?: string[];
  created_at?: number;
  /** the item whose preview is the cover */
  cover?: string;
  starred?: boolean;
  rating?: number;
  plays?: number;
  played_at?: number;
  /** all who are credited, the first of whom is artist_id */
  artists?: { id: string; name: string }[];
}

export interface Genre {
  name: string;
  songs: number;
  albums: number;
}

export interface Folder {
  id: string;
  name: string;
  files?: number;
  folders?: number;
}

export interface FolderPage {
  folder: Folder | null;
  above: Folder[];
  folders: Folder[];
  items: Item[];
  next: string | null;
}

export interface Collection {
  id: string;
  kind: 'collection' | 'playlist';
  name: string;
  size: number;
  /** that of a saved question */
  query?: string | null;
  created_at?: number;
}

export interface Root {
  id: string;
  path: string;
  state?: string;
  files?: number;
  folders?: number;
  missing?: number;
  pending?: number;
  failed?: number;
  bytes?: number;
  scanned_at?: number;
  watched?: boolean;
}

export interface Suggestion {
  start: number;
  end: number;
  text: string;
  what: string;
}

export interface Change {
  seq: number;
  action: string;
  item?: string;
  target_kind?: string;
  value?: unknown;
  actor?: string;
}

export interface Job {
  id: string;
  what: 'upload' | 'move' | 'scan' | 'duplicates';
  state: 'running' | 'done' | 'failed';
  stage?: string;
  done?: number;
  total?: number;
  bytes_done?: number;
  bytes_total?: number;
  error?: { code: string; message: string };
  result?: unknown;
  name?: string;
  /** seconds since the Unix epoch */
  started_at?: number;
}
