// What other devices call themselves and their files, as people may see it.

// shown replaces control characters, marks that turn the direction of writing, and other invisible
// ones: a name must not look like another one.
export function shown(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu, (c) => (c === '\u200d' ? c : '_'));
}
