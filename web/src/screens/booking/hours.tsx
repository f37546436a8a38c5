// When patients may book a clinician by themselves: hours of the week by the clock on the wall, and the clinic's rules.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords } from '../../app/context.tsx'
import { firstWeekday, ownZone, spanOf, zoneName, zones } from '../../app/zone.ts'
import type { Availability } from '../../engine/types.ts'
import { Button, Card, ErrorPanel, Field, Progress, Select, announce, toFirstError } from '../../parts/index.tsx'
import { Pick } from './pick.tsx'

const lengths = [10, 15, 20, 30, 45, 60]
const notices = [0, 60, 120, 240, 720, 1440, 2880]
const horizons = [0, 7, 14, 30, 60, 90, 180]
const most = 28 // hours of a week in parts, as the server takes them
const workdays = [1, 2, 3, 4, 5]
const start: Availability = { timeZone: '', weekly: [], length: 20, notice: 120, horizon: 60 }

export function Hours(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const b = w.visit.booking
  const me = engine.me
  const desk = me?.roles.includes('frontdesk') === true
  const own = me?.roles.includes('clinician') ? me.person : ''
  const [whose, setWhose] = useState(own)
  const people = useLoad(async () => (desk ? engine.people() : []), ['people'])
  const clinicians = (people.value ?? []).filter((p) => p.roles.includes('clinician') && p.state === 'active')
  const person = whose || clinicians[0]?.person
  return (
    <Card title={b.hours.title}>
      <p class="soft">{b.hours.lead} {b.hours.lead2}</p>
      <ErrorPanel error={people.error} onRetry={people.again} />
      {desk && clinicians.length > 1 && <Select label={b.hours.whose} value={person ?? ''} onInput={setWhose} options={clinicians.map((p) => ({ value: p.person, label: p.name || w.unnamed }))} />}
      {person && <Week key={person} person={person} />}
    </Card>
  )
}

function Week({ person }: { person: string }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const h = w.visit.booking.hours
  const { busy, error, act } = useAct()
  const kept = useLoad(() => engine.availability(person), [], [person])
  const [a, setA] = useState(start)
  const [tried, setTried] = useState(false)
  useEffect(() => { if (kept.value) setA(kept.value.timeZone ? kept.value : { ...start, timeZone: ownZone() }) }, [kept.value])
  if (kept.value === undefined) return kept.error ? <ErrorPanel error={kept.error} onRetry={kept.again} /> : <Progress label={w.loading} done={0} total={0} />
  const set = (next: Partial<Availability>): void => setA({ ...a, ...next })
  const windows = (day: number): readonly number[] => a.weekly.flatMap((win, i) => (win.day === day ? [i] : []))
  const change = (at: number, next: Partial<Availability['weekly'][number]>): void => set({ weekly: a.weekly.map((win, i) => (i === at ? { ...win, ...next } : win)) })
  const wrong = (i: number): boolean => (a.weekly[i]?.from ?? '') >= (a.weekly[i]?.to ?? '')
  const add = (day: number): void => {
    const last = windows(day).at(-1)
    const from = last === undefined ? '09:00' : (a.weekly[last]?.to ?? '13:00')
    set({ weekly: [...a.weekly, { day, from, to: last === undefined ? '13:00' : later(from) }] })
  }
  const copy = (day: number): void => {
    const of = a.weekly.filter((win) => win.day === day)
    set({ weekly: [...a.weekly.filter((win) => !workdays.includes(win.day)), ...workdays.flatMap((d) => of.map((win) => ({ ...win, day: d })))] })
  }
  const submit = (form: HTMLFormElement): void => {
    setTried(true)
    if (a.timeZone === '' || a.weekly.some((_, i) => wrong(i))) {
      toFirstError(form)
      return
    }
    void act(() => engine.setAvailability(person, a)).then((ok) => ok && announce(h.saved))
  }
  const named = (day: number): string => new Intl.DateTimeFormat(lang, { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2023, 0, 1 + day))) // a Sunday, and on
  const days = Array.from({ length: 7 }, (_, i) => (firstWeekday(lang) + i) % 7)
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
      <Pick label={h.zone} hint={h.zoneFind} rows={zoneRows(lang)} value={a.timeZone} onInput={(timeZone) => set({ timeZone })} none={h.zoneNone} />
      {days.map((day) => (
        <fieldset key={day} class="hours"><legend>{named(day)}</legend>
          {windows(day).length === 0 && <p class="soft small">{h.closed}</p>}
          {windows(day).map((i) => (
            <div key={i} class="hours-row">
              <Field label={h.from} type="time" value={a.weekly[i]?.from ?? ''} onInput={(from) => change(i, { from })} required />
              <Field label={h.to} type="time" value={a.weekly[i]?.to ?? ''} onInput={(to) => change(i, { to })} required {...(tried && wrong(i) && { error: h.wrong })} />
              <Button kind="quiet" icon="trash" onClick={() => set({ weekly: a.weekly.filter((_, at) => at !== i) })} label={h.removeOf(named(day), a.weekly[i]?.from ?? '')}>{w.remove}</Button>
            </div>
          ))}
          <div class="row tight">{a.weekly.length < most && <Button kind="quiet" onClick={() => add(day)} label={`${h.add}: ${named(day)}`}>{h.add}</Button>}{day === 1 && windows(day).length > 0 && <Button kind="quiet" icon="copy" onClick={() => copy(day)}>{h.copy}</Button>}</div>
        </fieldset>
      ))}
      <Select label={h.length} value={String(a.length)} onInput={(n) => set({ length: Number(n) })} options={options(lengths, a.length, (n) => spanOf(n, lang))} />
      <Select label={h.notice} value={String(a.notice)} onInput={(n) => set({ notice: Number(n) })} options={options(notices, a.notice, (n) => (n === 0 ? h.noNotice : spanOf(n, lang)))} />
      <Select label={h.horizon} value={String(a.horizon)} onInput={(n) => set({ horizon: Number(n) })} options={options(horizons, a.horizon, (n) => (n === 0 ? h.noHorizon : spanOf(n * 1440, lang)))} />
      <div><Button type="submit" busy={busy}>{h.save}</Button></div>
      <ErrorPanel error={error} />
    </form>
  )
}

const options = (usual: readonly number[], now: number, say: (n: number) => string): { value: string; label: string }[] =>
  [...new Set([...usual, now])].sort((x, y) => x - y).map((n) => ({ value: String(n), label: say(n) }))

/** Two hours later on the same day. */
function later(time: string): string {
  const hour = Math.min(Number(time.slice(0, 2)) + 2, 23)
  return hour === 23 ? '23:45' : `${String(hour).padStart(2, '0')}${time.slice(2)}`
}

const known = new Map<string, readonly { id: string; name: string; search: string }[]>()

/** Zones by their names in a language; found by city, region and name. The browser's own is first. */
function zoneRows(lang: string): readonly { id: string; name: string; search: string }[] {
  let rows = known.get(lang)
  if (!rows) {
    const own = ownZone()
    rows = [...new Set([own, ...zones(), 'UTC'])].map((id) => ({ id, name: zoneName(id, lang), search: `${id.replaceAll('_', ' ')} ${zoneName(id, lang)}` }))
    known.set(lang, rows)
  }
  return rows
}
