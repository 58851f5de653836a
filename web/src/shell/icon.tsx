// The icons, drawn on a grid of 24 with one stroke. They are decoration: what an icon
// means is always said in words beside it or in its button's label.

const drawings = {
  archive: 'M4 5h16v4H4zM5.5 9v9.5h13V9M10 13h4',
  arrowDown: 'M12 5v14M6 13l6 6 6-6',
  arrowUp: 'M12 19V5M6 11l6-6 6 6',
  audio: 'M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z',
  back: 'M15 6l-6 6 6 6',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  chevron: 'M9 6l6 6-6 6',
  close: 'M6 6l12 12M18 6L6 18',
  code: 'M8.5 7.5L4 12l4.5 4.5M15.5 7.5L20 12l-4.5 4.5M13.5 5l-3 14',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  device: 'M4 5h16v10H4zM2.5 19h19M9.5 15l-.5 4M14.5 15l.5 4',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z',
  eyeOff: 'M4 4l16 16M9.9 5.800A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a15 15 0 0 1-3 3.600M6.5 7.600A15 15 0 0 0 2.5 12s3.5 6.5 9.5 6.5a9 9 0 0 0 4-.9',
  file: 'M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5',
  folder: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h4.600l2 2.5h8.400A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18z',
  folderPlus: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h4.600l2 2.5h8.400A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18zM12 11v5M9.5 13.5h5',
  globe: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.500 12h17M12 3.500c2.500 2.300 3.800 5.200 3.800 8.500s-1.300 6.200-3.800 8.500c-2.500-2.300-3.800-5.200-3.800-8.500s1.300-6.200 3.800-8.500z',
  history: 'M4.5 9.500A8 8 0 1 1 4 13M4 5v4.500h4.500M12 8v4.500l3 2',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15.5 8.5h.01',
  inbox: 'M3.5 13.500L6 5h12l2.500 8.500V19h-17zM3.5 13.500h5a3.500 3.500 0 0 0 7 0h5',
  key: 'M8 11a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM11.2 12.300L20 3.500M16 7.500l3 3M13.500 10l2 2',
  link: 'M10 14a4 4 0 0 0 5.700.3l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10a4 4 0 0 0-5.700-.3l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500',
  list: 'M9 7h11M9 12h11M9 17h11M4.5 7h.01M4.5 12h.01M4.5 17h.01',
  look: 'M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17M12 8h6.500M12 12h8.500M12 16h6.500',
  mail: 'M3.5 6h17v12h-17zM3.5 7l8.5 6.5L20.5 7',
  menu: 'M4.5 7h15M4.5 12h15M4.5 17h15',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  move: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h4.600l2 2.5h8.400A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18zM8.5 13.5h7M12.5 10.5l3 3-3 3',
  pause: 'M9 5.5v13M15 5.5v13',
  pencil: 'M5 19l1-4L16.5 4.5l3 3L9 18zM14.5 6.5l3 3',
  phone: 'M7.5 3h9v18h-9zM11 18h2',
  play: 'M8 5.5l10 6.5-10 6.5z',
  plus: 'M12 5v14M5 12h14',
  print: 'M7 8.5V4h10v4.5M7 17H4.5V8.5h15V17H17M7 14h10v6H7z',
  restore: 'M4.5 12a7.5 7.5 0 1 0 2.2-5.300L4 9.5M4 4.500v5h5M12 8v4.500l3 1.800',
  retry: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.300L20 9.5M20 4.5v5h-5',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20.5 20.5',
  share: 'M17.5 3a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM6.5 9.500a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM17.5 16a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8.700 10.700l6.600-3.900M8.700 13.300l6.600 3.900',
  shield: 'M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6zM8.5 12l2.5 2.5 4.5-5',
  signOut: 'M14 4H5v16h9M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5',
  storage: 'M4 5h16v6H4zM4 13h16v6H4zM7.500 8h.01M7.500 16h.01',
  swap: 'M8 20V4M4 8l4-4 4 4M16 4v16M12 16l4 4 4-4',
  tiles: 'M4 4h6.5v6.5H4zM13.5 4H20v6.5h-6.5zM4 13.5h6.5V20H4zM13.5 13.5H20V20h-6.5z',
  trash: 'M4 6.5h16M9 6.5V4h6v2.5M6 6.5l1 14h10l1-14M10 10.5v6M14 10.5v6',
  upload: 'M12 20V9M7 13l5-5 5 5M5 4h14',
  user: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6',
  video: 'M4 5h16v14H4zM10 9l5 3-5 3z',
  warning: 'M12 4L2.5 20h19zM12 10v4.5M12 17.200h.01',
};

export type Icon = keyof typeof drawings;

export function Icon({ name, class: extra }: { name: Icon; class?: string }) {
  return (
    <svg class={'icon' + (name === 'more' ? ' dots' : '') + (extra ? ' ' + extra : '')} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={drawings[name]} />
    </svg>
  );
}

// The mark: a coffer with its lock.
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="mark-body" d="M4 14.5V12.5A7.5 7.5 0 0 1 11.5 5h9a7.5 7.5 0 0 1 7.5 7.5v2h-9a3 3 0 0 0-6 0zM4 17h9v1a3 3 0 0 0 6 0v-1h9v7a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3z" />
      <rect class="mark-lock" x="15" y="13" width="2" height="6.5" rx="1" />
    </svg>
  );
}
