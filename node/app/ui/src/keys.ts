/** Keyboard shortcuts: said where they are used, shown all together by `?`. */
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';

export interface Shortcut {
  /** as KeyboardEvent.key, with Ctrl+, Alt+, Shift+ before; Ctrl is Cmd on a Mac. Several by a space. */
  keys: string;
  what: string;
  group: string;
  run: (event: KeyboardEvent) => void;
  /** also while a field is being typed in */
  always?: boolean;
}

const stack: { current: Shortcut[] }[] = [];
/** Rises when the shortcuts change, for the sheet. */
export const changed = signal(0);

/** Shortcuts while a component is shown; those of the last one shown win. */
export function useKeys(shortcuts: Shortcut[]): void {
  const held = useRef(shortcuts);
  held.current = shortcuts;
  // as soon as it is shown or gone: the next key is for what is seen
  useLayoutEffect(() => {
    stack.push(held);
    changed.value += 1;
    return () => {
      stack.splice(stack.indexOf(held), 1);
      changed.value += 1;
    };
  }, []);
}

/** All that hold now, those of the place before the general ones, by group. */
export function shortcuts(): Map<string, Shortcut[]> {
  const groups = new Map<string, Shortcut[]>();
  const seen = new Set<string>();
  for (const { current } of [...stack].reverse())
    for (const each of current) {
      if (seen.has(each.keys)) continue;
      seen.add(each.keys);
      groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
    }
  return groups;
}

function nameOf(event: KeyboardEvent): string {
  const ctrl = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  const alt = event.altKey ? 'Alt+' : '';
  const key = event.key === ' ' ? 'Space' : event.key;
  // Shift is said only where the key itself does not change: Shift+ArrowDown, but "?"
  const shift = event.shiftKey && (key.length > 1 || ctrl) ? 'Shift+' : '';
  return ctrl + alt + shift + (ctrl && key.length === 1 ? key.toUpperCase() : key);
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type);
}

/** What the keys of a control are for itself: a range moves by arrows, a button is pressed by space. */
function ownKey(event: KeyboardEvent): boolean {
  const { target, key } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && target.type === 'range') return /^(Arrow|Home|End|Page)/.test(key);
  const pressed = target.closest('button, a, summary, [role=menuitem], [role=tab], [role=slider]');
  return Boolean(pressed) && (key === ' ' || key === 'Enter');
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOf(event);
  const busy = typing(event.target);
  const dialog = document.querySelector('dialog[open]');
  for (const { current } of [...stack].reverse())
    for (const each of current) {
      if (!each.keys.split(' ').includes(name)) continue;
      if ((busy || ownKey(event)) && !each.always) continue;
      if (dialog && !each.always && !dialog.contains(event.target as Node)) continue;
      event.preventDefault();
      each.run(event);
      return;
    }
});
