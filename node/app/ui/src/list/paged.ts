/** Lists of which the server tells a page at a time: artists, albums, genres. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get, type Parameters } from '../api';

const RETRY_MS = 3000;

export interface Paged<T> {
  all: readonly T[];
  /** whether there are more, or the first are still coming */
  more: boolean;
  wrong: ApiError | null;
  /** Asks for the next page; called by whoever draws one of the last. */
  next: () => void;
  /** Changes what is shown, before the server has. */
  patch: (change: (each: T) => T) => void;
}

interface State<T> {
  key: string;
  all: T[];
  cursor: string | null;
  wrong: ApiError | null;
}

/** @param name what the reply calls them; @param turn asked anew when it changes, while what is shown stays */
export function usePaged<T>(path: string, name: string, parameters: Parameters, turn: unknown = 0): Paged<T> {
  const key = path + JSON.stringify(parameters);
  const [state, setState] = useState<State<T>>({ key, all: [], cursor: '', wrong: null });
  const asking = useRef<AbortController | null>(null);
  const load = async (cursor: string, before: readonly T[]) => {
    asking.current?.abort();
    const abort = new AbortController();
    asking.current = abort;
    try {
      const reply = await get<Record<string, T[]> & { next: string | null }>(path, { limit: 200, ...parameters, cursor: cursor || undefined }, abort.signal);
      setState({ key, all: [...before, ...(reply[name] as T[])], cursor: reply.next, wrong: null });
    } catch (wrong) {
      if (wrong instanceof DOMException) return; // another was asked for
      if (!(wrong instanceof ApiError)) throw wrong;
      setState({ key, all: [...before], cursor: null, wrong });
    } finally {
      if (asking.current === abort) asking.current = null;
    }
  };
  useEffect(() => {
    void load('', []);
    return () => asking.current?.abort();
  }, [key, turn]);
  const current = state.key === key ? state : { ...state, all: [], cursor: '', wrong: null };
  return {
    all: current.all,
    more: current.cursor !== null,
    wrong: current.wrong,
    next: () => {
      if (current.cursor && !asking.current) void load(current.cursor, current.all);
    },
    patch: (change) => setState((before) => ({ ...before, all: before.all.map(change) })),
  };
}

/** One thing of the server's, asked anew when `turn` changes. */
export function useFetched<T>(path: string | null, parameters: Parameters = {}, turn: unknown = 0): { value: T | null; wrong: ApiError | null; again: () => void } {
  const key = path === null ? '' : path + JSON.stringify(parameters);
  const [state, setState] = useState<{ key: string; value: T | null; wrong: ApiError | null }>({ key, value: null, wrong: null });
  const [retry, setRetry] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    get<T>(path, parameters, abort.signal).then(
      (value) => setState({ key, value, wrong: null }),
      (wrong: unknown) => {
        if (wrong instanceof DOMException) return;
        if (!(wrong instanceof ApiError)) throw wrong;
        setState((before) => ({ key, value: before.key === key ? before.value : null, wrong }));
        // the server or the daemon is away: it is asked again until it is there
        if (wrong.status === 0 || wrong.status === 503) timer = setTimeout(() => setRetry((before) => before + 1), RETRY_MS);
      },
    );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, turn, retry]);
  const mine = state.key === key;
  return { value: mine ? state.value : null, wrong: mine ? state.wrong : null, again: () => setRetry(retry + 1) };
}

/** A value once it has rested: what costs the server more is asked only then. */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(() => value), milliseconds);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** The last value that was there: what is shown stays while the next is on its way, and nothing flickers with every letter. */
export function useLast<T>(value: T | null): T | null {
  const last = useRef(value);
  if (value !== null) last.current = value;
  return last.current;
}
