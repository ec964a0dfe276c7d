// Written by tools/messages.js from proto/mediadb.proto. How a message becomes a value: values.js.
import type { MediadError } from './errors.js';

export interface Greeting {
  /** chosen from the client's range */
  protocol: number;
  /** name and version */
  server: string;
  /** UUID of the daemon's host */
  host: string | null;
  /** names; announced, never removed */
  capabilities: string[];
  limits: Limits | null;
  /** read, write, organise, admin: what this peer may do */
  role: string;
  /** set: refused */
  error: MediadError | null;
}

export interface Limits {
  requestsInFlight: number;
  inboundFrameBytes: number;
  outboundFrameBytes: number;
  /** a request sent in parts, all parts together */
  requestBytes: number;
  queryTextBytes: number;
}

export interface Progress {
  /** walking, reading, hashing */
  stage: string;
  folders: number;
  filesListed: number;
  filesDone: number;
  /** 0: not known yet */
  filesTotal: number;
  filesFailed: number;
  bytesDone: number;
  bytesTotal: number;
  /** a path being worked on */
  current: Buffer;
  currentDisplay: string;
}

export interface Ping {
  payload: Buffer;
}

export interface Pong {
  payload: Buffer;
}

export interface File {
  id: number;
  /** the stream's id */
  item: string | null;
  /** absolute, on this host; empty when the volume is not mounted here */
  path: Buffer;
  pathDisplay: string;
  /** f regular, l symbolic link, p FIFO, s socket, c b devices */
  type: string;
  /** bytes */
  size: number;
  mtimeNs: bigint;
  /** listed, read, failed, parked, missing */
  state: string;
  missingSinceNs: bigint;
  handler: string;
  handlerVersion: number;
  /** why there is no record, or only part of one */
  problem: MediadError | null;
  /** vocabulary fields of this file */
  fieldsJson: string;
  /** `fieldsJson`, parsed when it is first asked for. */
  readonly fields: Record<string, any>;
  /** everything else it carries: {"Group:Key": [values]} */
  tagsJson: string;
  /** `tagsJson`, parsed when it is first asked for. */
  readonly tags: Record<string, any>;
  /** {"title": "ID3v2.3:TIT2"} */
  sourcesJson: string;
  /** `sourcesJson`, parsed when it is first asked for. */
  readonly sources: Record<string, any>;
  digests: Digest[];
  nlink: number;
  inode: bigint;
  ctimeNs: bigint;
  mode: number;
  symlinkTarget: Buffer;
  /** where it was last seen mounted */
  host: string | null;
}

export interface Item {
  id: string;
  /** audio, image, video, document, other */
  kind: string;
  /** container: mp3 flac jpeg ... */
  format: string;
  title: string;
  artist: string;
  album: string;
  /** seconds, 0: none */
  duration: number;
  /** pixels */
  width: number;
  height: number;
  /** date taken, released or created, as far as it is known: YYYY[-MM[-DD[Thh:mm:ss]]] */
  date: string;
  files: File[];
  keys: Key[];
  /** what a person made of it, by vocabulary names: user_tags, user_rating, starred, play_count ... */
  workJson: string;
  /** `workJson`, parsed when it is first asked for. */
  readonly work: Record<string, any>;
  /** no file is left and this item took its place */
  successor: string | null;
}

export interface Key {
  grade: string;
  algorithm: string;
  value: Buffer;
}

export interface Digest {
  algorithm: string;
  value: Buffer;
  scope: string;
}

export interface Target {
  /** an item */
  id: string | null;
  /** absolute */
  path: Buffer | null;
}

export interface AddRequest {
  /** absolute, folders or files */
  paths: Buffer[];
  /** do not watch afterwards */
  once: boolean;
  /** walk into other file systems mounted below */
  crossMounts: boolean;
  /** end when everything is read, not when it is listed */
  wait: boolean;
  /** glob patterns beside the defaults (docs/operations.md) */
  exclude: string[];
}

