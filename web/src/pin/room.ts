// The room of pins: what the person published to IPFS, and the page that opens an encrypted pin.
import type { Room } from '../shell/room';
import { Opened, titleOfOpened } from './guest-page';
import './guest.css';
import { Pins } from './list-page';
import { PinsGo } from './loss';
import './pin.css';
import { placed, startPins, targets } from './pins';
import { askPublish } from './publish';
import { problems, t } from './words';

export const pin: Room = {
  routes: [
    { path: '/published', page: Pins, title: () => t('published') },
    { path: '/p/:cid', page: Opened, title: titleOfOpened, open: true, alone: true },
  ],
  places: [{ href: '/published', icon: 'globe', label: () => t('published'), order: 4.5, phone: 'more', there: placed }],
  published: { href: '/published', label: () => t('pins'), order: 1 },
  entry: {
    deeds: (entry) => (targets.value.length > 0 ? [{ icon: 'globe', label: t('publish'), run: () => void askPublish(entry) }] : []),
    order: 2,
  },
  loss: { Line: PinsGo, order: 4.7 },
  problems,
  start: startPins,
};
