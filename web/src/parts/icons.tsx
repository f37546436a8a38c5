// The drawings that stand beside words. They never stand alone: a screen reader does not see them.

import type { JSX } from 'preact'

const drawings = {
  home: 'M4 11.5 12 5l8 6.5M6 10v9h12v-9M10 19v-5h4v5',
  chart: 'M7 4h10a1 1 0 0 1 1 1v15a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1ZM9.5 3h5v3h-5zM8.5 14h1.8l1.2-3 1.8 5 1-2h1.2',
  message: 'M5 5h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-7l-4.5 4v-4H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM8 9h8M8 12h5',
  file: 'M7 3h7l4 4v13a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM14 3v4h4M12 17.5v-6M9.5 14 12 11.5 14.5 14',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6Z',
  people: 'M9 5a3.2 3.2 0 1 1 0 6.4A3.2 3.2 0 0 1 9 5ZM3 19c.4-3.2 2.8-5 6-5s5.6 1.8 6 5M15.5 5.3a3 3 0 0 1 0 5.8M17.5 14.3c2 .6 3.2 2.2 3.5 4.7',
  person: 'M12 4.5a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.2ZM5 20c.5-3.7 3.3-5.7 7-5.7s6.5 2 7 5.7',
  invite: 'M10 4.5a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.2ZM3.5 20c.5-3.7 3-5.7 6.5-5.7 1.8 0 3.3.5 4.5 1.5M18 14v6M15 17h6',
  calendar: 'M5 6h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1ZM4 10.5h16M8 4v4M16 4v4M8 14h3M13 14h3',
  teams: 'M12 4a2.6 2.6 0 1 1 0 5.2A2.6 2.6 0 0 1 12 4ZM5.5 12.5a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2ZM18.5 12.5a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2ZM10.6 9 7 12.7M13.4 9 17 12.7M8.1 15.1h7.8',
  links: 'M9 9H7a3 3 0 0 0 0 6h2M15 9h2a3 3 0 0 1 0 6h-2M8.500 12h7',
  record: 'M6 3.5h12v17l-2-1.5-2 1.5-2-1.5-2 1.5-2-1.5-2 1.5zM9 8h6M9 11.5h6M9 15h4',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4M4 12h2.5M10.5 12H20M8.5 10v4',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  leave: 'M13 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h7M10 12h10M16.5 8.5 20 12l-3.5 3.5',
  key: 'M8 8.5a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM11.5 11.5H21v4M17 11.5v3',
  device: 'M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM11 18h2',
  computer: 'M4 5h16a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM9 20h6M12 16v4',
  scan: 'M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M9 9h2v2H9zM13 13h2v2h-2zM13 9h2M9 15h2',
  take: 'M12 4v11M7.5 11 12 15.5 16.5 11M4.5 19.5h15',
  look: 'M12 4.5a7.5 7.5 0 1 0 0 15ZM12 4.5a7.5 7.5 0 0 1 0 15',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v6M13.5 10.5v6',
  warn: 'M12 4.5 21 19.5H3zM12 10v4.5M12 17h.01',
  good: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17ZM8.5 12.3l2.5 2.5 4.7-5',
  tick: 'm5 12.5 4.5 4.5L19 7.5',
  go: 'M9 5.5 15.5 12 9 18.5',
  print: 'M7 9V4h10v5M7 17H4.5V9.5h15V17H17M7 14h10v6H7z',
  aloud: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM15 9a4 4 0 0 1 0 6M17.5 6.5a7.5 7.5 0 0 1 0 11',
  stop: 'M7 7h10v10H7z',
  network: 'M3.5 10a12.5 12.5 0 0 1 17 0M6.8 13.4a7.8 7.8 0 0 1 10.4 0M9.8 16.6a3.4 3.4 0 0 1 4.4 0M12 19.5h.01',
  copy: 'M9 9h10v11H9zM15 9V5H5v11h4',
  mic: 'M12 4a2.6 2.6 0 0 1 2.6 2.6v5a2.6 2.6 0 0 1-5.2 0v-5A2.6 2.6 0 0 1 12 4ZM6 11.5a6 6 0 0 0 12 0M12 17.5V21',
  micOff: 'M9.4 9.4v2.2a2.6 2.6 0 0 0 4.2 2M14.6 11.4V6.6a2.6 2.6 0 0 0-5-.9M6 11.5a6 6 0 0 0 9.6 4.8M18 11.5a6 6 0 0 1-.6 2.6M12 17.5V21M4 4l16 16',
  camera: 'M4 7h10a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1ZM15 11l6-3.5v9L15 13',
  cameraOff: 'M8.5 7H14a1 1 0 0 1 1 1v4.5M15 13l6 3.5v-9L15 11M14.5 17H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h.5M4 4l16 16',
  screen: 'M4 5h16a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM9 20h6M12 13V8M9.5 10.5 12 8l2.5 2.5',
  hangup: 'M3 14.5c0-1 .8-2 2-2.7 2-1.2 4.500-1.800 7-1.800s5 .6 7 1.800c1.200.7 2 1.700 2 2.700v1.200a.8.8 0 0 1-1 .8l-3.200-.7a1 1 0 0 1-.8-1v-1.500c-1.300-.5-2.600-.7-4-.7s-2.700.2-4 .7v1.500a1 1 0 0 1-.8 1l-3.200.7a.8.8 0 0 1-1-.8z',
  note: 'M6 4h12v11l-5 5H6zM13 20v-5h5M9 8.500h6M9 12h4',
  lock: 'M7 11h10a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1ZM8.500 11V8a3.500 3.500 0 0 1 7 0v3M12 14.500v2.500',
  small: 'M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM13 12.500h5v4h-5z',
  swap: 'M8 4 4.500 7.500 8 11M4.500 7.500H17M16 13l3.500 3.500L16 20M19.500 16.500H7',
  close: 'M6.500 6.500l11 11M17.500 6.500l-11 11',
  clock: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM12 8v4.500l3 2',
} as const

export type IconName = keyof typeof drawings

/** go points the way the language reads. */
export function Icon({ name }: { name: IconName }): JSX.Element {
  return <svg class={name === 'go' ? 'icon icon-turns' : 'icon'} viewBox="0 0 24 24" aria-hidden="true"><path d={drawings[name]} /></svg>
}

/** Ward's mark: a keyhole, whose stem ends in the wards that let only the right key turn. */
export function Mark(): JSX.Element {
  return <svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><rect width="64" height="64" rx="15" fill="#0a5c63" /><path d={keyhole} fill="#fff" /></svg>
}

const keyhole = 'M32 9a12 12 0 0 1 5 22.9L38.6 38H32.5v4.4h7.3L43.5 56h-23l1.9-6.6H32V45h-8.2L27 31.9A12 12 0 0 1 32 9Z'
