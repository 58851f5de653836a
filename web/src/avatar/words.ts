// The words of the person's picture.
import { catalog } from '../shell/i18n';

export const t = catalog({
  en: {
    picture: 'Picture',
    choose: 'Choose a picture',
    change: 'Change picture',
    remove: 'Remove picture',
    hint: 'JPEG, PNG, GIF or WebP. You can drop one here, too. Everybody who gets its address can see it.',
    drop: 'Drop your picture here',
    cropTitle: 'Your picture',
    area: 'The part of the picture that is shown',
    zoom: 'Size',
    keys: 'Move the picture, and zoom it with two fingers, the wheel or the slider. Keys: arrows move, + and − zoom.',
    save: 'Use this picture',
    cancel: 'Cancel',
    other: 'Choose another',
    broken: 'This cannot be shown as a picture. Choose a JPEG, PNG, GIF or WebP that opens on your device.',
    saved: 'Your picture is saved.',
    removeTitle: 'Remove your picture?',
    removeText: 'Your initials take its place. Its address shows nothing any more.',
    removed: 'Your picture is removed.',
  },
  de: {
    picture: 'Bild',
    choose: 'Bild wählen',
    change: 'Bild ändern',
    remove: 'Bild entfernen',
    hint: 'JPEG, PNG, GIF oder WebP. Sie können es auch hierher ziehen. Wer seine Adresse bekommt, kann es sehen.',
    drop: 'Bild hier ablegen',
    cropTitle: 'Ihr Bild',
    area: 'Der Teil des Bildes, der gezeigt wird',
    zoom: 'Größe',
    keys: 'Verschieben Sie das Bild, und vergrößern Sie es mit zwei Fingern, dem Mausrad oder dem Regler. Tasten: Pfeile verschieben, + und − vergrößern und verkleinern.',
    save: 'Dieses Bild verwenden',
    cancel: 'Abbrechen',
    other: 'Anderes wählen',
    broken: 'Das lässt sich nicht als Bild zeigen. Wählen Sie ein JPEG, PNG, GIF oder WebP, das sich auf Ihrem Gerät öffnen lässt.',
    saved: 'Ihr Bild ist gespeichert.',
    removeTitle: 'Bild entfernen?',
    removeText: 'An seiner Stelle stehen dann Ihre Initialen. Unter seiner Adresse ist nichts mehr zu sehen.',
    removed: 'Ihr Bild ist entfernt.',
  },
});

export const problems = catalog({
  en: {
    picture_unsupported: 'This is no picture that can be used. Choose a JPEG, PNG, GIF or WebP.',
    picture_too_large: 'This picture has too many pixels. Make it smaller first, or choose another.',
    picture_crop: 'The square lies outside of the picture. Choose it again.',
    picture_damaged: 'This picture is damaged. Choose another.',
  },
  de: {
    picture_unsupported: 'Das ist kein Bild, das sich verwenden lässt. Wählen Sie ein JPEG, PNG, GIF oder WebP.',
    picture_too_large: 'Dieses Bild hat zu viele Pixel. Verkleinern Sie es erst, oder wählen Sie ein anderes.',
    picture_crop: 'Der Ausschnitt liegt außerhalb des Bildes. Wählen Sie ihn noch einmal.',
    picture_damaged: 'Dieses Bild ist beschädigt. Wählen Sie ein anderes.',
  },
});
