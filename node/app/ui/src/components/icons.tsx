/** The icons of the page, drawn for it: strokes on a grid of 24, one path each. */

const PATHS = {
  add: 'M12 5v14M5 12h14',
  album: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 9.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 0 0 0-5z',
  artist: 'M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4.5 20.5c.6-4 3.6-5.8 7.5-5.8s6.9 1.8 7.5 5.8',
  back: 'M15 5l-7 7l7 7',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2',
  close: 'M6 6l12 12M18 6L6 18',
  collection: 'M4 7.5h11M4 12h11M4 16.5h7M18.5 12v6.5M15.3 15.3h6.4',
  copy: 'M9 9h10.5v10.5H9zM5.5 15H4.5V4.5H15v1',
  document: 'M6.5 3.5h7.5l4 4v13H6.5zM13.5 3.5v4.5h4.5M9.5 12.5h5.5M9.5 16h5.5',
  down: 'M6 9l6 6l6-6',
  download: 'M12 4v11M7.5 10.8L12 15.3l4.5-4.5M5 19.5h14',
  duplicates: 'M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4',
  edit: 'M5 19l.8-4L16 4.8a1.9 1.9 0 0 1 2.7 0l.5.5a1.9 1.9 0 0 1 0 2.7L9 18.2z',
  film: 'M4 5.5h16v13H4zM8.5 5.5v13M15.5 5.5v13M4 10h4.5M4 14h4.5M15.5 10H20M15.5 14H20',
  folder: 'M3.5 18.5v-12h6l2 2.5h9v9.5z',
  forth: 'M9 5l7 7l-7 7',
  genre: 'M4 12V5.5A1.5 1.5 0 0 1 5.5 4H12l8 8l-7.5 7.5zM8 8v.01',
  grid: 'M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z',
  grow: 'M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15',
  heart: 'M12 20C7.5 16.7 4 13.6 4 9.8A4.3 4.3 0 0 1 12 7.6a4.3 4.3 0 0 1 8 2.2c0 3.8-3.5 6.9-8 10.2z',
  help: 'M9 9.2a3 3 0 1 1 4.7 2.5c-1.1.8-1.7 1.3-1.7 2.6M12 17.5v.01',
  home: 'M4 11.5L12 4.5l8 7M6.5 9.8v9.7h11V9.8',
  image: 'M4 5h16v14H4zM4 16l4.5-4.5l4 4l3-3L20 16.5M15.5 9v.01',
  info: 'M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17zM12 11v5M12 8v.01',
  key: 'M8 10.5a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM11 11.5L19.5 3M16 6.5l3 3',
  keyboard: 'M3 7h18v10H3zM6.5 10.3v.01M10 10.3v.01M14 10.3v.01M17.5 10.3v.01M8 13.7h8',
  list: 'M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4.5 6.5v.01M4.5 12v.01M4.5 17.5v.01',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  menu: 'M4 7h16M4 12h16M4 17h16',
  moon: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z',
  more: 'M5.5 11.3a.7.7 0 1 0 0 1.4a.7.7 0 0 0 0-1.4zM12 11.3a.7.7 0 1 0 0 1.4a.7.7 0 0 0 0-1.4zM18.5 11.3a.7.7 0 1 0 0 1.4a.7.7 0 0 0 0-1.4z',
  move: 'M3.5 18.5v-12h6l2 2.5h9v9.5zM9 14h6M12.7 11.5L15.2 14l-2.5 2.5',
  mute: 'M4 9.5v5h3.5l5 4v-13l-5 4zM16 9.5l5 5M21 9.5l-5 5',
  next: 'M6 6l8.5 6L6 18zM17.5 6v12',
  pause: 'M8.5 5.5v13M15.5 5.5v13',
  pin: 'M12 21c4-4.5 6.5-8 6.5-11a6.5 6.5 0 0 0-13 0c0 3 2.5 6.5 6.5 11zM12 7.7a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 0 0 0-4.6z',
  play: 'M7.5 5l11.5 7l-11.5 7z',
  playlist: 'M4 6.5h12M4 11h12M4 15.5h6M14.5 17.3a1.9 1.9 0 1 0 3.8 0V10l2.7 1.5',
  previous: 'M18 6l-8.5 6l8.5 6zM6.5 6v12',
  queue: 'M4 6.5h16M4 11.5h16M4 16.5h8M16 14.5l4.5 2.8L16 20z',
  repeat: 'M5 11V9.5A2.5 2.5 0 0 1 7.5 7H18M15.5 4.3L18.2 7l-2.7 2.7M19 13v1.5a2.5 2.5 0 0 1-2.5 2.5H6M8.5 19.7L5.8 17l2.7-2.7',
  scan: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4h-4',
  search: 'M10.8 4.5a6.3 6.3 0 1 0 0 12.6a6.3 6.3 0 0 0 0-12.6zM15.5 15.5L20 20',
  settings: 'M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9M15 5.5a2 2 0 1 0 0 4a2 2 0 0 0 0-4zM9 14.5a2 2 0 1 0 0 4a2 2 0 0 0 0-4z',
  shuffle: 'M4 7.5h2.5c4.5 0 6 9 10.5 9h2.5M17 13.8l2.7 2.7L17 19.2M4 16.5h2.5c1.7 0 2.9-1.3 4-3M12.8 10.4c1.1-1.7 2.4-2.9 4.2-2.9h2.5M17 4.8l2.7 2.7L17 10.2',
  song: 'M9 17.5a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0zM9 17.5V6l10-2v11.5M19 15.5a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0z',
  star: 'M12 4l2.5 5.2l5.7.8l-4.1 4l1 5.7l-5.1-2.7l-5.1 2.7l1-5.7l-4.1-4l5.7-.8z',
  sun: 'M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2.8v2M12 19.2v2M2.8 12h2M19.2 12h2M5.5 5.5l1.4 1.4M17.1 17.1l1.4 1.4M18.5 5.5l-1.4 1.4M6.9 17.1l-1.4 1.4',
  tag: 'M4 12V5.5A1.5 1.5 0 0 1 5.5 4H12l8 8l-7.5 7.5zM8 8v.01',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5',
  undo: 'M8.5 5L4.5 9l4 4M5 9h9a5 5 0 0 1 0 10h-3',
  up: 'M6 15l6-6l6 6',
  upload: 'M12 15.5V4.5M7.5 8.7L12 4.2l4.5 4.5M5 19.5h14',
  user: 'M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4.5 20.5c.6-4 3.6-5.8 7.5-5.8s6.9 1.8 7.5 5.8',
  volume: 'M4 9.5v5h3.5l5 4v-13l-5 4zM15.5 9.3a4 4 0 0 1 0 5.4M18 6.8a7.5 7.5 0 0 1 0 10.4',
  warning: 'M12 4.5l8.5 15h-17zM12 10v4.5M12 17v.01',
} as const;

export type IconName = keyof typeof PATHS;
const SOLID = new Set<IconName>(['play', 'next', 'previous']);

/** Decoration: what it stands for is said by the label of what it is in. */
export function Icon({ name, filled = SOLID.has(name) }: { name: IconName; filled?: boolean }) {
  return (
    <svg class={filled ? 'i filled' : 'i'} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
