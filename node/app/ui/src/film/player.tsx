/**
 * A film: the original where the browser plays it, else the same pictures in another container (`format=remux`), which is
 * made as it is sent: it is begun anew at another time instead of being sought in.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, change } from '../api';
import { Icon } from '../components/icons';
import { clock, titleOf } from '../format';
import { item, patch, peek } from '../items';
import { playing } from '../player/queue';
import { setVolume, volume } from '../player/sound';
import { useFetched } from '../list/paged';
import { useKeys } from '../keys';
import { mayWrite, session } from '../session';
import { report } from '../toasts';
import type { FullItem } from '../types';

/** Where one is, is kept this often, seconds of the film. */
const KEEP_EVERY = 10;
/** A film is seen to its end when less than this part of it, or so many seconds, are left. */
const REST = 0.05;
const REST_SECONDS = 30;

interface Props {
  id: string;
  /** seconds */
  start?: number;
  autoplay?: boolean;
  onEnd?: () => void;
}

type Form = 'asking' | 'direct' | 'remux' | 'none';

/** Codecs as the vocabulary names them -> as browsers do (RFC 6381). Others are left to the browser to try. */
const SOUND: Record<string, string> = { ac3: 'ac-3', eac3: 'ec-3', dts: 'dtsc', truehd: 'mlpa', mlp: 'mlpa', alac: 'alac', wmav2: 'wma', wmav1: 'wma', pcm_s16le: 'sowt', pcm_s24le: 'lpcm' };

/** Whether the browser would show the pictures and leave out the sound: it says nothing of that itself. */
function silent(fields: FullItem['fields']): boolean {
  const codec = SOUND[String(fields?.audio_codec ?? '').toLowerCase()];
  return codec !== undefined && document.createElement('audio').canPlayType(`audio/mp4; codecs="${codec}"`) === '';
}

/** Keeps where one is, or takes it away at the end. Quietly: it is a help, and the next keeps it too. */
async function keepPlace(id: string, position: number, duration: number): Promise<void> {
  if (!mayWrite.peek()) return;
  const rest = Math.min(duration * REST, REST_SECONDS);
  const over = duration > 0 && position >= duration - rest;
  try {
    if (over) {
      if (peek(id)?.bookmark) await change('DELETE', `/file/${id}/bookmark`);
      const { bookmark: _, ...without } = peek(id) ?? ({} as never);
      patch([id], () => ({ ...without, bookmark: undefined }) as never);
    } else if (position > 5) {
      await change('PUT', `/file/${id}/bookmark`, { position: Math.round(position * 10) / 10 });
      patch([id], () => ({ bookmark: { position } }));
    }
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    if (wrong.status !== 0 && wrong.status !== 503) report(wrong);
  }
}

/** Why the server cannot make another form of it, or null: then it is the browser that takes neither. */
async function refusalOf(address: string): Promise<string | null> {
  const abort = new AbortController();
  try {
    const response = await fetch(address, { signal: abort.signal });
    if (response.ok) return null;
    return (await response.json()).error.message;
  } catch (wrong) {
    if (!(wrong instanceof TypeError || wrong instanceof SyntaxError)) throw wrong;
    return 'The server cannot be reached';
  } finally {
    abort.abort();
  }
}

