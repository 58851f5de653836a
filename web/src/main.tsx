// Starts the app: the only place that assembles the rooms.
import { render } from 'preact';
import * as all from './rooms';
import { App, Home } from './shell/app';
import { startAuth } from './shell/auth';
import { startLang } from './shell/i18n';
import { useRooms, type Room } from './shell/room';
import { startRouter, type Route } from './shell/router';
import { startTheme } from './shell/theme';

const rooms: Room[] = Object.values(all);
const home: Route = { path: '/', page: Home, title: () => 'Coffer', open: true };

startTheme();
startLang();
startRouter();
useRooms(rooms);
for (const room of rooms) room.start?.();
render(<App routes={[home, ...rooms.flatMap((room) => room.routes ?? [])]} />, document.getElementById('app')!);
void startAuth();
