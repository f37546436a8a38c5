// Who sees whom, a day or a week at a time: a list on a phone, columns on a desk. The front desk sees a day of each
// clinician beside the others.

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useEngine, useLoad, useWords } from '../../app/context.tsx'
import { dayOf, firstWeekday, weekFrom } from '../../app/zone.ts'
import type { Appointment } from '../../engine/types.ts'
import { Button, Card, Choices, Empty, ErrorPanel, Field, Progress, Select } from '../../parts/index.tsx'
import { Row, sayDay } from './row.tsx'

type View = 'day' | 'week'
export const midnight = (day: Date): Date => new Date(day.getFullYear(), day.getMonth(), day.getDate())
const plusDays = (day: Date, n: number): Date => new Date(day.getFullYear(), day.getMonth(), day.getDate() + n)

function Rows({ of, alone, dated }: { of: readonly Appointment[]; alone?: boolean; dated?: boolean }): JSX.Element | null {
  return of.length === 0 ? null : <ul class="list">{of.map((a) => <li key={a.id}><Row a={a} {...(alone && { alone })} {...(dated && { dated })} /></li>)}</ul>
}

/** What matters less than what comes: there for who looks for it. */
function Folded({ label, open, children }: { label: string; open?: boolean; children: ComponentChildren }): JSX.Element {
  return <details class="chart-fold" open={open}><summary class="chart-target">{label}</summary>{children}</details>
}

/** onDay: when another day is chosen. */
export function Agenda({ day, onDay: setDay }: { day: Date; onDay: (day: Date) => void }): JSX.Element {
  const engine = useEngine()
  const { w, date, lang, n } = useWords()
  const b = w.visit.booking
  const me = engine.me
  const desk = me?.roles.includes('frontdesk') === true
  const [view, setView] = useState<View>('day')
  const [whose, setWhose] = useState(me?.roles.includes('clinician') ? me.person : '')
  const first = view === 'day' ? day : plusDays(day, -((day.getDay() - firstWeekday(lang) + 7) % 7))
  const days = view === 'day' ? [day] : weekFrom(first)
  const end = plusDays(first, days.length)
  const booked = useLoad(() => engine.appointments(first.toISOString(), end.toISOString()), ['appointments', 'people'], [first.getTime(), view])
  const people = useLoad(async () => (desk ? engine.people() : []), ['people'])
  const all = (booked.value ?? []).filter((a) => a.start >= first.toISOString() && a.start < end.toISOString())
  const clinicians = [...new Map([...(people.value ?? []).filter((p) => p.roles.includes('clinician') && p.state === 'active').map((p) => [p.person, p.name || w.unnamed] as const), ...all.map((a) => [a.with, a.withName || w.unnamed] as const)]).entries()]
  const shown = all.filter((a) => whose === '' || a.with === whose)
  const step = view === 'day' ? 1 : 7
  const name = view === 'day' ? sayDay(w, date, noon(day)) : `${date(noon(first), 'date')} – ${date(noon(plusDays(end, -1)), 'date')}`
  const isCancelled = (a: Appointment): boolean => a.state === 'cancelled'
  const columns: readonly (readonly [string, readonly Appointment[]])[] = view === 'week' ? days.map((d) => [sayDay(w, date, noon(d)), shown.filter((a) => midnight(new Date(a.start)).getTime() === d.getTime())])
    : whose === '' && clinicians.length > 1 ? clinicians.map(([id, theirs]) => [theirs, shown.filter((a) => a.with === id)]) : [['', shown]]
  return (
    <Card title={w.calendar.title}>
      <div class="agenda-ways">
        <Choices compact label={b.views} name="view" value={view} onInput={(v) => setView(v as View)} options={[{ value: 'day', label: b.day }, { value: 'week', label: b.week }]} />
        <div class="row agenda-steps"><Button kind="plain" onClick={() => setDay(plusDays(day, -step))}>{b.before}</Button><Button kind="plain" onClick={() => setDay(midnight(new Date()))}>{b.today}</Button><Button kind="plain" onClick={() => setDay(plusDays(day, step))}>{b.after}</Button></div>
      </div>
      <div class="agenda-day"><Field label={b.goTo} type="date" value={dayOf(day)} onInput={(text) => { if (text) setDay(midnight(new Date(`${text}T12:00`))) }} /></div>
      {desk && clinicians.length > 1 && <Select label={w.calendar.whose} value={whose} onInput={setWhose} options={[{ value: '', label: w.calendar.everyone }, ...clinicians.map(([value, label]) => ({ value, label }))]} />}
      <h3 class="agenda-now" aria-live="polite">{name}</h3>
      <ErrorPanel error={booked.error} onRetry={booked.again} />
      {booked.value === undefined ? booked.loading && <Progress label={w.loading} done={0} total={0} />
        : shown.length === 0 ? <Empty icon="calendar" title={b.none} />
        : <div class={columns.length > 1 ? 'agenda' : ''}>{columns.filter(([, of]) => of.length > 0 || view === 'day').map(([title, of]) => (
            <section key={title} class="day">{title && <h4>{title}</h4>}
              {of.length === 0 ? <p class="soft small">{b.none}</p> : <Rows of={of.filter((a) => !isCancelled(a))} alone={title !== '' && view === 'day'} />}
              {of.some(isCancelled) && <Folded label={b.cancelledOf(n(of.filter(isCancelled).length))} open={of.every(isCancelled)}><Rows of={of.filter(isCancelled)} alone={title !== '' && view === 'day'} /></Folded>}
            </section>
          ))}</div>}
    </Card>
  )
}

const noon = (day: Date): string => new Date(day.getFullYear(), day.getMonth(), day.getDate(), 12).toISOString()

const past = 90 * 86_400_000
const ahead = 400 * 86_400_000
const restShown = 20

/** A person's own appointments, or of those they care for: what comes; and folded away what was, and what is cancelled. */
export function Mine(): JSX.Element {
  const engine = useEngine()
  const { w, n } = useWords()
  const b = w.visit.booking
  const [now] = useState(() => Date.now())
  const booked = useLoad(() => engine.appointments(new Date(now - past).toISOString(), new Date(now + ahead).toISOString()), ['appointments', 'people'])
  const all = booked.value ?? []
  const coming = all.filter((a) => Date.parse(a.end) > now && a.state !== 'ended' && a.state !== 'cancelled')
  const rest = all.filter((a) => !coming.includes(a)).reverse().slice(0, restShown)
  return (
    <Card title={b.mine}>
      <ErrorPanel error={booked.error} onRetry={booked.again} />
      {booked.value === undefined ? booked.loading && <Progress label={w.loading} done={0} total={0} />
        : coming.length === 0 ? <Empty icon="calendar" title={b.noneMine} /> : <Rows of={coming} dated />}
      {rest.length > 0 && <Folded label={b.restOf(n(rest.length))}><Rows of={rest} dated /></Folded>}
    </Card>
  )
}
