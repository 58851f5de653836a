// The room of the guard: the history of an account, and the link that lets a new device in while
// strangers guess.
import type { Room } from '../shell/room';
import './guard.css';
import { History, Latest } from './history';
import { Unlock } from './unlock';
import { problems, t } from './words';

export const guard: Room = {
  routes: [
    { path: '/security/history', page: History, title: () => t('history') },
    { path: '/unlock', page: Unlock, title: () => t('unlock'), open: true },
  ],
  security: { Section: Latest, order: 10 },
  problems,
};
