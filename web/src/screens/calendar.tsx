// Appointments. Patients see and book theirs; staff see days and weeks, book for patients, and say when they may be booked.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useEngine, useWords } from '../app/context.tsx'
import { usePath } from '../app/router.tsx'
import { Tabs } from '../parts/index.tsx'
import { Agenda, Mine, midnight } from './booking/agenda.tsx'
import { Hours } from './booking/hours.tsx'
import { BookSelf } from './booking/self.tsx'
import { BookStaff } from './booking/staff.tsx'

export default function Calendar(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const b = w.visit.booking
  const path = usePath()
  const [day, setDay] = useState(() => midnight(new Date()))
  const has = (...roles: readonly string[]): boolean => engine.me?.roles.some((r) => roles.includes(r)) === true
  const staff = has('clinician', 'frontdesk')
  const own = has('patient', 'proxy')
  const tabs = [
    { href: '/calendar', label: w.calendar.title }, ...(staff && own ? [{ href: '/calendar/mine', label: b.mine }] : []), ...(staff ? [{ href: '/calendar/hours', label: b.hours.link }] : []),
  ].map((t) => ({ ...t, current: t.href === path }))
  const mine = own && (!staff || path === '/calendar/mine')
  return (
    <>
      <h1 tabIndex={-1}>{w.calendar.title}</h1>
      {tabs.length > 1 && <Tabs label={w.calendar.title} items={tabs} />}
      {path === '/calendar/hours' && staff ? <div class="middle"><Hours /></div>
        : mine ? <div class="columns"><div class="stack-wide"><Mine /></div><BookSelf /></div>
        : <div class="columns"><Agenda day={day} onDay={setDay} /><BookStaff onDay={setDay} /></div>}
    </>
  )
}
