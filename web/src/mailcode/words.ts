// The words of mailed codes.
import { catalog } from '../shell/i18n';

export const t = catalog({
  en: {
    step: 'Code by e-mail',
    code: 'Code from the e-mail',
    sentTo: 'We sent six digits to {address}. If nothing comes within a minute, look into the spam folder.',
    sent: 'We sent you six digits. If nothing comes within a minute, look into the spam folder.',
    go: 'Continue',
    title: 'Codes by e-mail',
    offText: 'When you sign in on a new device, we send a code to {address} and ask for it. This stops somebody who has only your password, but nobody who can read your mail.',
    onText: 'When you sign in on a new device, we send a code to {address} and ask for it.',
    enable: 'Turn on e-mail codes',
    disable: 'Turn off e-mail codes',
    enabled: 'Codes by e-mail are on.',
    disabled: 'Codes by e-mail are off.',
    disableTitle: 'Turn off codes by e-mail?',
    disableText: 'After that, no sign-in asks for a code from your mailbox. Devices that were remembered are asked for your other steps again.',
    goStep: 'Codes by e-mail as a sign-in step',
  },
  de: {
    step: 'Code per E-Mail',
    code: 'Code aus der E-Mail',
    sentTo: 'Wir haben sechs Ziffern an {address} gesendet. Wenn nach einer Minute nichts da ist, sehen Sie im Spam-Ordner nach.',
    sent: 'Wir haben Ihnen sechs Ziffern gesendet. Wenn nach einer Minute nichts da ist, sehen Sie im Spam-Ordner nach.',
    go: 'Weiter',
    title: 'Codes per E-Mail',
    offText: 'Wenn Sie sich auf einem neuen Gerät anmelden, senden wir einen Code an {address} und fragen danach. Das hält alle auf, die nur Ihr Passwort haben, aber niemanden, der Ihre E-Mails lesen kann.',
    onText: 'Wenn Sie sich auf einem neuen Gerät anmelden, senden wir einen Code an {address} und fragen danach.',
    enable: 'E-Mail-Codes einschalten',
    disable: 'E-Mail-Codes ausschalten',
    enabled: 'Codes per E-Mail sind an.',
    disabled: 'Codes per E-Mail sind aus.',
    disableTitle: 'Codes per E-Mail ausschalten?',
    disableText: 'Danach fragt keine Anmeldung mehr nach einem Code aus Ihrem Postfach. Gemerkte Geräte werden wieder nach Ihren anderen Schritten gefragt.',
    goStep: 'Codes per E-Mail als Anmeldeschritt',
  },
});

export const problems = catalog({
  en: {
    wrong_mailed_code: 'That code is not right. Use the one from the newest e-mail: an older code no longer works.',
  },
  de: {
    wrong_mailed_code: 'Dieser Code stimmt nicht. Nehmen Sie den aus der neuesten E-Mail: Ein älterer gilt nicht mehr.',
  },
});
