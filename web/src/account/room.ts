// The room of accounts: sign-up, the proof of the address, the first admin, the account
// page with the ways to leave, and the security page, on which every room can have a section.
import type { Room } from '../shell/room';
import './account.css';
import { AlwaysAsk } from './always';
import { startAwaited } from './awaited';
import { ConfirmEmail, UndoEmail } from './change-links';
import { Deactivated, Delete, Deleted } from './leave';
import { Profile } from './profile';
import { Security } from './security';
import { FirstAdmin, SignUp } from './sign-up';
import { Verify } from './verify';
import { problems, t } from './words';

export const account: Room = {
  routes: [
    { path: '/sign-up', page: SignUp, title: () => t('signUp'), open: true },
    { path: '/verify-email', page: Verify, title: () => t('verify'), open: true },
    { path: '/first-admin', page: FirstAdmin, title: () => t('firstAdmin'), open: true },
    { path: '/confirm-email', page: ConfirmEmail, title: () => t('confirmEmail') },
    { path: '/undo-email', page: UndoEmail, title: () => t('undo'), open: true },
    { path: '/security', page: Security, title: () => t('security') },
    { path: '/account', page: Profile, title: () => t('account') },
    { path: '/account/delete', page: Delete, title: () => t('delete') },
    { path: '/account/deactivated', page: Deactivated, title: () => t('deactivated'), open: true },
    { path: '/account/deleted', page: Deleted, title: () => t('deleted'), open: true },
  ],
  door: { href: '/sign-up', label: () => t('signUp'), order: 1 },
  menu: [
    { href: '/account', icon: 'user', label: () => t('account'), order: 1 },
    { href: '/security', icon: 'shield', label: () => t('security'), order: 2 },
  ],
  security: { Section: AlwaysAsk, order: 5 },
  securityPage: { href: '/security', label: () => t('toSecurity') },
  problems,
  start: startAwaited,
};
