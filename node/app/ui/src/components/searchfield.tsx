/** The search field: asks while one types, completes words of the question, points at mistakes. WAI-ARIA APG, "Combobox". */
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get } from '../api';
import { asked, go, href, place } from '../router';
import type { Suggestion } from '../types';
import { Icon } from './icons';

/** Typing rests so long before it is asked. */
const REST_MS = 180;

/** Where the present question is mistaken; set by the search view. */
export const mistake = signal<ApiError | null>(null);

export function SearchField() {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(asked.peek());
  const [offers, setOffers] = useState<Suggestion[]>([]);
  const [at, setAt] = useState(-1);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const abort = useRef<AbortController | undefined>(undefined);

  const searching = place.value.parts[0] === 'search';
  useEffect(() => {
    // the address changed by a link or by going back
    if (document.activeElement !== input.current) setText(searching ? asked.value : '');
  }, [asked.value, searching]);

  const show = (value: string) => {
    if (!value.trim() && !searching) return;
    go(href(['search'], { q: value, ...(searching ? { kind: place.peek().query.get('kind') } : {}) }), searching);
  };
  // the server counts code points, a field UTF-16 units
  const complete = async (value: string, caret: number) => {
    const letters = Array.from(value);
    const units = (points: number) => letters.slice(0, points).join('').length;
    abort.current?.abort();
    abort.current = new AbortController();
    try {
      const found = await get<{ suggestions: Suggestion[] }>('/complete', { q: value, at: Array.from(value.slice(0, caret)).length }, abort.current.signal);
      const offered = found.suggestions.map((each) => ({ ...each, start: units(each.start), end: units(each.end) }));
      setOffers(offered.filter((each) => value.slice(each.start, each.end) !== each.text).slice(0, 7));
      setAt(-1);
    } catch (wrong) {
      // a help only: the question itself says what is wrong
      if (!(wrong instanceof ApiError) && !(wrong instanceof DOMException)) throw wrong;
      setOffers([]);
    }
  };
  const type = (value: string, caret: number) => {
    setText(value);
    mistake.value = null;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      show(value);
      if (value.trim()) void complete(value, caret);
      else setOffers([]);
    }, REST_MS);
  };
  const take = (offer: Suggestion) => {
    const value = text.slice(0, offer.start) + offer.text + text.slice(offer.end);
    const caret = offer.start + offer.text.length;
    type(value, caret);
    setOffers([]);
    requestAnimationFrame(() => input.current?.setSelectionRange(caret, caret));
  };
  const close = () => {
    abort.current?.abort();
    setOffers([]);
  };

  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label="Search everything"
        placeholder="Search everything"
        aria-expanded={offers.length > 0}
        aria-controls="search-offers"
        aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `search-offer-${at}` : undefined}
        aria-invalid={mistake.value ? true : undefined}
        enterkeyhint="search"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={1000}
        value={text}
        onInput={(event) => type(event.currentTarget.value, event.currentTarget.selectionStart ?? 0)}
        onBlur={close}
        onKeyDown={(event) => {
          const { key } = event;
          if (key === 'ArrowDown' && offers.length) setAt(Math.min(at + 1, offers.length - 1));
          else if (key === 'ArrowUp' && offers.length) setAt(Math.max(at - 1, -1));
          else if ((key === 'Tab' || key === 'Enter') && offers[at]) take(offers[at]);
          else if (key === 'Enter') {
            clearTimeout(timer.current);
            close();
            show(text);
          } else if (key === 'Escape') {
            if (offers.length) close();
            else if (text) type('', 0);
            else input.current?.blur();
          } else return;
          event.preventDefault();
        }}
      />
      {text && (
        <button
          class="icon small"
          aria-label="Clear the search"
          onClick={() => {
            type('', 0);
            input.current?.focus();
          }}
        >
          <Icon name="close" />
        </button>
      )}
      <kbd class="hint" aria-hidden="true">
        Ctrl K
      </kbd>
      <ul id="search-offers" role="listbox" aria-label="Completions" hidden={!offers.length}>
        {offers.map((each, index) => (
          <li
            key={each.text}
            id={`search-offer-${index}`}
            role="option"
            aria-selected={index === at}
            onPointerDown={(event) => {
              event.preventDefault();
              take(each);
            }}
          >
            <b>{each.text}</b>
            <small>{each.what}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
