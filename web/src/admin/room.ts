// The room of the people who run the server: who has an account, what is stored, what is stuck,
// and what was done about it.
import type { Room } from '../shell/room';
import './admin.css';
import { Blocks } from './blocks';
import { forAdmins } from './desk';
import { Jobs } from './jobs';
import { Keys } from './keys';
import { Log } from './log';
import { Overview } from './overview';
import { One, People } from './people';
import { Storage } from './storage';
import { problems, t } from './words';

export const admin: Room = {
  routes: [
    { path: '/admin', page: forAdmins(Overview), title: () => t('overview') },
    { path: '/admin/people', page: forAdmins(People), title: () => t('people') },
    { path: '/admin/people/:id', page: forAdmins(One), title: () => t('people') },
    { path: '/admin/storage', page: forAdmins(Storage), title: () => t('storage') },
    { path: '/admin/blocks', page: forAdmins(Blocks), title: () => t('blocks') },
    { path: '/admin/jobs', page: forAdmins(Jobs), title: () => t('jobs') },
    { path: '/admin/keys', page: forAdmins(Keys), title: () => t('keys') },
    { path: '/admin/log', page: forAdmins(Log), title: () => t('log') },
  ],
  menu: [{ href: '/admin', icon: 'shield', label: () => t('admin'), order: 4, admins: true }],
  problems,
};
