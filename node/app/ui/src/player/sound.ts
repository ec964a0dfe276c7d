/**
 * The sound: two audio elements, one that plays and one that has the next song ready. Where a song goes on into the next of
 * its album, the second is started by a timer shortly before the end of the first: an `ended` event comes 6 to 11 ms
 * too late to be unheard.
 */
import { batch, computed, effect, signal } from '@preact/signals';
import { url } from '../api';
import { kept, keep } from '../kept';
import { item, peek, want, wantFields } from '../items';
import { session } from '../session';
import { say } from '../toasts';
import type { Item } from '../types';
import { at, entries, entry, following, next, playing, repeat, startAt, turn, type Entry } from './queue';

/** How long before the end the next is started, in seconds: what a browser takes from play() to sound. */
const LEAD = 0.015;
/** Opus begins with 312 samples of 48 kHz that are not to be heard (RFC 7845, 4.2); browsers count them into the length. */
const PRE_SKIP = 0.0065;
/** How long before the end the next one is made ready, in seconds. */
const READY = 25;

/** From this length on (seconds) a place is kept: readings, radio plays, sets. */
export const LONG = 20 * 60;

/** Seconds of the present song that have gone by. */
export const position = signal(0);
/** Its length as far as it is known, in seconds. */
export const length = signal(0);
/** Waiting for data. */
export const waiting = signal(false);
export const volume = signal(Number(kept('volume', '1')));
export const muted = signal(false);
/** Whether loudness is levelled by what files say of it (ReplayGain 2.0). */
export const levelled = signal(kept('levelled', '1') === '1');

interface Deck {
  audio: HTMLAudioElement;
  entry: Entry | undefined;
  /** the server transcodes it: where its stream began, in seconds; seeking is another stream */
  offset: number;
  transcoded: boolean;
}

const deck = (): Deck => ({ audio: new Audio(), entry: undefined, offset: 0, transcoded: false });
let now = deck();
let ready = deck();

/** What browsers are asked whether they play it; containers that hold several codecs are tried. */
const TYPES: Record<string, string> = {
  mp3: 'audio/mpeg',
  flac: 'audio/flac',
  ogg: 'audio/ogg; codecs=vorbis',
  opus: 'audio/ogg; codecs=opus',
  wav: 'audio/wav',
  m4a: 'audio/mp4',
  mp4: 'audio/mp4',
  aac: 'audio/aac',
  aiff: 'audio/aiff',
  wma: 'audio/x-ms-wma',
  asf: 'audio/x-ms-wma',
  ape: 'audio/x-ape',
  wavpack: 'audio/x-wavpack',
  dsf: 'audio/x-dsf',
  dff: 'audio/x-dff',
  musepack: 'audio/x-musepack',
  mpc: 'audio/x-musepack',
};
/** Those that this browser turned out not to play. */
const unplayable = new Set<string>();

function mustTranscode(song: Item | null | undefined, id: string): boolean {
  if (unplayable.has(id)) return true;
  const type = song?.format ? TYPES[song.format.toLowerCase()] : undefined;
  return song?.codec === 'alac' || (type !== undefined && now.audio.canPlayType(type) === '');
}

/** The transcoded form that this browser plays, of those that the server makes. */
function form(): string | undefined {
  const offered = session.peek()?.features.transcode ?? [];
  return ['opus', 'mp3'].find((each) => offered.includes(each) && now.audio.canPlayType(TYPES[each]!) !== '');
}

function load(on: Deck, what: Entry, from: number): boolean {
  const { id } = what;
  const wanted = mustTranscode(peek(id), id);
  const format = wanted ? form() : undefined;
  if (wanted && !format) return false;
  on.entry = what;
  on.transcoded = wanted;
  on.offset = wanted ? from : 0;
  on.audio.src = url(`/file/${id}/stream`, wanted ? { format, timeOffset: from || undefined } : {});
  on.audio.preload = playing.peek() ? 'auto' : 'metadata';
  if (!wanted && from > 0) on.audio.currentTime = from;
  level(on);
  return true;
}

/** The volume of a deck: a person's, times what the file asks for. Louder than full is not possible for an element. */
function level(on: Deck): void {
  const song = on.entry && peek(on.entry.id);
  let gain = 0;
  if (levelled.peek() && song) gain = (alike(at.peek()) ? song.album_gain : undefined) ?? song.track_gain ?? song.album_gain ?? 0;
  on.audio.volume = Math.max(0, Math.min(1, volume.peek() ** 2 * 10 ** (gain / 20)));
  on.audio.muted = muted.peek();
}

