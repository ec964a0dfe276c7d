/** A dialog: the browser's own, which keeps the focus in and gives it back. */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons';

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** on a phone they come from below; `full` takes all of it there */
  form?: 'middle' | 'wide' | 'full';
}

export function Dialog({ title, onClose, children, form = 'middle' }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useRef(`dialog-${Math.random().toString(36).slice(2)}`);
  useEffect(() => {
    const dialog = element.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={`dialog ${form}`}
      aria-labelledby={id.current}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose(); // beside it
      }}
    >
      <header>
        <h2 id={id.current}>{title}</h2>
        <button class="icon" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="body">{children}</div>
    </dialog>
  );
}

/** What is shown above everything, one at a time; null for nothing. */
export const modal = signal<(() => ComponentChildren) | null>(null);
export const closeModal = () => {
  modal.value = null;
};
export function Modal() {
  const Shown = modal.value;
  return Shown ? <>{Shown()}</> : null;
}

/** Asks for a line of text. Answers null where it was closed. */
export function askText(title: string, label: string, value = '', button = 'Save'): Promise<string | null> {
  return new Promise((answer) => {
    const end = (text: string | null) => {
      closeModal();
      answer(text);
    };
    modal.value = () => (
      <Dialog title={title} onClose={() => end(null)}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const text = String(new FormData(event.currentTarget).get('text')).trim();
            if (text) end(text);
          }}
        >
          <label class="field">
            <span>{label}</span>
            <input name="text" defaultValue={value} autofocus required maxLength={200} autocomplete="off" />
          </label>
          <p class="buttons">
            <button type="button" onClick={() => end(null)}>
              Cancel
            </button>
            <button class="primary">{button}</button>
          </p>
        </form>
      </Dialog>
    );
  });
}

/** Asks whether to go on with what cannot simply be taken back. */
export function confirm(title: string, text: string, button: string): Promise<boolean> {
  return new Promise((answer) => {
    const end = (yes: boolean) => {
      closeModal();
      answer(yes);
    };
    modal.value = () => (
      <Dialog title={title} onClose={() => end(false)}>
        <p>{text}</p>
        <p class="buttons">
          <button onClick={() => end(false)} autofocus>
            Cancel
          </button>
          <button class="danger" onClick={() => end(true)}>
            {button}
          </button>
        </p>
      </Dialog>
    );
  });
}
