/** What stays around every view: navigation, the search field, the player's place. */
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { HelpSheet } from './components/help';
import { closeModal, modal } from './components/dialog';
import { Icon } from './components/icons';
import { openMenuAt, type Entry } from './components/menu';
import { SearchField } from './components/searchfield';
import { jobs, status } from './events';
import { useKeys } from './keys';
import { go, href, place } from './router';
import { LETTERS, routes, type Route } from './routes';
import { isAdmin, logout, mayOrganise, mayWrite, session } from './session';
import { theme, type Theme } from './theme';
import { report, undo, undoable } from './toasts';

interface Props {
  children: ComponentChildren;
  player?: ComponentChildren;
  panel?: ComponentChildren;
  banner?: ComponentChildren;
  bar?: ComponentChildren;
}

/** Whether this person may go there. */
function allowed(route: Route): boolean {
  if (route.role === 'admin') return isAdmin.value;
  if (route.role === 'organise') return mayOrganise.value;
  return route.role !== 'write' || mayWrite.value;
}

export function Shell({ children, player, panel, banner, bar }: Props) {
  const main = useRef<HTMLElement>(null);
  const pending = useRef(0);
  useKeys([
    {
      keys: 'Ctrl+K /',
      what: 'Search',
      group: 'Everywhere',
      run: () => document.querySelector<HTMLInputElement>('.search input')?.focus(),
    },
    { keys: '?', what: 'This sheet', group: 'Everywhere', run: openHelp },
    {
      keys: 'Ctrl+Z',
      what: 'Take back what was done last',
      group: 'Everywhere',
      run: () => {
        const last = undoable.peek();
        if (last) void undo(last.operation, last.text);
      },
    },
    {
      keys: 'g',
      what: 'Go: then a artists, b albums, s songs, g genres, f folders, l playlists, p photos, v films, d documents, h start',
      group: 'Everywhere',
      run: () => {
        pending.current = performance.now();
        addEventListener('keydown', second, { capture: true, once: true });
      },
    },
  ]);
  function second(event: KeyboardEvent): void {
    if (performance.now() - pending.current > 1500 || event.ctrlKey || event.metaKey) return;
    const name = LETTERS[event.key];
    if (name === undefined || !routes.some((each) => each.name === name)) return;
    event.preventDefault();
    event.stopPropagation();
    go(href([name].filter(Boolean)));
  }

  return (
    <div class={`shell${player ? ' has-player' : ''}${panel ? ' has-panel' : ''}`}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        To the content
      </a>
      <nav class="side" aria-label="Library">
        <a class="brand" href="#/">
          <img src="./icon.svg" alt="" width="28" height="28" />
          <span>mediadb</span>
        </a>
        <Navigation />
        <Activity />
      </nav>
      <header class="top">
        <SearchField />
        <Person />
      </header>
      {banner}
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      {panel}
      {bar}
      {player}
      <Tabs />
    </div>
  );
}

const GROUPS = ['Library', 'Music', 'Pictures and films', 'Lists', 'Care'] as const;

function Navigation() {
  const here = place.value.parts[0] ?? '';
  return (
    <div class="groups">
      {GROUPS.map((group) => {
        const inside = routes.filter((each) => each.group === group && allowed(each));
        if (!inside.length) return null;
        return (
          <section key={group}>
            <h2>{group}</h2>
            <ul>
              {inside.map((each) => (
                <li key={each.name}>
                  <a href={href([each.name].filter(Boolean))} aria-current={each.name === here ? 'page' : undefined}>
                    <Icon name={each.icon ?? 'list'} />
                    <span>{each.title}</span>
                  </a>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

/** Tabs of a phone: the views marked so, and the rest behind the last. */
function Tabs() {
  const here = place.value.parts[0] ?? '';
  const [open, setOpen] = useState(false);
  const tabs = routes.filter((each) => each.tab && allowed(each)).slice(0, 4);
  return (
    <nav class="tabs" aria-label="Main">
      {tabs.map((each) => (
        <a
          key={each.name}
          href={href([each.name].filter(Boolean))}
          aria-current={each.name === here ? 'page' : undefined}
          onClick={() => setOpen(false)}
        >
          <Icon name={each.icon ?? 'list'} />
          <span>{each.title}</span>
        </a>
      ))}
      <button aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="menu" />
        <span>More</span>
      </button>
      {open && (
        <div class="sheet" onClick={() => setOpen(false)}>
          <Navigation />
        </div>
      )}
    </nav>
  );
}

/** What the daemon and the server are at, in the side bar. */
function Activity() {
  const running = Object.values(jobs.value).filter((each) => each.state === 'running');
  const pending = Number(status.value.pending ?? 0);
  const scan = status.value.scans?.length;
  if (!running.length && !pending && !scan) return null;
  const first = running[0];
  const part = first?.total ? (first.done ?? 0) / first.total : undefined;
  return (
    <div class="activity" role="status">
      <span>
        {first
          ? `${{ upload: 'Upload', move: 'Move', scan: 'Scan', duplicates: 'Duplicates' }[first.what]}${running.length > 1 ? ` and ${running.length - 1} more` : ''}`
          : pending
            ? `${pending.toLocaleString('en')} files to be read`
            : 'Looking through folders'}
      </span>
      <progress max={1} value={part} aria-label="Progress" />
    </div>
  );
}

export function openHelp(): void {
  modal.value = () => <HelpSheet onClose={closeModal} />;
}

const THEMES: Record<Theme, string> = { auto: 'As the system', light: 'Light', dark: 'Dark' };

function Person() {
  const found = session.value;
  const choose = (event: MouseEvent) => {
    const entries: (Entry | null)[] = (Object.keys(THEMES) as Theme[]).map((each) => ({
      label: `Theme: ${THEMES[each]}${theme.peek() === each ? ' ✓' : ''}`,
      icon: each === 'dark' ? 'moon' : each === 'light' ? 'sun' : 'settings',
      run: () => {
        theme.value = each;
      },
    }));
    entries.push(null, { label: 'Keyboard shortcuts', icon: 'keyboard', keys: '?', run: openHelp });
    if (routes.some((each) => each.name === 'settings'))
      entries.push({ label: 'Settings', icon: 'settings', run: () => go('#/settings') });
    if (found?.user) entries.push(null, { label: 'Log out', icon: 'lock', run: () => void logout().catch(report) });
    openMenuAt('You', entries, event.currentTarget as Element);
  };
  const name = found?.user?.name;
  return (
    <button class="person" aria-haspopup="menu" aria-label={name ? `${name}: theme, settings, log out` : 'Theme, settings'} onClick={choose}>
      {name ? <span aria-hidden="true">{name.slice(0, 1).toUpperCase()}</span> : <Icon name="user" />}
    </button>
  );
}
