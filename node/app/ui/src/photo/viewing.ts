/** What the viewer shows. The viewer itself is loaded when it is first wanted (photo/viewer.tsx). */
import { signal } from '@preact/signals';
import type { Source } from '../list/source';

export const viewing = signal<{ source: Source; at: number; slides: boolean } | null>(null);

/**
 * Opens the viewer over whatever is shown. It is a step of the browser's history, so that the back button of a phone closes it.
 */
export function openViewer(source: Source, at: number, slides = false): void {
  if (!viewing.peek()) history.pushState({ viewer: true }, '', location.href);
  viewing.value = { source, at, slides };
}

/** It is closed at once; its step of the history goes a moment later, and must not close one that is opened meanwhile. */
export function closeViewer(): void {
  if (!viewing.peek()) return;
  viewing.value = null;
  if (!history.state?.viewer) return;
  leaving = true;
  history.back();
}

let leaving = false;
addEventListener('popstate', () => {
  if (leaving) leaving = false;
  else viewing.value = null;
});
addEventListener('hashchange', () => {
  viewing.value = null; // a link in it led elsewhere
});
