/**
 * The views: which address, where in the navigation, and the module, which is loaded when it is first gone to. A view is
 * a component that takes the parts of the address behind its name.
 */
import type { ComponentType } from 'preact';
import type { IconName } from './components/icons';

export interface ViewProps {
  /** `/album/ID` gives [ID] */
  parts: string[];
}

export interface Route {
  /** first part of the address; '' is the start */
  name: string;
  title: string;
  load: () => Promise<{ default: ComponentType<ViewProps> }>;
  /** in the side bar, under this heading; without it, it is only linked to */
  group?: 'Library' | 'Music' | 'Pictures and films' | 'Lists' | 'Care';
  icon?: IconName;
  /** among the tabs of a phone */
  tab?: boolean;
  role?: 'write' | 'organise' | 'admin';
}

export const routes: Route[] = [
  { name: '', title: 'Start', load: () => import('./views/home'), group: 'Library', icon: 'home', tab: true },
  { name: 'search', title: 'Search', load: () => import('./views/search'), group: 'Library', icon: 'search' },
  { name: 'folders', title: 'Folders', load: () => import('./views/folders'), group: 'Library', icon: 'folder' },
  { name: 'artists', title: 'Artists', load: () => import('./views/artists'), group: 'Music', icon: 'artist' },
  { name: 'artist', title: 'Artist', load: () => import('./views/artist') },
  { name: 'albums', title: 'Albums', load: () => import('./views/albums'), group: 'Music', icon: 'album', tab: true },
  { name: 'album', title: 'Album', load: () => import('./views/album') },
  { name: 'songs', title: 'Songs', load: () => import('./views/songs'), group: 'Music', icon: 'song' },
  { name: 'genres', title: 'Genres', load: () => import('./views/genres'), group: 'Music', icon: 'genre' },
  { name: 'genre', title: 'Genre', load: () => import('./views/genre') },
  { name: 'photos', title: 'Photos', load: () => import('./views/photos'), group: 'Pictures and films', icon: 'image', tab: true },
  { name: 'places', title: 'Places', load: () => import('./views/places'), group: 'Pictures and films', icon: 'pin' },
  { name: 'place', title: 'Place', load: () => import('./views/place') },
  { name: 'films', title: 'Films', load: () => import('./views/films'), group: 'Pictures and films', icon: 'film' },
  { name: 'film', title: 'Film', load: () => import('./views/film') },
  { name: 'documents', title: 'Documents', load: () => import('./views/documents'), group: 'Library', icon: 'document' },
  { name: 'document', title: 'Document', load: () => import('./views/document') },
  { name: 'playlists', title: 'Lists', load: () => import('./views/lists'), group: 'Lists', icon: 'playlist', tab: true },
  { name: 'list', title: 'List', load: () => import('./views/list') },
  { name: 'upload', title: 'Upload', load: () => import('./views/upload'), group: 'Care', icon: 'upload', role: 'write' },
  { name: 'activity', title: 'Activity', load: () => import('./views/activity'), group: 'Care', icon: 'scan' },
  { name: 'duplicates', title: 'Duplicates', load: () => import('./views/duplicates'), group: 'Care', icon: 'duplicates' },
  { name: 'operations', title: 'What was done', load: () => import('./views/operations'), group: 'Care', icon: 'undo' },
  { name: 'settings', title: 'Settings', load: () => import('./views/settings'), group: 'Care', icon: 'settings' },
  { name: 'docs', title: 'Interface', load: () => import('./views/docs') },
];

/** The letter after `g` that leads to a view. */
export const LETTERS: Record<string, string> = {
  h: '',
  a: 'artists',
  b: 'albums',
  s: 'songs',
  g: 'genres',
  f: 'folders',
  l: 'playlists',
  p: 'photos',
  v: 'films',
  d: 'documents',
  u: 'upload',
};
