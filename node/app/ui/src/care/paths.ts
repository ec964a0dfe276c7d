/** Paths as people know them: from the folder of the library on. */
import { roots } from '../session';

/** `Photos/2019/a.jpg` of `/srv/media/Photos/2019/a.jpg`; with several roots the last part of the root's is before it. */
export function within(path: string): string {
  const all = roots.value ?? [];
  const root = all.find((each) => path.startsWith(`${each.path}/`));
  if (!root) return path;
  const rest = path.slice(root.path.length + 1);
  return all.length > 1 ? `${root.path.slice(root.path.lastIndexOf('/') + 1)}/${rest}` : rest;
}
