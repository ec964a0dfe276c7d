/** Numbers and dates as people read them. */
import type { Item } from './types';

/** Seconds as m:ss or h:mm:ss. */
export function clock(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return '';
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Seconds as "1 h 12 min", for whole albums and lists. */
export function span(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes by powers of 1,000, as disks are sold. */
export function bytes(size: number | undefined): string {
  if (size === undefined) return '';
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(2)} ${UNITS[unit]}`;
}

const NUMBER = new Intl.NumberFormat('en');
export const count = (value: number) => NUMBER.format(value);

/** "1 song", "12 songs". */
export function many(value: number, one: string, several = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : several}`;
}

const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const INSTANT = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

/** An instant (seconds since the Unix epoch) in the browser's time zone. */
export const instant = (seconds: number | undefined) => (seconds ? INSTANT.format(seconds * 1000) : '');
export const day = (seconds: number | undefined) => (seconds ? DAY.format(seconds * 1000) : '');

/** What an item is called: its title, else its file's name. */
export const titleOf = (item: Item) => item.title || item.name;
