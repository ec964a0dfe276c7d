/** Menus: from a button, or at the pointer. WAI-ARIA Authoring Practices, "Menu and Menubar". */
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icons';

export interface Entry {
  label: string;
  icon?: IconName;
  /** a shortcut that does the same */
  keys?: string;
  danger?: boolean;
  run: () => void;
}

interface Open {
  label: string;
  entries: (Entry | null)[];
  x: number;
  y: number;
  back: Element | null;
}

const open = signal<Open | null>(null);

/** Opens a menu at a place of the window, in pixels; null among the entries is a line between. */
export function openMenu(label: string, entries: (Entry | null)[], at: { x: number; y: number }): void {
  open.value = { label, entries, ...at, back: document.activeElement };
}

/** The same below what was pressed. */
export function openMenuAt(label: string, entries: (Entry | null)[], element: Element): void {
  const { left, bottom } = element.getBoundingClientRect();
  openMenu(label, entries, { x: left, y: bottom + 4 });
}

function close(focus = true): void {
  const back = open.value?.back;
  open.value = null;
  if (focus && back instanceof HTMLElement) back.focus();
}

export function MenuLayer() {
  const shown = open.value;
  return shown ? <Menu key={`${shown.x},${shown.y}`} {...shown} /> : null;
}

function Menu({ label, entries, x, y }: Open) {
  const element = useRef<HTMLDivElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const menu = element.current!;
    const { width, height } = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
    menu.style.top = `${Math.max(8, y + height + 8 > innerHeight ? Math.min(y, innerHeight) - height - 4 : y)}px`;
    menu.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [x, y]);
  useEffect(() => {
    const gone = () => close(false);
    addEventListener('resize', gone);
    addEventListener('hashchange', gone);
    return () => {
      removeEventListener('resize', gone);
      removeEventListener('hashchange', gone);
    };
  }, []);
  const move = (by: number) => {
    const all = [...element.current!.querySelectorAll<HTMLElement>('[role=menuitem]')];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + by + all.length) % all.length]?.focus();
  };
  return (
    <div
      ref={layer}
      class="menu-layer"
      onPointerDown={(event) => {
        if (event.target === layer.current) close();
      }}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div
        ref={element}
        class="menu"
        role="menu"
        aria-label={label}
        onKeyDown={(event) => {
          const { key } = event;
          if (key === 'ArrowDown') move(1);
          else if (key === 'ArrowUp') move(-1);
          else if (key === 'Escape' || key === 'Tab') close();
          else if (key === 'Home' || key === 'End') {
            const all = element.current!.querySelectorAll<HTMLElement>('[role=menuitem]');
            all[key === 'Home' ? 0 : all.length - 1]?.focus();
          } else if (key !== 'Enter' && key !== ' ') return;
          else return event.stopPropagation();
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        {entries.map((each, at) =>
          each === null ? (
            <hr key={at} />
          ) : (
            <button
              key={at}
              role="menuitem"
              tabIndex={-1}
              class={each.danger ? 'danger' : ''}
              onClick={() => {
                close();
                each.run();
              }}
            >
              {each.icon ? <Icon name={each.icon} /> : <span class="i" />}
              <span>{each.label}</span>
              {each.keys && <kbd aria-hidden="true">{each.keys}</kbd>}
            </button>
          ),
        )}
      </div>
    </div>
  );
}
