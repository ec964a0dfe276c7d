/** What a browser keeps for a person between visits: the theme, the volume, how a list is shown. Never a secret. */

const PREFIX = 'mediadb.';

/** What was kept under a name, or `otherwise`. Storage may be forbidden (a private window): then nothing was. */
export function kept(name: string, otherwise: string): string {
  try {
    return localStorage.getItem(PREFIX + name) ?? otherwise;
  } catch (wrong) {
    if (!(wrong instanceof DOMException)) throw wrong;
    return otherwise;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch (wrong) {
    if (!(wrong instanceof DOMException)) throw wrong; // full or forbidden: the choice holds for this visit
  }
}
