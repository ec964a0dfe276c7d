/** Zoom and pan of one picture by wheel, pinch, double press and drag; swipes where it is not enlarged. */
import { useRef, useState } from 'preact/hooks';

export interface View {
  scale: number;
  /** pixels from the middle */
  x: number;
  y: number;
}

const MOST = 12;
const SWIPE = 60;
const WHOLE: View = { scale: 1, x: 0, y: 0 };

interface Turns {
  onNext: () => void;
  onPrevious: () => void;
  onDown: () => void;
}

/** Enlarges about a point so that what is there stays there. `at` is relative to the middle of the box. */
export function zoomed(view: View, factor: number, at: { x: number; y: number }, box: { width: number; height: number }): View {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  const ratio = scale / view.scale;
  return held({ scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio }, box);
}

/** Keeps the picture within reach. */
function held(view: View, { width, height }: { width: number; height: number }): View {
  if (view.scale <= 1.001) return WHOLE;
  const far = (size: number) => (size * (view.scale - 1)) / 2;
  return { scale: view.scale, x: Math.max(-far(width), Math.min(far(width), view.x)), y: Math.max(-far(height), Math.min(far(height), view.y)) };
}

export function useZoom({ onNext, onPrevious, onDown }: Turns) {
  const [view, setView] = useState<View>(WHOLE);
  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const from = useRef<{ x: number; y: number; type: string } | null>(null);
  const last = useRef(0);
  const boxOf = (event: Event) => (event.currentTarget as HTMLElement).getBoundingClientRect();
  const middle = (event: MouseEvent, box: DOMRect) => ({ x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 });
  return {
    view,
    reset: () => setView(WHOLE),
    by: (factor: number, box: { width: number; height: number }) => setView((was) => zoomed(was, factor, { x: 0, y: 0 }, box)),
    handlers: {
      onWheel: (event: WheelEvent) => {
        event.preventDefault();
        const box = boxOf(event);
        const at = middle(event, box);
        setView((was) => zoomed(was, Math.exp(-event.deltaY / 400), at, box));
      },
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0) return;
        (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
        fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
        from.current = fingers.current.size === 1 ? { x: event.clientX, y: event.clientY, type: event.pointerType } : null;
      },
      onPointerMove: (event: PointerEvent) => {
        const before = fingers.current.get(event.pointerId);
        if (!before) return;
        const box = boxOf(event);
        const now = { x: event.clientX, y: event.clientY };
        const others = [...fingers.current].filter(([id]) => id !== event.pointerId).map(([, each]) => each);
        fingers.current.set(event.pointerId, now);
        if (others[0]) {
          const apart = (one: { x: number; y: number }) => Math.hypot(one.x - others[0]!.x, one.y - others[0]!.y);
          const at = middle(event, box);
          if (apart(before) > 0) setView((was) => zoomed(was, apart(now) / apart(before), at, box));
        } else setView((was) => held({ scale: was.scale, x: was.x + now.x - before.x, y: was.y + now.y - before.y }, box));
      },
      onPointerUp: (event: PointerEvent) => {
        fingers.current.delete(event.pointerId);
        const begun = from.current;
        from.current = null;
        if (!begun || view.scale > 1) return;
        const x = event.clientX - begun.x;
        const y = event.clientY - begun.y;
        if (Math.abs(x) > SWIPE && Math.abs(x) > Math.abs(y)) {
          if (x < 0) onNext();
          else onPrevious();
        } else if (y > SWIPE * 1.5 && begun.type === 'touch') onDown();
      },
      onPointerCancel: (event: PointerEvent) => {
        fingers.current.delete(event.pointerId);
        from.current = null;
      },
      // two presses at one place; dblclick does not come from fingers everywhere
      onClick: (event: MouseEvent) => {
        const box = boxOf(event);
        const at = middle(event, box);
        const twice = event.timeStamp - last.current < 320;
        last.current = twice ? 0 : event.timeStamp;
        if (twice) setView((was) => (was.scale > 1 ? WHOLE : zoomed(was, 2.5, at, box)));
      },
    },
  };
}