/** Whether the song at a place is of the same album as one beside it. */
function alike(place: number): boolean {
  const album = (each: number) => {
    const id = entries.peek()[each]?.id;
    return id === undefined ? undefined : peek(id)?.album;
  };
  const own = album(place);
  return own !== undefined && (album(place - 1) === own || album(place + 1) === own);
}

/** Whether these two are heard as one: consecutive on one disc of one album. */
function continues(one: Item | null | undefined, other: Item | null | undefined): boolean {
  if (!one?.album || one.album !== other?.album) return false;
  if (one.track === undefined || other.track === undefined) return one.artist === other.artist;
  return (one.disc ?? 1) === (other.disc ?? 1) ? other.track === one.track + 1 : other.track === 1;
}

const leadOf = (on: Deck): number => LEAD + (on.entry && peek(on.entry.id)?.format === 'opus' ? PRE_SKIP : 0);

const duration = (on: Deck): number => {
  const own = on.audio.duration;
  const known = on.entry && peek(on.entry.id)?.duration;
  if (on.transcoded) return known ?? (Number.isFinite(own) ? own + on.offset : 0);
  return Number.isFinite(own) ? own : (known ?? 0);
};

let timer: ReturnType<typeof setTimeout> | undefined;
let failed = 0;

function start(on: Deck): void {
  on.audio.play().catch((wrong: unknown) => {
    if (!(wrong instanceof DOMException)) throw wrong;
    // NotAllowedError: nobody has pressed anything yet; AbortError: another song was chosen meanwhile; NotSupportedError: `error` comes too
    if (wrong.name === 'NotAllowedError') playing.value = false;
  });
}

function listen(on: Deck): void {
  const { audio } = on;
  const present = () => on === now;
  audio.addEventListener('timeupdate', () => {
    if (!present()) return;
    tick();
    failed = 0;
  });
  audio.addEventListener('durationchange', () => {
    if (present()) length.value = duration(on);
  });
  audio.addEventListener('waiting', () => present() && (waiting.value = true));
  audio.addEventListener('playing', () => present() && (waiting.value = false));
  audio.addEventListener('canplay', () => present() && (waiting.value = false));
  audio.addEventListener('ended', () => present() && advance());
  audio.addEventListener('pause', () => {
    // by the browser itself: headphones pulled out, a call
    if (present() && !audio.ended && !audio.error && playing.peek() && audio.readyState >= 2 && !switching) playing.value = false;
  });
  audio.addEventListener('error', () => refusedBy(on));
}

/** A browser that cannot play the file gets it transcoded; where that fails too, the next one has its turn. */
function refusedBy(on: Deck): void {
  const { entry: what, audio } = on;
  if (!what || !audio.error || !audio.src) return;
  const { id } = what;
  const unsupported = audio.error.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED || audio.error.code === MediaError.MEDIA_ERR_DECODE;
  if (unsupported && !on.transcoded && form()) {
    unplayable.add(id);
    load(on, what, on === now ? position.peek() : 0);
    if (on === now && playing.peek()) start(on);
    return;
  }
  if (on !== now) {
    on.entry = undefined;
    return;
  }
  giveUp(id);
}

function giveUp(id: string): void {
  const song = peek(id);
  say(`${song ? (song.title ?? song.name) : 'This song'} cannot be played`);
  failed += 1;
  if (failed < 5 && following.peek() >= 0 && repeat.peek() !== 'one') next(true);
  else {
    failed = 0;
    playing.value = false;
  }
}

let switching = false;

/** From this song to the next, which is ready if all went well. */
function advance(): void {
  clearTimeout(timer);
  timer = undefined;
  const place = following.peek();
  const what = entries.peek()[place];
  finished(now);
  if (!what) {
    playing.value = false;
    position.value = 0;
    now.audio.currentTime = 0;
    return;
  }
  if (ready.entry !== what || repeat.peek() === 'one') return next(true);
  [now, ready] = [ready, now];
  begun = Date.now() / 1000;
  start(now);
  // what ends is let end by itself: its last 15 ms are heard
  const old = ready;
  old.entry = undefined;
  handed = what;
  batch(() => {
    at.value = place;
    startAt.value = 0;
    position.value = 0;
    length.value = duration(now);
  });
}

/** The entry that was taken over without loading it. */
let handed: Entry | undefined;

function tick(): void {
  const { audio } = now;
  const gone = audio.currentTime + now.offset;
  heard(gone);
  position.value = gone;
  const left = duration(now) - gone;
  if (left < READY) prepare();
  // the length of a transcoded stream is an estimate: only `ended` is its end
  if (left < 0.6 && timer === undefined && playing.peek() && !now.transcoded && Number.isFinite(audio.duration)) {
    const place = following.peek();
    const what = entries.peek()[place];
    const seamless = what && ready.entry === what && continues(peek(now.entry!.id), peek(what.id));
    if (seamless) timer = setTimeout(handOver, Math.max(0, (audio.duration - audio.currentTime - leadOf(now)) * 1000));
  }
}

