// How a pin is shown: its title, and what can be done with it. Of a pin whose record was altered the server
// tells where it is kept, and nothing else; its owner can remove it.
import type { Pin } from './pins';
import { t } from './words';

export type Action = 'verify' | 'retry' | 'qr' | 'see' | 'openFolder' | 'remove';

type Shown = Pick<Pin, 'damaged' | 'name' | 'encrypt' | 'state' | 'link' | 'file_id' | 'kind'>;

// titleOf names a pin. With named, the list is of many entries.
export function titleOf({ damaged, name, encrypt }: Shown, named: boolean | undefined): string {
  if (damaged) return t('damagedPin');
  return named ? name : t(encrypt ? 'sealed' : 'open');
}

// actionsOf lists what can be done with a pin.
export function actionsOf({ damaged, state, link, encrypt, file_id: file, kind }: Shown, named: boolean | undefined): Action[] {
  const all: [Action, boolean][] = [
    ['verify', !damaged && (state === 'pinned' || state === 'verified')],
    ['retry', !damaged && state === 'failed'],
    ['qr', !damaged && !!link],
    ['see', !damaged && !encrypt],
    ['openFolder', !damaged && !!named && !!file && kind === 'folder'],
    ['remove', state !== 'removing'],
  ];
  return all.filter(([, can]) => can).map(([action]) => action);
}
