import { render } from 'preact';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/overlays.css';
import './theme';
import { App } from './app';

render(<App />, document.getElementById('app')!);