export function FilmPlayer({ id, start = 0, autoplay = false, onEnd }: Props) {
  const of = item(id);
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [form, setForm] = useState<Form>('asking');
  /** of the film: where what is loaded begins */
  const [offset, setOffset] = useState(0);
  const [time, setTime] = useState(start);
  const [runs, setRuns] = useState(false);
  const [waits, setWaits] = useState(autoplay);
  const [wrong, setWrong] = useState('');
  const [length, setLength] = useState(of?.duration ?? 0);
  const wanted = useRef(autoplay);
  const saved = useRef(start);
  const played = useRef(false);
  const at = useRef(start);
  const whole = of?.duration ?? length;

  const { value: known, wrong: refused } = useFetched<FullItem>(`/file/${id}`);
  useEffect(() => {
    if (form !== 'asking' || (!known && !refused)) return;
    const remux = session.peek()?.features.transcode.includes('remux') && silent(known?.fields);
    if (remux) setOffset(at.current);
    setForm(remux ? 'remux' : 'direct');
  }, [known, refused]);

  const source = form === 'direct' ? `./file/${id}/stream` : `./file/${id}/stream?format=remux&timeOffset=${offset.toFixed(1)}`;
  useEffect(() => {
    const element = video.current;
    if (!element || form === 'none' || form === 'asking') return;
    element.src = source;
    if (wanted.current) element.play().catch(blocked);
    return () => {
      element.removeAttribute('src'); // ends the transfer, and ffmpeg with it
      element.load();
    };
  }, [source, form]);
  useEffect(
    () => () => {
      if (at.current !== saved.current) void keepPlace(id, at.current, peek(id)?.duration ?? 0);
    },
    [id],
  );
  useEffect(() => {
    if (video.current) video.current.volume = volume.value;
  }, [volume.value]);

  function blocked(refusal: unknown): void {
    // begun without a press, or taken back by the next source: the button is there
    if (!(refusal instanceof DOMException)) throw refusal;
    wanted.current = false;
    setWaits(false);
  }
  const toggle = () => {
    const element = video.current;
    if (!element) return;
    if (form === 'asking') {
      wanted.current = true;
      return setWaits(true);
    }
    wanted.current = element.paused;
    if (element.paused) element.play().catch(blocked);
    else element.pause();
  };
  const seek = (to: number) => {
    const place = Math.max(0, Math.min(whole || Infinity, to));
    at.current = place;
    setTime(place);
    const element = video.current;
    if (!element) return;
    if (form === 'direct') element.currentTime = place;
    else if (form === 'remux') {
      wanted.current = !element.paused;
      setWaits(wanted.current);
      setOffset(place);
    }
  };
  const fail = async () => {
    if (!video.current?.getAttribute('src')) return;
    if (form !== 'remux') {
      if (!session.peek()?.features.transcode.includes('remux')) return stop('This browser does not play the film as it is, and the server makes no other form of it.');
      setOffset(at.current);
      setForm('remux');
      return;
    }
    const refusal = await refusalOf(source);
    stop(refusal ? `This browser does not play the film as it is, and: ${refusal}.` : 'This browser does not play the pictures of this film in any form.');
  };
  const stop = (text: string) => {
    setForm('none');
    setWaits(false);
    setRuns(false);
    setWrong(text);
  };
  const ended = () => {
    void keepPlace(id, whole, whole);
    saved.current = at.current;
    onEnd?.();
  };

  const group = 'Film';
  useKeys([
    { keys: 'Space k', what: 'Play, pause', group, run: toggle },
    { keys: 'j Shift+ArrowLeft', what: '10 s back', group, run: () => seek(at.current - 10) },
    { keys: 'Shift+ArrowRight', what: '10 s on', group, run: () => seek(at.current + 10) },
  ]);
  const full = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void frame.current?.requestFullscreen();
  };

  if (form === 'none')
    return (
      <div class="film-player none">
        <Icon name="film" />
        <p role="alert">{wrong}</p>
        <p>
          <a class="button" href={`./file/${id}/download`} download>
            <Icon name="download" />
            Download it
          </a>
        </p>
        <p class="faint">A player on this device takes its address too: mpv, VLC.</p>
      </div>
    );
  return (
    <div ref={frame} class={`film-player${runs ? ' runs' : ''}`} tabIndex={0} role="group" aria-label={of ? `Film: ${titleOf(of)}` : 'Film'}>
      <video
        ref={video}
        playsInline
        preload="metadata"
        poster={`./file/${id}/preview/1280`}
        onClick={toggle}
        onPlay={() => {
          playing.value = false; // one sound at a time
          setRuns(true);
        }}
        onPause={() => {
          setRuns(false);
          if (!video.current?.ended) {
            saved.current = at.current;
            void keepPlace(id, at.current, whole);
          }
        }}
        onWaiting={() => setWaits(true)}
        onPlaying={() => setWaits(false)}
        onCanPlay={() => setWaits(false)}
        onLoadedMetadata={(event) => {
          const element = event.currentTarget;
          if (form === 'direct') {
            setLength(element.duration);
            if (at.current > 0) element.currentTime = at.current;
            // a container it knows with pictures it does not: sound alone, and no picture
            if (of?.width && !element.videoWidth) void fail();
          }
        }}
        onTimeUpdate={(event) => {
          const element = event.currentTarget;
          if (!element.getAttribute('src') || element.readyState < 2) return;
          at.current = element.currentTime + (form === 'remux' ? offset : 0);
          setTime(at.current);
          if (element.paused) return;
          if (!played.current && mayWrite.peek() && at.current - start > Math.min(30, whole * 0.2)) {
            played.current = true;
            change('POST', `/file/${id}/play`, {}).catch(report);
          }
          if (Math.abs(at.current - saved.current) >= KEEP_EVERY) {
            saved.current = at.current;
            void keepPlace(id, at.current, whole);
          }
        }}
        onEnded={ended}
        onError={() => void fail()}
      />
      {waits && <span class="film-waits" role="status" aria-label="Loading" />}
      {!runs && !waits && (
        <button class="film-begin" aria-label="Play" onClick={toggle}>
          <Icon name="play" />
        </button>
      )}
      <div class="film-bar">
        <button class="icon" aria-label={runs ? 'Pause' : 'Play'} onClick={toggle}>
          <Icon name={runs ? 'pause' : 'play'} />
        </button>
        <span class="film-time">{clock(time)}</span>
        <input
          type="range"
          aria-label="Place in the film"
          aria-valuetext={`${clock(time)} of ${clock(whole)}`}
          min={0}
          max={Math.max(1, whole)}
          step={0.1}
          value={time}
          onInput={(event) => {
            at.current = Number(event.currentTarget.value);
            setTime(at.current);
            if (form === 'direct' && video.current) video.current.currentTime = at.current;
          }}
          onChange={(event) => seek(Number(event.currentTarget.value))}
        />
        <span class="film-time">{clock(whole)}</span>
        <input
          class="film-volume"
          type="range"
          aria-label="Volume"
          min={0}
          max={1}
          step={0.05}
          value={volume.value}
          onInput={(event) => setVolume(Number(event.currentTarget.value))}
        />
        <button class="icon" aria-label="Full screen" onClick={full}>
          <Icon name="grow" />
        </button>
      </div>
    </div>
  );
}
