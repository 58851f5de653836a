// Telephone numbers as people type them, in the form that the server takes: E.164.

// The calling code of each country (ITU-T E.164).
const codes = Object.fromEntries((
  'AD376 AE971 AF93 AG1268 AI1264 AL355 AM374 AO244 AR54 AS1684 AT43 AU61 AW297 AX358 AZ994 BA387 BB1246 BD880 BE32 BF226 BG359 BH973 BI257 BJ229 BL590 BM1441 BN673 BO591 BQ599 BR55 BS1242 BT975 BW267 BY375 BZ501 '
  + 'CA1 CC61 CD243 CF236 CG242 CH41 CI225 CK682 CL56 CM237 CN86 CO57 CR506 CU53 CV238 CW599 CX61 CY357 CZ420 DE49 DJ253 DK45 DM1767 DO1809 DZ213 EC593 EE372 EG20 ER291 ES34 ET251 FI358 FJ679 FK500 FM691 FO298 FR33 '
  + 'GA241 GB44 GD1473 GE995 GF594 GG44 GH233 GI350 GL299 GM220 GN224 GP590 GQ240 GR30 GT502 GU1671 GW245 GY592 HK852 HN504 HR385 HT509 HU36 ID62 IE353 IL972 IM44 IN91 IO246 IQ964 IR98 IS354 IT39 JE44 JM1876 JO962 JP81 '
  + 'KE254 KG996 KH855 KI686 KM269 KN1869 KP850 KR82 KW965 KY1345 KZ7 LA856 LB961 LC1758 LI423 LK94 LR231 LS266 LT370 LU352 LV371 LY218 MA212 MC377 MD373 ME382 MF590 MG261 MH692 MK389 ML223 MM95 MN976 MO853 MP1670 MQ596 '
  + 'MR222 MS1664 MT356 MU230 MV960 MW265 MX52 MY60 MZ258 NA264 NC687 NE227 NF672 NG234 NI505 NL31 NO47 NP977 NR674 NU683 NZ64 OM968 PA507 PE51 PF689 PG675 PH63 PK92 PL48 PM508 PR1787 PS970 PT351 PW680 PY595 QA974 RE262 '
  + 'RO40 RS381 RU7 RW250 SA966 SB677 SC248 SD249 SE46 SG65 SH290 SI386 SJ47 SK421 SL232 SM378 SN221 SO252 SR597 SS211 ST239 SV503 SX1721 SY963 SZ268 TC1649 TD235 TG228 TH66 TJ992 TK690 TL670 TM993 TN216 TO676 TR90 '
  + 'TT1868 TV688 TW886 TZ255 UA380 UG256 US1 UY598 UZ998 VA39 VC1784 VE58 VG1284 VI1340 VN84 VU678 WF681 WS685 XK383 YE967 YT262 ZA27 ZM260 ZW263'
).split(' ').map((c) => [c.slice(0, 2), c.slice(2)]));

export const callingCode = (country: string): string => codes[country] ?? '';

// countries are all of them, named in a language and in its order.
export function countries(lang: string): { country: string; name: string }[] {
  const names = new Intl.DisplayNames(lang, { type: 'region' });
  const order = new Intl.Collator(lang);
  return Object.keys(codes).map((country) => ({ country, name: names.of(country) ?? country })).sort((a, b) => order.compare(a.name, b.name));
}

// homeOf guesses the country of a person from the languages of the browser.
export function homeOf(tags: readonly string[]): string {
  for (const tag of tags) {
    const { region } = new Intl.Locale(tag).maximize();
    if (region && callingCode(region)) return region;
  }
  return 'US';
}

// In these countries a number begins with the zero abroad too.
const zeroStays = ['IT', 'VA', 'CI', 'CG'];

// toE164 reads a number as people write it, with the country's code or without: "0170 123" of
// Germany is "+49170123", and so are "0049 170 123" and "+49 (0) 170 123".
export function toE164(typed: string, country: string): string {
  const code = callingCode(country);
  const number = typed.trim().replace(/[^\d+]/g, '').replace(/(?!^)\+/g, '').replace(/^00/, '+');
  if (number.startsWith('+') && !number.startsWith('+' + code)) return number; // another country's
  const national = number.startsWith('+') ? number.slice(1 + code.length) : number;
  // North America writes ten digits, in the Bahamas as in the USA, and may put a 1 before them.
  if (code[0] === '1' && /^1?\d{10}$/.test(national)) return '+1' + national.slice(-10);
  return '+' + code + (zeroStays.includes(country) ? national : national.replace(/^0/, ''));
}

// unbroken keeps a masked number on one line.
export const unbroken = (number: string): string => number.replaceAll(' ', '\u00a0');
