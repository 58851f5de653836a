// The pages of people without an account.
import type { Route } from '../shell/router';
import './guest.css';
import { Shared, titleOfShared } from './guest-page';
import { t } from './guest-words';

export const guestRoutes: Route[] = [
  { path: '/s/:token', page: Shared, title: titleOfShared, open: true, alone: true },
  { path: '/r/:token', page: Shared, title: () => t('handInTitle'), open: true, alone: true },
];
