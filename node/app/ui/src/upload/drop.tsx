/** Files dragged over any view: where they would fall is shown, and they go on their way. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../components/icons';
import { many } from '../format';
import { go, place } from '../router';
import { say } from '../toasts';
import { upload } from './uploads';
import '../styles/care.css';

export default function Drop() {
  const [over, setOver] = useState(false);
  const deep = useRef(0);
  useEffect(() => {
    const files = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent) => {
      if (!files(event)) return;
      deep.current += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!files(event)) return;
      deep.current -= 1;
      if (deep.current <= 0) setOver(false);
    };
    const drop = (event: DragEvent) => {
      deep.current = 0;
      setOver(false);
      if (!files(event)) return;
      event.preventDefault();
      take(event.dataTransfer!);
    };
    addEventListener('dragenter', enter);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragenter', enter);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, []);
  return over ? (
    <div class="drop" aria-hidden="true">
      <p>
        <Icon name="upload" />
        Drop files to add them to the library
      </p>
    </div>
  ) : null;
}

/** What was dropped: files at once, folders with all that is in them (File and Directory Entries API). */
function take(dropped: DataTransfer): void {
  const entries = [...dropped.items].map((each) => each.webkitGetAsEntry());
  if (!entries.some((each) => each?.isDirectory)) {
    const files = [...dropped.files];
    if (!files.length) return;
    upload(files);
    said(files.length);
    return;
  }
  void Promise.all(entries.map((each) => (each ? filesOf(each) : []))).then((all) => {
    const files = all.flat();
    upload(files);
    said(files.length);
  });
}

function said(number: number): void {
  if (place.peek().parts[0] !== 'upload') say(`${many(number, 'file')} on the way`, { label: 'Show', run: () => go('#/upload') });
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    // a call gives some hundred at most
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return found;
    for (const each of some) if (!each.name.startsWith('.')) found.push(...(await filesOf(each)));
  }
}
