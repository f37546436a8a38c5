// An appointment as a file for a calendar (RFC 5545). Calendars are read by others and kept elsewhere: it has a time and
// one neutral word, as the feed has.

import type { Appointment } from '../../engine/types.ts'

export function icsOf(a: Pick<Appointment, 'id' | 'start' | 'end'>, word: string, now = new Date()): string {
  return [
    'BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Ward//EN', 'METHOD:PUBLISH', 'BEGIN:VEVENT', `UID:${a.id}`, `DTSTAMP:${moment(now.toISOString())}`,
    `DTSTART:${moment(a.start)}`, `DTEND:${moment(a.end)}`, `SUMMARY:${word}`, 'CLASS:PRIVATE', 'STATUS:CONFIRMED', 'END:VEVENT', 'END:VCALENDAR', '',
  ].join('\r\n')
}

const moment = (iso: string): string => `${iso.slice(0, 19).replaceAll('-', '').replaceAll(':', '')}Z`