export interface AddReply {
  roots: Root[];
  folders: number;
  /** seen by the walk */
  filesListed: number;
  filesNew: number;
  filesChanged: number;
  filesMissing: number;
  /** with wait */
  filesRead: number;
  /** with wait */
  filesFailed: number;
  /** folders that could not be entered, and the like (the first 100) */
  problems: MediadError[];
  problemCount: number;
  /** known files under a new name */
  filesMoved: number;
}

export interface QueryRequest {
  text: string;
  /** 0: all */
  limit: number;
  /** from the reply before */
  cursor: Buffer;
  /** a row a file, not a row an item */
  files: boolean;
  /** fill File.fields_json */
  fields: boolean;
  /** of the fields only these */
  columns: string[];
  /** how often each value of these is among all that match; no items are sent */
  facets: string[];
  /** values of a facet at most; 0: 50 */
  facetLimit: number;
  /** how many match; no items are sent */
  count: boolean;
  /** how it is understood and answered; no items are sent */
  explain: boolean;
  /** when all was sent, what changes in the answer from then on */
  follow: boolean;
  /** keys as in `sort:` of the text, before those of the text */
  sort: string[];
  /** items with their ids, nothing else */
  bare: boolean;
}

export interface QueryReply {
  items: Item[];
  /** on the last reply, when there is more */
  cursor: Buffer;
  count: number | null;
  facets: Facet[];
  explanation: Explanation | null;
  /** follow: everything was sent; what comes now are changes */
  caughtUp: boolean;
  /** follow: items that changed and do not match (any more) */
  left: string[];
  /** follow: a folder or a list that it names changed: what was sent is void, all comes again */
  resync: boolean;
}

export interface Facet {
  field: string;
  /** the most frequent first */
  values: FacetValue[];
  /** there are others */
  more: boolean;
}

export interface CompleteRequest {
  text: string;
  /** in characters */
  cursor: number;
  /** suggestions at most; 0: 50 */
  limit: number;
}

export interface CompleteReply {
  suggestions: Suggestion[];
}

export interface Suggestion {
  /** the characters that it replaces: from start, before end */
  start: number;
  end: number;
  text: string;
  /** field value sort operator */
  what: string;
}

export interface FacetValue {
  value: string;
  items: number;
}

export interface Explanation {
  /** as it was understood, a node a line */
  tree: string[];
  /** of the first page */
  sql: string;
  parameters: string[];
  /** PostgreSQL's, with what each step took */
  plan: string[];
  /** of the files that the index is expected to find; 1: not known */
  share: number;
}

export interface GetRequest {
  targets: Target[];
  /** what a list shows: no keys, fields, tags, sources, digests, stat; work_json is there */
  light: boolean;
}

export interface GetReply {
  target: Target | null;
  item: Item | null;
  problem: MediadError | null;
}

export interface ChecksumRequest {
  targets: Target[];
  /** file, stream; default file */
  scopes: string[];
  /** md5, sha1, sha256; default all three */
  algorithms: string[];
}

export interface ChecksumReply {
  target: Target | null;
  item: string | null;
  path: Buffer;
  pathDisplay: string;
  scope: string;
  /** scope stream: which bytes count, e.g. mp3-frames/1 */
  streamAlgorithm: string;
  digests: Digest[];
  /** answered from the store, nothing was read */
  stored: boolean;
  problem: MediadError | null;
  /** scope stream, when it was computed now: each audio and video track */
  tracks: Track[];
  /** the same: what the stream is known by from now on */
  keys: Key[];
}

export interface Track {
  /** as the container counts */
  number: number;
  /** audio, video */
  kind: string;
  codec: string;
  /** track-packets/1 */
  algorithm: string;
  digests: Digest[];
  bytes: number;
}

export interface ForgetRequest {
  targets: Target[];
  /** only files that are missing */
  missingOnly: boolean;
  /** what a person made of the items too: it cannot be brought back */
  work: boolean;
}

export interface ForgetReply {
  files: number;
  items: number;
  roots: number;
  problems: MediadError[];
}

export interface WorkRequest {
  targets: Target[];
  query: string;
  actions: WorkAction[];
}

