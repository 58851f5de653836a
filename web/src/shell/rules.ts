// The rules of a new password that the page can check while the person types. They are the
// server's: its refusal counts, and it also refuses common passwords.

// The server's default, for as long as it has not told its own.
export const passwordMin = 12;

export const longEnough = (password: string, min = passwordMin) => [...password.normalize('NFC')].length >= min;

// personal reports whether nothing but digits and signs is left of a password when names,
// username and address are taken out of it.
export function personal(password: string, about: readonly string[]): boolean {
  let left = password.normalize('NFC').toLowerCase();
  const words = ['coffer'];
  for (const text of about) {
    const lower = text.normalize('NFC').toLowerCase();
    words.push(lower, ...lower.split(/[^\p{L}\p{M}]+/u));
  }
  words.sort((a, b) => b.length - a.length);
  let found = false;
  for (const word of words) {
    if ([...word].length < 3 || !left.includes(word)) continue;
    left = left.replaceAll(word, ' ');
    found = true;
  }
  return found && !/\p{L}/u.test(left);
}
