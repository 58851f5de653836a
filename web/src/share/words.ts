// The words of the room of links.
import { catalog } from '../shell/i18n';

export { t as guest } from './guest-words';

export const problems = catalog({
  en: {
    share_not_found: 'This link no longer works.',
    share_password_required: 'Enter the password of this link to continue.',
    field_not_accepted: 'Files of this kind are not taken here.',
    field_too_large: 'This file is larger than the link takes.',
    field_too_many: 'These are more files than the link takes.',
  },
  de: {
    share_not_found: 'Dieser Link funktioniert nicht mehr.',
    share_password_required: 'Geben Sie das Passwort dieses Links ein, um fortzufahren.',
    field_not_accepted: 'Dateien dieser Art werden hier nicht angenommen.',
    field_too_large: 'Diese Datei ist größer, als der Link annimmt.',
    field_too_many: 'Das sind mehr Dateien, als der Link annimmt.',
  },
});
