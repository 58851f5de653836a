// Starts the app: the only place that assembles the rooms.
import { render } from 'preact';
import './shell/tokens.css';
import './shell/base.css';
import './shell/shell.css';
import * as all from './rooms';
import { App } from './shell/app';
import { startFeed } from './shell/feed';
import { startLang } from './shell/i18n';
import { useRooms } from './shell/room';
import { startRouter } from './shell/router';
import { startTheme } from './shell/theme';

const rooms = Object.values(all);

startTheme();
startLang();
startRouter();
useRooms(rooms);
for (const room of rooms) room.start?.();
startFeed();
render(<App />, document.getElementById('app')!);
