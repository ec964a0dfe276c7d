import { render } from 'preact';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/overlays.css';
import './theme';
import { App } from './app';

// /docs is the address of the interface's description; views are behind the #
if (/\/docs\/?$/.test(location.pathname)) location.replace(`${location.pathname.replace(/docs\/?$/, '')}#/docs`);
render(<App />, document.getElementById('app')!);