function handOver(): void {
  timer = undefined;
  const left = now.audio.duration - now.audio.currentTime;
  if (!playing.peek() || left > 0.6) return; // paused, or gone back meanwhile
  const lead = leadOf(now);
  if (left > lead + 0.004) timer = setTimeout(handOver, (left - lead) * 1000);
  else advance();
}

function prepare(): void {
  const what = entries.peek()[following.peek()];
  if (!what || ready.entry === what || what === now.entry) return;
  if (peek(what.id) === undefined) return want([what.id]);
  ready.audio.pause();
  if (!load(ready, what, 0)) ready.entry = undefined;
}

// ---------------------------------------------------------------- what was heard

/** Called with the seconds of a song that were heard, when it ends or another takes its place. */
type Heard = (id: string, began: number, seconds: number, whole: number) => void;
const hearers: Heard[] = [];
export const onHeard = (hearer: Heard) => hearers.push(hearer);

let listened = 0;
let before = 0;
let begun = 0;
let told = false;

function heard(gone: number): void {
  const step = gone - before;
  if (step > 0 && step < 2) listened += step; // more is a seek
  before = gone;
  const whole = duration(now);
  // the rule of scrobblers: half of it, or four minutes
  if (!told && now.entry && whole > 0 && (listened >= whole / 2 || listened >= 240)) {
    told = true;
    for (const each of hearers) each(now.entry.id, begun, listened, whole);
  }
}

function finished(of: Deck): void {
  if (of.entry && of.audio.ended) heard(duration(of));
  listened = 0;
  before = 0;
  told = false;
}

// ---------------------------------------------------------------- from outside

export function seek(to: number): void {
  const whole = duration(now);
  const place = Math.max(0, Math.min(to, whole ? whole - 0.05 : to));
  clearTimeout(timer);
  timer = undefined;
  before = place;
  position.value = place;
  if (!now.entry) return;
  if (now.transcoded) {
    load(now, now.entry, place);
    if (playing.peek()) start(now);
  } else now.audio.currentTime = place;
}

export function setVolume(to: number): void {
  volume.value = Math.max(0, Math.min(1, to));
  muted.value = false;
  keep('volume', String(volume.peek()));
}

export const titleNow = computed(() => (entry.value ? item(entry.value.id) : undefined));

/** A long piece goes on where it was left, unless it was at its end. */
function resumeAt(id: string): number {
  const found = peek(id);
  const place = found?.bookmark?.position ?? 0;
  return (found?.duration ?? 0) >= LONG && place < (found?.duration ?? 0) - 30 ? place : 0;
}

let started = false;

/** Connects queue and sound; called once, when the player is first shown. */
export function startSound(): void {
  if (started) return;
  started = true;
  listen(now);
  listen(ready);
  let turned = -1;
  effect(() => {
    const what = entry.value;
    const changed = turn.value;
    if (what && what === handed && changed === turned) {
      handed = undefined;
      return;
    }
    handed = undefined;
    if (what === now.entry && changed === turned) return;
    turned = changed;
    clearTimeout(timer);
    timer = undefined;
    if (now.entry) finished(now);
    switching = true;
    now.audio.pause();
    switching = false;
    if (!what) {
      now.entry = undefined;
      now.audio.removeAttribute('src');
      now.audio.load();
      position.value = 0;
      length.value = 0;
      return;
    }
    const from = startAt.peek() || resumeAt(what.id);
    begun = Date.now() / 1000;
    before = from;
    position.value = from;
    if (ready.entry === what && from === 0) {
      [now, ready] = [ready, now];
      ready.entry = undefined;
    } else if (!load(now, what, from)) {
      now.entry = what;
      giveUp(what.id);
      return;
    }
    length.value = duration(now);
    if (playing.peek()) start(now);
  });
  effect(() => {
    if (playing.value) {
      if (now.entry && now.audio.paused) start(now);
    } else {
      clearTimeout(timer);
      timer = undefined;
      now.audio.pause();
      waiting.value = false;
    }
  });
  effect(() => {
    const ids = [entry.value, entries.value[following.value]].flatMap((each) => (each ? [each.id] : []));
    void wantFields(ids);
  });
  effect(() => {
    volume.value;
    muted.value;
    keep('levelled', levelled.value ? '1' : '0');
    titleNow.value;
    level(now);
    level(ready);
  });
}

/** For tests: the element that sounds. */
export const sounding = (): HTMLAudioElement => now.audio;
