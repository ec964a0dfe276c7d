/** Short messages at the edge of the page, with what takes the matter back. */
import { signal } from '@preact/signals';
import { ApiError, change, uuid } from './api';
import { Icon } from './components/icons';

interface Toast {
  id: string;
  text: string;
  wrong: boolean;
  action?: { label: string; run: () => void };
}

const toasts = signal<Toast[]>([]);
/** The last thing done here that can be taken back, for Ctrl-Z. */
export const undoable = signal<{ operation: string; text: string } | null>(null);

const STAY_MS = 7000;

function show(toast: Omit<Toast, 'id'>): void {
  const id = uuid();
  toasts.value = [...toasts.value.slice(-2), { id, ...toast }];
  setTimeout(() => dismiss(id), toast.wrong ? STAY_MS * 2 : STAY_MS);
}

function dismiss(id: string): void {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

export function say(text: string, action?: Toast['action']): void {
  show({ text, wrong: false, ...(action ? { action } : {}) });
}

/** Says what went wrong, in the server's words. Anything that is no refusal is a mistake of ours and goes on up. */
export function report(wrong: unknown): void {
  if (wrong instanceof DOMException && wrong.name === 'AbortError') return;
  if (!(wrong instanceof ApiError)) throw wrong;
  show({ text: wrong.message, wrong: true });
}

/** Says what was done, with a way back. */
export function done(text: string, operation?: string): void {
  if (!operation) return say(text);
  undoable.value = { operation, text };
  say(text, { label: 'Undo', run: () => void undo(operation, text) });
}

export async function undo(operation: string, text: string): Promise<void> {
  if (undoable.value?.operation === operation) undoable.value = null;
  try {
    const reply = await change<{ problems?: { message: string }[] }>('POST', '/undo', { operation });
    const problem = reply.problems?.[0];
    say(problem ? `Undone but for: ${problem.message}` : `Undone: ${text}`);
  } catch (wrong) {
    report(wrong);
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((each) => (
        <div key={each.id} class={each.wrong ? 'toast wrong' : 'toast'}>
          <span>{each.text}</span>
          {each.action && (
            <button
              class="link"
              onClick={() => {
                dismiss(each.id);
                each.action?.run();
              }}
            >
              {each.action.label}
            </button>
          )}
          <button class="icon small" aria-label="Dismiss" onClick={() => dismiss(each.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
