// The room of files.
import { onChange } from '../shell/feed';
import type { Room } from '../shell/room';
import './file.css';
import { Files } from './page';
import { Uploads } from './panel';
import { refreshFolder, startUploads } from './upload';
import { problems, t } from './words';

export const file: Room = {
  routes: [
    { path: '/files', page: Files, title: () => t('files'), wide: true },
    { path: '/files/:folder', page: Files, title: () => t('files'), wide: true },
  ],
  nav: [{ href: '/files', icon: 'folder', label: () => t('files'), order: 1 }],
  points: [
    { icon: 'shield', title: () => t('pointSealed'), text: () => t('pointSealedText'), order: 1 },
    { icon: 'folder', title: () => t('pointSimple'), text: () => t('pointSimpleText'), order: 3 },
  ],
  problems,
  Floating: Uploads,
  start: () => {
    startUploads();
    onChange('files', refreshFolder);
  },
};
