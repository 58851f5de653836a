// The room of shares: links to files and folders, links that take files, and what guests see.
import { onChange } from '../shell/feed';
import type { Room } from '../shell/room';
import { guestRoutes } from './guest-routes';
import { Links, Requests } from './list-page';
import { changed } from './links';
import { LinksGo, Mark } from './mark';
import { askRequest } from './request';
import './share.css';
import { askSharing } from './sharing';
import { problems, t } from './words';

export const share: Room = {
  routes: [
    { path: '/shared', page: Links, title: () => t('shared') },
    { path: '/requests', page: Requests, title: () => t('requests') },
    ...guestRoutes,
  ],
  places: [
    { href: '/shared', icon: 'share', label: () => t('shared'), order: 2, phone: 'bar' },
    { href: '/requests', icon: 'inbox', label: () => t('requests'), order: 3, phone: 'more' },
  ],
  create: [{ icon: 'inbox', label: () => t('request'), order: 4, run: () => void askRequest() }],
  entry: {
    deeds: (entry) => [
      { icon: 'share', label: t('share'), run: () => void askSharing(entry), bar: true },
      ...(entry.kind === 'folder' ? [{ icon: 'inbox' as const, label: t('request'), run: () => void askRequest(entry) }] : []),
    ],
    Mark,
    order: 1,
  },
  loss: { Line: LinksGo, order: 4.5 },
  problems,
  start: () => {
    // A link is listed with the name and the place of what it leads to.
    for (const kind of ['shares', 'files', 'trash']) onChange(kind, changed);
  },
};
