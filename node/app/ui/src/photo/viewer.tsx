/** One picture or film over the whole window: the neighbours by arrows or swipes, zoom, work by keys, a slide show. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { download, rate, toggleStar } from '../actions';
import { entriesFor, workKeys } from '../components/bar';
import { modal } from '../components/dialog';
import { openTags } from '../components/dialogs';
import { Icon, type IconName } from '../components/icons';
import { openMenuAt } from '../components/menu';
import { Stars } from '../components/stars';
import { FilmPlayer } from '../film/player';
import { titleOf } from '../format';
import { item } from '../items';
import { useKeys, type Shortcut } from '../keys';
import { mayWrite } from '../session';
import type { Item } from '../types';
import Details from '../views/details';
import { closeViewer, viewing } from './viewing';
import { useZoom } from './zoom';
import '../styles/viewer.css';
import '../styles/films.css';

const SLIDE_MS = 5000;
/** What browsers draw from the original itself, where a preview is too coarse. */
const DRAWN = new Set(['jpeg', 'jpg', 'png', 'webp', 'gif', 'avif', 'bmp']);

const dayOf = (date: string | undefined) => {
  if (!date) return '';
  const [, year = '', month, day] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?/.exec(date) ?? [];
  if (!year) return date;
  const at = new Date(Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1)));
  const form = day ? { dateStyle: 'medium' as const } : month ? { month: 'long' as const, year: 'numeric' as const } : { year: 'numeric' as const };
  const clock = /T(\d\d:\d\d)/.exec(date)?.[1];
  return [new Intl.DateTimeFormat('en', { ...form, timeZone: 'UTC' }).format(at), clock].filter(Boolean).join(', ');
};

export default function Viewer() {
  const shown = viewing.value;
  return shown ? <Open {...shown} /> : null;
}

