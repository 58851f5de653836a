// The room of drops: files from device to device, live and encrypted end to end.
import type { Room } from '../shell/room';
import { startDrops, titled } from './current';
import './drop.css';
import { HomeReceive } from './home';
import { Receive } from './receive-page';
import { Safe } from './safe-page';
import { Send } from './send-page';
import { problems, t } from './words';

export const drop: Room = {
  routes: [
    { path: '/send', page: Send, title: () => titled(t('place')), open: true, wide: true },
    { path: '/send/safe', page: Safe, title: () => t('safeTitle'), open: true },
    { path: '/d/:name', page: Receive, title: () => titled(t('joinTitle')), open: true, wide: true, alone: true },
  ],
  places: [{ href: '/send', icon: 'swap', label: () => t('place'), short: () => t('placeShort'), order: 4, phone: 'bar', open: true }],
  home: { Part: HomeReceive, order: 1 },
  problems,
  start: startDrops,
};
