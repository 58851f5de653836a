// The room of the ledger: the person's entries in it, and their check in this browser.
import { onChange } from '../shell/feed';
import type { Room } from '../shell/room';
import './ledger.css';
import { Ledger } from './page';
import { changed } from './own';
import { problems, t } from './words';

export const ledger: Room = {
  routes: [{ path: '/published/ledger', page: Ledger, title: () => t('ledger') }],
  published: { href: '/published/ledger', label: () => t('ledger'), order: 2 },
  problems,
  start: () => onChange('pins', changed),
};
