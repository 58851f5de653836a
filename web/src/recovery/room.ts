// The room of the ways back into an account: a new password by a mailed link, and the
// activation of a deactivated account.
import type { Room } from '../shell/room';
import { Activate } from './activate';
import { Forgot } from './forgot';
import { Reset } from './reset';
import { setTyped } from './typed';
import { problems, t } from './words';

export const recovery: Room = {
  routes: [
    { path: '/forgot', page: Forgot, title: () => t('forgot'), open: true },
    { path: '/reset', page: Reset, title: () => t('reset'), open: true },
    { path: '/activate', page: Activate, title: () => t('activate'), open: true },
  ],
  problems,
  waysBack: {
    password: { href: '/forgot', label: () => t('forgotLink'), take: setTyped },
    activate: { href: '/activate', label: () => t('activate'), take: setTyped },
  },
};