export interface WorkAction {
  /** tag untag rate unrate star unstar set unset play bookmark unbookmark */
  action: string;
  /** tag, untag: the tag; set, unset: the field */
  name: string;
  /** set; bookmark: a comment */
  value: string;
  /** rate: 0-5; bookmark: seconds from the beginning */
  number: number;
  /** play, star, bookmark: when; 0: now */
  atNs: bigint;
  /** play: how often; 0: once */
  count: number;
}

export interface WorkReply {
  /** that were meant */
  items: number;
  /** what that changed */
  events: number;
  /** the number of the last event */
  last: number;
  /** targets that are not there */
  problems: MediadError[];
}

export interface CollectRequest {
  /** collection, playlist; empty: collection */
  kind: string;
  name: string;
  /** add remove move delete rename save set; add, save and set make it when it is not there */
  action: string;
  /** add; set: all that it holds from then on, in this order */
  targets: Target[];
  /** add: what it finds too; save: it holds what this finds, from then on */
  query: string;
  /** from 0; -1: the end. add: where; remove, move: which */
  place: number;
  /** move: where */
  to: number;
  /** rename */
  newName: string;
}

export interface CollectReply {
  collection: Collection | null;
  events: number;
  last: number;
  problems: MediadError[];
}

export interface CollectionsRequest {
  kind: string;
  name: string;
  entries: boolean;
}

export interface CollectionsReply {
  collections: Collection[];
}

export interface Collection {
  id: string;
  kind: string;
  name: string;
  /** whose it is; empty: everybody's */
  actor: string;
  size: number;
  /** item ids in order */
  entries: string[];
  createdAtNs: bigint;
  /** the question that it is; empty: it holds what was put into it */
  query: string;
}

export interface QueueRequest {
  /** get (or empty), save, at (the entries stay; only where in them) */
  action: string;
  /** save: items in order, with repeats */
  targets: Target[];
  /** save, at: which of them, from 0 */
  current: number;
  /** save, at: seconds into it */
  position: number;
  /** save, at: which program says so */
  client: string;
}

export interface QueueReply {
  /** item ids */
  entries: string[];
  current: number;
  /** seconds */
  position: number;
  /** 0: never saved */
  changedAtNs: bigint;
  client: string;
  /** save, at: 0 when only the position changed, and was told a short while ago */
  events: number;
  last: number;
  /** save: targets that are not there */
  problems: MediadError[];
}

export interface AccountRequest {
  /** create remove role password key unkey unsession */
  action: string;
  /** the person: 1 to 64 characters */
  name: string;
  /** create, role: read write organise admin */
  role: string;
  /** create, password: 8 characters at least */
  password: string;
  /** key: what it is for ("phone") */
  keyName: string;
  /** unkey, unsession */
  id: string | null;
}

export interface AccountReply {
  /** as it is now */
  user: User | null;
  /** key */
  key: ApiKey | null;
  /** key: shown now and never again; it is an API key, and the app password of OpenSubsonic */
  secret: string;
}

export interface AccountsRequest {
  name: string;
}

export interface AccountsReply {
  users: User[];
  keys: ApiKey[];
  sessions: Session[];
}

export interface User {
  name: string;
  role: string;
  createdAtNs: bigint;
  seenAtNs: bigint;
}

export interface ApiKey {
  id: string | null;
  user: string;
  name: string;
  createdAtNs: bigint;
  usedAtNs: bigint;
}

export interface Session {
  id: string | null;
  user: string;
  client: string;
  createdAtNs: bigint;
  usedAtNs: bigint;
  expiresAtNs: bigint;
}

export interface LoginRequest {
  name: string;
  password: string;
  client: string;
  origin: string;
}

export interface LoginReply {
  user: User | null;
  session: string;
  expiresAtNs: bigint;
}

export interface AuthenticateRequest {
  session: string;
  key: string;
  name: string;
  token: string;
  salt: string;
  origin: string;
}

export interface AuthenticateReply {
  user: User | null;
  /** of the session or key */
  id: string | null;
  /** none of the three was given: true when no person exists at all */
  nobody: boolean;
}

