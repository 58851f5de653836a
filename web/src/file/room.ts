// The room of files.
import { onChange } from '../shell/feed';
import type { Room } from '../shell/room';
import { bin } from './bin';
import { Choose } from './choose';
import './file.css';
import { startListings } from './listing';
import { FilesGo } from './loss';
import { chooseFiles, chooseFolder, newFolder, shown } from './new';
import { Files } from './page';
import { Uploads } from './panel';
import { refreshFolder } from './refresh';
import { Search, searchFrom } from './search';
import { Trash } from './trash';
import { SideMeter, Storage } from './storage';
import { startThumbnails } from './thumbnail';
import './tiles.css';
import { startUploads } from './upload';
import { startUsage } from './usage';
import { problems, t } from './words';

export const file: Room = {
  routes: [
    { path: '/files', page: Files, title: () => t('files'), wide: true },
    { path: '/files/:folder', page: Files, title: () => t('files'), wide: true },
    { path: '/search', page: Search, title: () => t('search'), wide: true },
    { path: '/trash', page: Trash, title: () => t('trash'), wide: true },
    { path: '/storage', page: Storage, title: () => t('storage') },
  ],
  places: [{ href: '/files', icon: 'folder', label: () => t('files'), order: 1, phone: 'bar' }, { href: '/trash', icon: 'trash', label: () => t('trash'), order: 5, phone: 'more' }],
  menu: [{ icon: 'storage', label: () => t('storage'), href: '/storage', order: 3 }],
  search: { href: '/search', label: () => t('search'), order: 1, from: searchFrom },
  create: [
    { icon: 'upload', label: () => t('uploadFiles'), order: 1, run: chooseFiles },
    { icon: 'folder', label: () => t('uploadFolder'), order: 2, run: chooseFolder },
    { icon: 'folderPlus', label: () => t('newFolder'), order: 3, run: newFolder },
  ],
  points: [
    { icon: 'shield', title: () => t('pointSealed'), text: () => t('pointSealedText'), order: 1 },
    { icon: 'folder', title: () => t('pointSimple'), text: () => t('pointSimpleText'), order: 3 },
  ],
  folders: { Choose, shown, href: (id) => '/files' + (id && '/' + id) },
  loss: { Line: FilesGo, order: 4 },
  problems,
  remedies: { quota_exceeded: { href: '/storage', label: () => t('toStorage') } },
  Side: SideMeter,
  Floating: Uploads,
  start: () => {
    startUploads();
    startListings();
    startThumbnails();
    startUsage();
    onChange('files', refreshFolder);
    onChange('shares', () => refreshFolder()); // the marks of shared entries
    onChange('trash', () => refreshFolder(bin));
  },
};
