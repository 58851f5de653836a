// Amounts of bytes as people type them: a number and a unit. Units are decimal, as everywhere in
// the app.
export const units = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;
export type Unit = keyof typeof units;

// read returns whole bytes, or undefined for what is no amount. "1,5" is one and a half, as "1.5".
export function read(text: string, unit: string): number | undefined {
  const said = text.trim().replace(',', '.');
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(said) || !Object.hasOwn(units, unit)) return undefined;
  const bytes = Math.round(Number(said) * units[unit as Unit]);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

// write splits bytes so that read makes the same bytes of them: the largest unit that leaves at
// least one.
export function write(bytes: number): { text: string; unit: Unit } {
  const unit = (['TB', 'GB', 'MB'] as const).find((u) => bytes >= units[u]) ?? 'MB';
  return { text: String(Number((bytes / units[unit]).toFixed(6))), unit };
}