export interface LogoutRequest {
  session: string;
}

export interface LogoutReply {
}

export interface PreviewRequest {
  target: Target | null;
  /** the longer side in pixels: 128 320 800 1280 1920 */
  size: number;
  /** the tag of the one the client has: then no data is sent */
  known: Buffer;
}

export interface PreviewReply {
  data: Buffer;
  mimeType: string;
  width: number;
  height: number;
  /** changes with the picture */
  tag: Buffer;
  /** it is the one that `known` names */
  same: boolean;
}

export interface BrowseRequest {
  /** artists albums genres folders links */
  what: string;
  /** artists, albums: only this one; albums of this artist: `artist` */
  id: string | null;
  /** albums: of this artist */
  artist: string | null;
  /** only those of which this finds a song; the numbers stay those of the whole */
  query: string;
  /** artists, genres: name; albums: name artist year (the least first) added recent frequent starred rating (the greatest first) random; `-` before: the other way. recent, frequent: only what the actor played; starred, rating: what they starred, rated. */
  sort: string;
  /** 0: 500 */
  limit: number;
  cursor: Buffer;
  /** names (folded) with all words of it, the last one being the beginning of a word */
  prefix: string;
  /** folders: those in this one; 0: the roots */
  folder: number;
  /** folders: with the items in it, by name */
  items: boolean;
  /** artists: everybody on a song; albums of `artist`: also where they are a guest */
  allArtists: boolean;
  /** albums */
  yearFrom: number;
  yearTo: number;
  /** albums */
  genre: string;
  /** artists, albums: of the actor */
  starred: boolean;
  /** links: the albums and artists of these items */
  of: string[];
}

export interface BrowseReply {
  artists: Artist[];
  albums: Album[];
  genres: Genre[];
  folders: Folder[];
  /** folders with items */
  items: Item[];
  /** on the last reply, when there is more */
  cursor: Buffer;
  /** the one that was asked for */
  folder: Folder | null;
  /** from its root to its parent */
  above: Folder[];
  /** of songs only, in no order */
  links: Link[];
}

export interface Link {
  item: string | null;
  album: string | null;
  /** of the song itself */
  artists: string[];
  artistNames: string[];
}

export interface Artist {
  id: string | null;
  name: string;
  albums: number;
  songs: number;
  /** of the actor; 0: not */
  starredAtNs: bigint;
  /** of the actor; 0: none */
  rating: number;
  sortName: string;
  musicbrainzId: string;
}

export interface Album {
  id: string | null;
  name: string;
  /** as it is credited */
  artist: string;
  /** the first of them */
  artistId: string | null;
  songs: number;
  /** seconds */
  duration: number;
  year: number;
  genres: string[];
  /** when its first song came */
  createdAtNs: bigint;
  /** an item whose preview is its cover: its first song */
  cover: string | null;
  starredAtNs: bigint;
  rating: number;
  /** of the actor, all its songs together */
  plays: number;
  playedAtNs: bigint;
  musicbrainzId: string;
  compilation: boolean;
  artistIds: string[];
  artistNames: string[];
}

export interface Genre {
  name: string;
  songs: number;
  albums: number;
}

export interface Folder {
  id: number;
  /** 0: it is the top of a root */
  parent: number;
  /** for people; of a root its path */
  name: string;
  root: number;
  /** present, in it itself */
  files: number;
  folders: number;
  /** absolute on this host; empty when it is not mounted here */
  path: Buffer;
  mtimeNs: bigint;
}

export interface ChangesRequest {
  /** of the reply before; empty: whatever it is */
  epoch: string | null;
  since: number;
  /** do not end; what happens is sent when it happens */
  follow: boolean;
  /** only of items that match now */
  query: string;
  /** at most so many; 0: all there are */
  limit: number;
}

export interface ChangesReply {
  changes: Change[];
  epoch: string | null;
  /** everything up to this number was sent (or did not match) */
  last: number;
  /** forget what you know: `items` is all there is, in as many replies as it takes */
  resync: boolean;
  items: Item[];
  /** of resync */
  reason: string;
  /** the last reply of a snapshot */
  snapshotEnds: boolean;
}

