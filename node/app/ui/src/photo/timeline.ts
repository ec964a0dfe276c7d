/** Months of what a question finds, newest first, and where each begins in the order of `sort:-date`. */
import { useMemo } from 'preact/hooks';
import { useFetched } from '../list/paged';

export interface Section {
  /** `2019-07`, `2019` for what is known by its year alone, '' for what has no date */
  key: string;
  label: string;
  /** where there is little room */
  short?: string;
  year: string;
  /** place of the first in the list, and how many */
  first: number;
  count: number;
}

interface Timeline {
  buckets: { date: string; count: number }[];
}

const SHORT = new Intl.DateTimeFormat('en', { month: 'short', year: 'numeric', timeZone: 'UTC' });
const MONTH = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' });

/** "July 2019" */
function monthName(key: string, form = MONTH): string {
  const at = Date.parse(`${key}-01T00:00:00Z`);
  return Number.isNaN(at) ? key : form.format(at);
}

/**
 * Within a year what has no month comes last, as the daemon sorts it: an unknown month is before January. What has no date
 * at all comes after everything.
 */
export function sectionsOf(months: Timeline, years: Timeline, length: number): Section[] {
  const byYear = new Map<string, { date: string; count: number }[]>();
  for (const each of months.buckets) {
    const year = each.date.slice(0, 4);
    byYear.set(year, [...(byYear.get(year) ?? []), each]);
  }
  const found: Section[] = [];
  let first = 0;
  const put = (key: string, label: string, year: string, count: number, short = label) => {
    // the list and its months were counted one after the other: neither may be longer than the other
    const number = Math.min(count, length - first);
    if (number <= 0) return;
    found.push({ key, label, short, year, first, count: number });
    first += number;
  };
  for (const { date: year, count } of [...years.buckets].sort((one, other) => (one.date < other.date ? 1 : -1))) {
    let left = count;
    for (const month of byYear.get(year) ?? []) {
      put(month.date, monthName(month.date), year, month.count, monthName(month.date, SHORT));
      left -= month.count;
    }
    put(year, `${year}, month unknown`, year, left, year);
  }
  put('', 'Without a date', '', length - first, 'No date');
  return found;
}

/** The sections of a question, asked anew with `turn`; one without a name until they are known. */
export function useSections(question: string, length: number, turn: unknown): Section[] {
  const { value: months } = useFetched<Timeline>('/timeline', { q: question, unit: 'month' }, turn);
  const { value: years } = useFetched<Timeline>('/timeline', { q: question, unit: 'year' }, turn);
  return useMemo(() => (months && years ? sectionsOf(months, years, length) : whole(length)), [months, years, length]);
}

/** Everything as one, without a heading. */
export function whole(length: number): Section[] {
  return length ? [{ key: '', label: '', year: '', first: 0, count: length }] : [];
}
