/** When lists are asked anew: something came, went, or changed that may belong to them. */
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { onChanges } from '../events';
import { report } from '../toasts';
import { Matches } from './source';

/** Rises at most every two seconds, so that a scan of a whole disk does not keep every list busy. */
export const reread = signal(0);

/** Actions that change what is in the library; a rating or play changes rows, not which there are. */
const ROWS_ONLY = new Set(['rate', 'unrate', 'star', 'unstar', 'play', 'bookmark', 'queue']);

let waiting = false;
onChanges((changes) => {
  if (waiting || changes.every((each) => ROWS_ONLY.has(each.action))) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    reread.value += 1;
  }, 2000);
});

/**
 * What a question finds. When things have changed it is asked anew, and what is shown stays until the new answer is whole.
 * `onWrong` gets what is wrong with the question; default: a toast.
 */
export function useMatches(question: string, sort = '', onWrong: (wrong: unknown) => void = report): Matches {
  const turn = reread.value;
  const [shown, setShown] = useState(() => new Matches(question, sort));
  const last = useRef(shown);
  useEffect(() => {
    const before = last.current;
    if (before.name === `${question} ${sort}` && turn === reread.peek() && !started.has(before)) {
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