export interface Change {
  seq: number;
  atNs: bigint;
  host: string | null;
  actor: string;
  operation: string | null;
  /** stream collection root folder */
  targetKind: string;
  /** the id as text */
  target: string;
  action: string;
  valueJson: string;
  /** `valueJson`, parsed when it is first asked for. */
  readonly value: Record<string, any>;
  /** the item it is about today, after merges */
  item: string | null;
}

export interface UndoRequest {
  operation: string | null;
  count: number;
}

export interface UndoReply {
  operations: Operation[];
  events: number;
  last: number;
  /** that were moved back, or whose copies were removed */
  files: number;
  /** of files that stay where they are */
  problems: MediadError[];
}

export interface OperationsRequest {
  limit: number;
}

export interface OperationsReply {
  operations: Operation[];
}

export interface Operation {
  id: string;
  atNs: bigint;
  actor: string;
  command: string;
  events: number;
  undone: boolean;
  summary: string;
  /** that it moved, copied, linked */
  files: number;
}

export interface MoveRequest {
  /** items (all their files here), files, folders */
  targets: Target[];
  query: string;
  /** absolute; a folder when it is one, or `folder` is set; else the new name of one file */
  destination: Buffer;
  folder: boolean;
  /** the name of one, or one itself; below `destination`, else below the file's own root */
  template: string;
  /** move (default) copy hardlink symlink reflink */
  mode: string;
  /** this mode or nothing: no copy in place of a rename, link or clone */
  require: boolean;
  /** a source whose bytes are at the destination already goes */
  dropDuplicates: boolean;
  /** folders that it empties go */
  prune: boolean;
  /** names that FAT, exFAT and NTFS take */
  fat: boolean;
  dryRun: boolean;
}

export interface MoveReply {
  steps: MoveStep[];
  /** of files that stay where they are */
  problems: MediadError[];
  /** files whose bytes are at the destination: they stay */
  already: MovePair[];
  /** files that get another name than wanted: (wanted, got), with the file as `source` */
  clashes: MovePair[];
  notes: string[];
  /** files that are where they should be */
  unchanged: number;
  /** to copy, or copied */
  bytes: number;
  /** files */
  done: number;
  failed: number;
  /** for undo */
  operation: string | null;
  /** dry_run: why nothing of it can be done */
  fatal: MediadError | null;
}

export interface MoveStep {
  number: number;
  /** files of one unit go together, or not at all */
  unit: number;
  /** move copy hardlink symlink reflink drop remove mkdir rmdir */
  action: string;
  /** what is expected: rename copy hardlink symlink reflink */
  method: string;
  /** absolute */
  source: Buffer;
  sourceDisplay: string;
  destination: Buffer;
  destinationDisplay: string;
  size: number;
  /** planned done aborted attention */
  state: string;
  problem: MediadError | null;
}

export interface ArchiveRequest {
  /** absolute; a folder in a root */
  source: Buffer;
  /** absolute */
  archive: Buffer;
  verify: boolean;
  /** verify: names and sizes only */
  quick: boolean;
}

export interface ArchiveReply {
  /** stored now; verify: items that are whole */
  files: number;
  /** whose bytes were there */
  known: number;
  unchanged: number;
  bytes: number;
  /** the index is another now */
  changed: boolean;
  /** verify: what is not ok, in parts */
  findings: ArchiveFinding[];
  problems: MediadError[];
}

export interface ArchiveFinding {
  code: string;
  path: Buffer;
  sha1: string;
  message: string;
}

export interface PutbackRequest {
  targets: Target[];
  query: string;
  /** absolute: from there */
  archive: Buffer;
  /** of it these contents only */
  sha1: string[];
  /** absolute: below it, in place of where it was found */
  into: Buffer;
  dryRun: boolean;
}

