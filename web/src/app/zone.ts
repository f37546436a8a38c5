// Time zones as people know them: by a city, and by what the clock shows there.

import { plain } from './text.ts'

export const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone

/** Whether two zones show the same time at a moment. */
export const sameClock = (a: string, b: string, at: string): boolean => a === b || shown(a, at, 'en') === shown(b, at, 'en')

const shown = (zone: string, at: string, lang: string): string => format(lang, { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }, at)

/** The time in a zone, with the day if it is another day there. */
export function timeThere(zone: string, at: string, lang: string): string {
  const day = (timeZone: string): string => format('en', { timeZone, dateStyle: 'short' }, at)
  return format(lang, { timeZone: zone, hour: 'numeric', minute: '2-digit', ...(day(zone) !== day(ownZone()) && { weekday: 'long' }) }, at)
}

/** A zone by its city and its name: Madrid, Central European Time. */
export function zoneName(zone: string, lang: string): string {
  if (zone === 'UTC') return zone
  const city = zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone
  try {
    const name = new Intl.DateTimeFormat(lang, { timeZone: zone, timeZoneName: 'longGeneric' }).formatToParts(new Date()).find((p) => p.type === 'timeZoneName')?.value
    return name && plain(name) !== plain(city) ? `${city}, ${name}` : city
  } catch {
    return city // one that this browser does not know
  }
}

function format(lang: string, options: Intl.DateTimeFormatOptions, at: string): string {
  try {
    return new Intl.DateTimeFormat(lang, options).format(new Date(at))
  } catch {
    return at
  }
}

/** The zones that this browser knows. */
export const zones = (): readonly string[] => Intl.supportedValuesOf('timeZone')

/** A day of a person's calendar, and a time of it, as fields of a form write them. */
export const dayOf = (time: Date): string => `${time.getFullYear()}-${String(time.getMonth() + 1).padStart(2, '0')}-${String(time.getDate()).padStart(2, '0')}`
export const clockOf = (time: Date): string => `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`

/** Some minutes in words: 2 hours, 3 days. */
export function spanOf(minutes: number, lang: string): string {
  const [n, unit] = minutes >= 2880 && minutes % 1440 === 0 ? [minutes / 1440, 'day'] : minutes >= 60 && minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute']
  return new Intl.NumberFormat(lang, { style: 'unit', unit: unit as string, unitDisplay: 'long' }).format(n as number)
}

/** The days of a week from one, each at midnight here; clocks may change in it. */
export function weekFrom(day: Date): readonly Date[] {
  return Array.from({ length: 7 }, (_, i) => new Date(day.getFullYear(), day.getMonth(), day.getDate() + i))
}

/** The day that weeks begin with where a language is spoken; 0 is Sunday. */
export function firstWeekday(lang: string): number {
  const locale = new Intl.Locale(lang) as Intl.Locale & { getWeekInfo?(): { firstDay: number }; weekInfo?: { firstDay: number } }
  return ((locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1) % 7
}
