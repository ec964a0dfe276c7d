/** When lists are asked anew: something came, went, or changed that may belong to them. */
import { effect, signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { onChanges, status } from '../events';
import { report } from '../toasts';
import { Matches } from './source';

/** Rises when there may be other items or lists; at most every two seconds, so that a scan of a whole disk does not keep every list busy. */
export const reread = signal(0);
/** The same, and also when items were tagged, rated, starred: for questions that ask for that. */
const reworked = signal(0);

const WORK = new Set(['tagged', 'untagged', 'rated', 'starred', 'set', 'related']);
/** Changes rows, never which rows there are. */
const ROWS_ONLY = new Set(['played', 'bookmarked', 'unbookmarked', 'queued']);

let waiting = false;
let structure = false;
onChanges((changes) => {
  const told = changes.filter((each) => !ROWS_ONLY.has(each.action));
  if (!told.length) return;
  structure ||= told.some((each) => !WORK.has(each.action));
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    reworked.value += 1;
    if (structure) reread.value += 1;
    structure = false;
  }, 1500);
});

let connected = true;
effect(() => {
  const now = status.value.connected;
  // what was asked for while the daemon was away was refused
  if (now && !connected) queueMicrotask(() => {
    reworked.value += 1;
    reread.value += 1;
  });
  connected = now;
});

/** Whether what a question finds, or its order, hangs on a person's work. */
const personal = (question: string) => /tag|rating|star|play|collection|saved|user_|sort:|order by/i.test(question);

/**
 * What a question finds. When things have changed it is asked anew, and what is shown stays until the new answer is whole.
 * `onWrong` gets what is wrong with the question; default: a toast.
 */
export function useMatches(question: string, sort = '', onWrong: (wrong: unknown) => void = report): Matches {
  const following = personal(`${question} ${sort}`) ? reworked : reread;
  const turn = following.value;
  const [shown, setShown] = useState(() => new Matches(question, sort));
  const last = useRef(shown);
  useEffect(() => {
    const before = last.current;
    if (before.name === `${question} ${sort}` && turn === following.peek() && !started.has(before)) {
      started.add(before);
      before.complete.catch(onWrong);
      return;
    }
    const matches = new Matches(question, sort);
    started.add(matches);
    if (matches.name !== before.name) {
      before.close();
      last.current = matches;
      setShown(matches);
      matches.complete.catch(onWrong);
      return;
    }
    matches.complete.then(() => {
      last.current = matches;
      setShown(matches);
    }, onWrong);
    return () => {
      if (last.current !== matches) matches.close();
    };
  }, [question, sort, turn]);
  useEffect(() => () => last.current.close(), []);
  return shown;
}

/** Those whose end somebody waits for. */
const started = new WeakSet<Matches>();