export interface LayoutRequest {
  /** absolute; the tree is in its folder `data`, or in it when it is called so */
  path: Buffer;
  check: boolean;
  /** that the applications share; "" leaves it */
  group: string;
  /** with torrents/incomplete and torrents/complete */
  torrentStaging: boolean;
  /** with media/photos */
  photos: boolean;
}

export interface PlaceRequest {
  path: Buffer;
  dryRun: boolean;
}

export interface LayoutReply {
  top: Buffer;
  findings: LayoutFinding[];
  trials: LayoutTrial[];
}

export interface LayoutFinding {
  path: string;
  code: string;
  message: string;
}

export interface LayoutTrial {
  source: string;
  goal: string;
  link: string;
  rename: string;
}

export interface MovePair {
  source: Buffer;
  wanted: Buffer;
  got: Buffer;
}

export interface HistoryRequest {
  targets: Target[];
}

export interface HistoryReply {
  target: Target | null;
  problem: MediadError | null;
  item: string | null;
  changes: Change[];
  revisions: Revision[];
  lineage: Lineage[];
  /** archives that hold it */
  stored: Stored[];
}

export interface Stored {
  /** its id: UUID version 5 */
  archive: string;
  /** absolute, on the host that wrote it */
  path: Buffer;
  pathDisplay: string;
  storedAtNs: bigint;
  verifiedAtNs: bigint;
  /** ok, or what is wrong */
  verdict: string;
}

export interface Revision {
  item: string | null;
  path: Buffer;
  pathDisplay: string;
  size: number;
  mtimeNs: bigint;
  untilNs: bigint;
  /** succeeded moved replaced */
  why: string;
}

export interface Lineage {
  old: string;
  new: string;
  relation: string;
  state: string;
  atNs: bigint;
}

export interface RelateRequest {
  relation: string;
  target: Target | null;
  other: Target | null;
}

export interface RelateReply {
  item: string | null;
  other: string | null;
  events: number;
  last: number;
}

export interface OffersRequest {
  targets: Target[];
  query: string;
}

export interface OffersReply {
  offers: Offer[];
  problems: MediadError[];
}

export interface Offer {
  old: string;
  new: string;
  /** replaces edit succeeded */
  relation: string;
  /** one sentence */
  why: string;
  /** of the first file of each */
  oldPath: Buffer;
  oldDisplay: string;
  newPath: Buffer;
  newDisplay: string;
}

export interface DuplicatesRequest {
  kind: string;
  root: number;
  other: number;
  below: number;
  query: string;
}

export interface DuplicatesReply {
  groups: Group[];
  last: boolean;
  /** checksums */
  computed: number;
  /** files that could not be read for one: nothing is said of them */
  leftOut: number;
}

export interface Group {
  kind: string;
  size: number;
  files: File[];
  wasted: number;
}

export interface VerifyRequest {
  /** none: everything */
  targets: Target[];
  /** 0: as fast as it goes */
  bytesPerSecond: number;
  /** stop after so long; the next goes on there */
  seconds: number;
  /** from the beginning */
  again: boolean;
}

export interface VerifyReply {
  verdicts: Verdict[];
  ok: number;
  /** had no checksum yet: it has one now */
  first: number;
  retagged: number;
  replaced: number;
  rotten: number;
  unreadable: number;
  /** not looked at yet */
  left: number;
  bytes: number;
}

export interface Verdict {
  item: string | null;
  path: Buffer;
  pathDisplay: string;
  /** retagged replaced rotten unreadable */
  verdict: string;
  problem: MediadError | null;
  /** paths of other copies that are well */
  good: Buffer[];
}

export interface RescanRequest {
  paths: Buffer[];
  quick: boolean;
  wait: boolean;
}

export interface AcceptRequest {
  root: Buffer;
}

export interface ExportRequest {
}

export interface ExportReply {
  lines: string[];
}

export interface RestoreRequest {
  lines: string[];
}

export interface RestoreReply {
  events: number;
  items: number;
  roots: number;
  known: number;
  problems: MediadError[];
}

export interface RebuildRequest {
}

