/** The page: who is here, what is shown, and around it the shell that stays. */
import { effect, signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { ApiError, reachable, refused } from './api';
import { SelectionBar } from './components/bar';
import { Modal } from './components/dialog';
import { MenuLayer } from './components/menu';
import { Banner } from './components/banner';
import { closeDetails, detailed } from './details';
import { follow, status, unfollow } from './events';
import { Loading, Problem } from './components/states';
import { entries } from './player/queue';
import { Extras } from './extras';
import { useModule } from './module';
import { place } from './router';
import { routes, type Route, type ViewProps } from './routes';
import { isAdmin, loadSession, mayRead, roots, session } from './session';
import { Shell } from './shell';
import { Toasts } from './toasts';

const problem = signal<ApiError | null>(null);

async function begin(): Promise<void> {
  try {
    await loadSession();
    problem.value = null;
    // who this is only the daemon knows
    if (!mayRead.peek() && !session.peek()?.daemon.connected) throw new ApiError(503, 'unavailable', 'mediad is not running, or is just starting');
    if (mayRead.peek()) {
      status.value = { connected: session.peek()?.daemon.connected ?? true };
      follow();
      const { resume } = await import('./player/saved');
      await resume();
    }
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    problem.value = wrong;
    setTimeout(begin, 2000); // the server comes up, or a person starts it: no reload is needed
  }
}

effect(() => {
  const route = routeOf(place.value.parts[0] ?? '');
  document.title = route ? `${route.title} · mediadb` : 'mediadb';
});

function routeOf(name: string): Route | undefined {
  return routes.find((each) => each.name === name);
}

const login = () => import('./views/login');
const first = () => import('./views/first');
const player = () => import('./player/player');
const details = () => import('./views/details');

export function App() {
  useEffect(() => void begin(), []);
  useEffect(
    () =>
      refused.subscribe((times) => {
        if (times && session.peek()?.role) {
          unfollow();
          void begin();
        }
      }),
    [],
  );
  const found = session.value;
  let content;
  if (!found) content = problem.value ? <Problem wrong={problem.value} /> : <Loading />;
  else if (!mayRead.value) content = problem.value ? <Problem wrong={problem.value} /> : <Lazy load={login} />;
  else if (roots.value?.length === 0 && isAdmin.value && place.value.parts.length === 0) content = <Shelled load={first} />;
  else content = <View />;
  return (
    <>
      {content}
      {mayRead.value && <Extras />}
      <Toasts />
      <Modal />
      <MenuLayer />
    </>
  );
}

type Loaded<P> = { default: ComponentType<P> } | ApiError | null;

/** The component of a module, while it is there. */
function partOf<P>(module: Loaded<P>): ComponentType<P> | null {
  return module && 'default' in module ? module.default : null;
}

function Absent({ module }: { module: Loaded<never> | Loaded<ViewProps> | Loaded<object> }) {
  return module instanceof ApiError ? <Problem wrong={module} onRetry={() => location.reload()} /> : <Loading />;
}

function Lazy({ load }: { load: () => Promise<{ default: ComponentType }> }) {
  const module = useModule(load);
  const Part = partOf(module);
  return Part ? <Part /> : <Absent module={module} />;
}

function Shelled({ load }: { load: () => Promise<{ default: ComponentType }> }) {
  return (
    <Shell>
      <Lazy load={load} />
    </Shell>
  );
}

function View() {
  const { parts } = place.value;
  const route = routeOf(parts[0] ?? '');
  const module = useModule(route?.load);
  const panel = useModule(detailed.value ? details : undefined);
  const bar = useModule(entries.value.length ? player : undefined);
  const Shown = partOf(module);
  const Panel = partOf(panel);
  const Bar = partOf(bar);
  const rest = parts.slice(1);
  return (
    <Shell
      player={Bar && <Bar />}
      panel={Panel && detailed.value ? <Panel id={detailed.value} onClose={closeDetails} /> : null}
      banner={<Banner reachable={reachable.value} />}
      bar={<SelectionBar />}
    >
      {!route ? (
        <div class="empty">
          <h1>There is no such page</h1>
          <p>
            <a href="#/">To the start</a>
          </p>
        </div>
      ) : Shown ? (
        <Shown key={parts.join('/')} parts={rest} />
      ) : (
        <Absent module={module} />
      )}
    </Shell>
  );
}