function Open({ source, at, slides }: { source: { readonly length: number; id: (at: number) => string }; at: number; slides: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [info, setInfo] = useState(false);
  const [runs, setRuns] = useState(slides);
  const length = source.length;
  const place = Math.min(at, length - 1);
  const id = source.id(place);
  const of = item(id);
  const write = mayWrite.value;
  const go = (to: number) => {
    const next = Math.max(0, Math.min(length - 1, to));
    if (viewing.peek() && next !== place) viewing.value = { ...viewing.peek()!, at: next };
  };
  const zoom = useZoom({ onNext: () => go(place + 1), onPrevious: () => go(place - 1), onDown: closeViewer });
  useLayoutEffect(zoom.reset, [id]);

  // what is behind is out of reach for keys and readers, and has the focus again afterwards
  useEffect(() => {
    const back = document.activeElement;
    const shell = document.querySelector<HTMLElement>('.shell');
    if (shell) shell.inert = true;
    box.current?.focus();
    return () => {
      if (shell) shell.inert = false;
      if (back instanceof HTMLElement) back.focus({ preventScroll: true });
    };
  }, []);
  // neighbours are on their way before they are wanted
  useEffect(() => {
    for (const each of [source.id(place + 1), source.id(place - 1)]) {
      if (!each) continue;
      item(each);
      new Image().src = `./file/${each}/preview/1920`;
    }
  }, [id]);
  useEffect(() => {
    if (!runs || of?.kind === 'video') return;
    const timer = setTimeout(() => go(place + 1 < length ? place + 1 : 0), SLIDE_MS);
    return () => clearTimeout(timer);
  }, [runs, id, of?.kind]);

  const group = 'Viewer';
  const key = (keys: string, what: string, run: () => void): Shortcut => ({ keys, what, group, run: () => modal.peek() ?? run() });
  const size = () => box.current!.getBoundingClientRect();
  useKeys([
    key('ArrowRight', 'Next', () => go(place + 1)),
    key('ArrowLeft', 'Previous', () => go(place - 1)),
    key('Home', 'First', () => go(0)),
    key('End', 'Last', () => go(length - 1)),
    key('+ =', 'Larger', () => zoom.by(1.5, size())),
    key('-', 'Smaller', () => zoom.by(1 / 1.5, size())),
    key('z', 'Larger, and whole again', () => (zoom.view.scale > 1 ? zoom.reset() : zoom.by(2.5, size()))),
    key('s', 'Slide show', () => setRuns((was) => !was)),
    key('f', 'Full screen', full),
    key('i', 'What is known of it', () => setInfo((was) => !was)),
    key('Escape', 'Close', () => (document.querySelector('.menu-layer') ? undefined : closeViewer())),
    // the first that names a key has it
    ...workKeys(() => (modal.peek() ? [] : [id])),
  ]);
  function full(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void box.current?.requestFullscreen();
  }

  const button = (label: string, icon: IconName, run: (event: MouseEvent) => void, pressed?: boolean) => (
    <button class={icon === 'heart' ? 'icon heart' : 'icon'} aria-label={label} title={label} aria-pressed={pressed} onClick={run}>
      <Icon name={icon} filled={pressed && icon === 'heart' ? true : undefined} />
    </button>
  );
  return (
    <div ref={box} class={`viewer${runs ? ' slides' : ''}`} role="dialog" aria-modal="true" aria-label={of ? titleOf(of) : 'Picture'} tabIndex={-1} onKeyDown={(event) => inside(event, box.current!)}>
      <header>
        {button('Close', 'close', closeViewer)}
        <p class="says" aria-live="polite">
          <b>{of ? titleOf(of) : ' '}</b>
          <small>
            {[dayOf(of?.date), `${place + 1} of ${length}`].filter(Boolean).join(' · ')}
          </small>
        </p>
        {write && <Stars value={of?.rating} onRate={(value) => void rate([id], value)} />}
        {write && button(of?.starred ? 'Take the star away' : 'Star', 'heart', () => void toggleStar([id]), Boolean(of?.starred))}
        {write && button('Tags', 'tag', () => openTags([id]))}
        {button(runs ? 'End the slide show' : 'Slide show', runs ? 'pause' : 'play', () => setRuns(!runs), runs)}
        {button('Full screen', 'grow', full)}
        {button('Download', 'download', () => download([id]))}
        {button('Details', 'info', () => setInfo(!info), info)}
        {button('More', 'more', (event) => openMenuAt('What can be done', entriesFor([id]), event.currentTarget as Element))}
      </header>
      <div class="stage">
        {of?.kind === 'video' ? (
          <FilmPlayer key={id} id={id} start={of.bookmark?.position ?? 0} autoplay onEnd={() => runs && go(place + 1)} />
        ) : (
          <div class={zoom.view.scale > 1 ? 'canvas large' : 'canvas'} {...zoom.handlers}>
            <Picture key={id} id={id} of={of} scale={zoom.view.scale} x={zoom.view.x} y={zoom.view.y} />
          </div>
        )}
        {place > 0 && (
          <button class="turn back" aria-label="Previous" onClick={() => go(place - 1)}>
            <Icon name="back" />
          </button>
        )}
        {place + 1 < length && (
          <button class="turn on" aria-label="Next" onClick={() => go(place + 1)}>
            <Icon name="forth" />
          </button>
        )}
      </div>
      {info && <Details id={id} onClose={() => setInfo(false)} />}
    </div>
  );
}

/** Tab stays in the viewer, as in every dialog. */
function inside(event: KeyboardEvent, box: HTMLElement): void {
  if (event.key !== 'Tab' || event.defaultPrevented) return;
  const all = [...box.querySelectorAll<HTMLElement>('a[href], button:not(:disabled), input:not(:disabled), summary, [tabindex="0"]')].filter((each) => each.checkVisibility());
  const first = all[0];
  const last = all.at(-1);
  const here = document.activeElement;
  if (event.shiftKey && (here === first || here === box)) last?.focus();
  else if (!event.shiftKey && here === last) first?.focus();
  else return;
  event.preventDefault();
}

function Picture({ id, of, scale, x, y }: { id: string; of: Item | null | undefined; scale: number; x: number; y: number }) {
  const [state, setState] = useState<'coming' | 'here' | 'none'>('coming');
  const original = scale > 1.4 && DRAWN.has((of?.format ?? '').toLowerCase());
  const [sharp, setSharp] = useState(false);
  const style = { transform: `translate(${x}px, ${y}px) scale(${scale})` };
  if (of === null || state === 'none')
    return (
      <div class="no-picture">
        <Icon name={of?.kind === 'document' ? 'document' : of?.kind === 'audio' ? 'song' : 'image'} />
        <p>{of === null ? 'It is no longer there.' : `There is no picture of ${of?.name ?? 'it'} to be shown.`}</p>
        {of && (
          <p>
            <a class="button" href={`./file/${id}/download`} download>
              <Icon name="download" />
              Download it
            </a>
          </p>
        )}
      </div>
    );
  return (
    <>
      {state === 'coming' && <img class="coarse" src={`./file/${id}/preview/320`} alt="" style={style} draggable={false} />}
      <img
        class={state === 'here' ? 'fine' : 'fine coming'}
        src={`./file/${id}/preview/1920`}
        alt={of ? titleOf(of) : ''}
        style={style}
        draggable={false}
        onLoad={() => setState('here')}
        onError={() => setState('none')}
      />
      {original && (
        <img class={sharp ? 'fine' : 'fine coming'} src={`./file/${id}/stream`} alt="" style={style} draggable={false} onLoad={() => setSharp(true)} />
      )}
    </>
  );
}