export interface SidecarsRequest {
  /** of media files, not of side files */
  targets: Target[];
  query: string;
  /** every file of this host that has a side file or a person's work */
  all: boolean;
  /** say what would be done */
  dryRun: boolean;
}

export interface SidecarsReply {
  /** those with nothing to do are counted only */
  files: Sidecar[];
  /** so far */
  lookedAt: number;
}

export interface Sidecar {
  item: string | null;
  /** of the media file */
  path: Buffer;
  pathDisplay: string;
  /** of its side file */
  side: Buffer;
  sideDisplay: string;
  /** created, updated, taken (only the side file had news), waiting, failed */
  state: string;
  changes: SidecarChange[];
  warnings: string[];
  problem: MediadError | null;
  /** waiting */
  sinceNs: bigint;
}

export interface SidecarChange {
  /** taken from the side file, written into it, lost (in the side file, to a later value) */
  way: string;
  /** tag, rating, title, description */
  field: string;
  /** as text; empty: nothing */
  was: string;
  now: string;
}

export interface TextRequest {
  targets: Target[];
  /** beside targets: what it finds */
  query: string;
  index: boolean;
  /** index: the request ends when all are done, not when all are queued */
  wait: boolean;
  /** bytes of UTF-8 of one file; 0: the daemon's text_limit */
  limit: number;
}

export interface TextReply {
  /** of the file that this piece, or problem, is of; pieces of one follow each other */
  item: string | null;
  path: Buffer;
  pathDisplay: string;
  /** at most 256 KiB */
  text: string;
  /** the last of this file: what follows says something of all of it */
  ends: boolean;
  /** the limit cut it */
  truncated: boolean;
  /** where it stood: PDF text, USLT */
  source: string;
  languages: string[];
  /** unsupported: it has no words */
  problem: MediadError | null;
  /** index: so many files */
  queued: number;
  /** so many have words in the index now (no targets, no query: of all files) */
  indexed: number;
  /** have none */
  without: number;
  /** could not be read */
  failed: number;
  /** wait: for their volume, for their turn */
  waiting: number;
}

export interface RootsRequest {
}

export interface Root {
  id: number;
  path: Buffer;
  pathDisplay: string;
  /** as text: the file system's UUID or what stands for it */
  volume: Buffer;
  host: string | null;
  watched: boolean;
  /** active, frozen, away */
  state: string;
  files: number;
  folders: number;
  missing: number;
  /** listed, not read yet */
  pending: number;
  failed: number;
  bytes: number;
  scannedAtNs: bigint;
  hostName: string;
}

export interface RootsReply {
  roots: Root[];
}

export interface HandlersRequest {
}

export interface HandlerInfo {
  name: string;
  version: number;
  application: string;
  summary: string;
  kinds: string[];
  extensions: string[];
  operations: string[];
  fields: string[];
  /** takes descriptors, never a path */
  descriptors: boolean;
  /** what was applied to its last worker */
  sandbox: string;
}

export interface HandlersReply {
  handlers: HandlerInfo[];
}

export interface StatusRequest {
}

export interface StatusReply {
  version: string;
  host: string | null;
  hostName: string;
  /** seconds */
  uptime: number;
  pid: number;
  /** loop lag since start */
  lagP99Ms: number;
  lagMaxMs: number;
  rssBytes: number;
  peakRssBytes: number;
  connections: number;
  requestsInFlight: number;
  requests: number;
  /** ready, starting, unavailable */
  database: string;
  databaseVersion: string;
  databaseProblem: string;
  files: number;
  items: number;
  pending: number;
  failed: number;
  missing: number;
  parked: number;
  lastEvent: number;
  workers: Worker[];
  scans: Progress[];
  /** frozen roots, weaker sandboxes, what a person should know */
  notes: string[];
  dataDir: string;
  socket: string;
  workerFailures: number;
  /** of names (docs/names.md), the built-in ones and those of mediad.toml */
  templates: Template[];
}

export interface Template {
  name: string;
  text: string;
}

export interface Worker {
  application: string;
  pid: number;
  /** idle, busy */
  state: string;
  files: number;
  sandbox: string;
}
