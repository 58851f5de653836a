// The room of the ways back into an account: a new password by a mailed link, the activation of a
// deactivated account, and the repair of an account whose sign-in steps are lost.
import type { Room } from '../shell/room';
import { Activate } from './activate';
import { setUp } from './backup';
import { Forgot } from './forgot';
import { WaysGo } from './loss';
import { Recover } from './recover';
import { Repair } from './repair';
import './repair.css';
import { Reset } from './reset';
import { Stop } from './stop';
import { TrustedLink } from './trusted-link';
import { setTyped } from './typed';
import './ways-back.css';
import { WaysBack } from './ways-back';
import { problems, t } from './words';

export const recovery: Room = {
  routes: [
    { path: '/forgot', page: Forgot, title: () => t('forgot'), open: true },
    { path: '/reset', page: Reset, title: () => t('reset'), open: true },
    { path: '/activate', page: Activate, title: () => t('activate'), open: true },
    { path: '/recover', page: Recover, title: () => t('recover'), open: true },
    { path: '/repair', page: Repair, title: () => t('repair'), alone: true },
    { path: '/stop-recovery', page: Stop, title: () => t('stop'), open: true },
    { path: '/trusted-email', page: TrustedLink, title: () => t('trustedProve'), open: true },
  ],
  security: {
    Section: WaysBack, order: 7,
    advised: { line: 'backup_codes', label: (on) => (on ? t('codesNew') : t('codesMake')), run: setUp },
    ways: { backup_codes: ({ left }) => (left === undefined ? t('codes') : t('codesGlance', { count: left })), trusted_email: () => t('trusted') },
  },
  loss: { Line: WaysGo, order: 8 },
  repair: '/repair',
  problems,
  waysBack: {
    password: { href: '/forgot', label: () => t('forgotLink'), take: setTyped },
    activate: { href: '/activate', label: () => t('activate'), take: setTyped },
    recover: { href: '/recover', label: () => t('recoverLink'), take: setTyped },
  },
};
