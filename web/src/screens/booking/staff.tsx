// Staff book for a patient: one visit or a series. What is in the way is named before anything is booked.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords } from '../../app/context.tsx'
import { useQuery } from '../../app/router.tsx'
import { clockOf, dayOf, ownZone, sameClock, timeThere, zoneName } from '../../app/zone.ts'
import type { NewAppointment, Planned, Repeat } from '../../engine/types.ts'
import { Button, Card, Check, Choices, ErrorPanel, Field, Notice, Select, Tag, announce, toFirstError } from '../../parts/index.tsx'
import { midnight } from './agenda.tsx'
import { PickPatient } from './pick.tsx'
import { sayWhen } from './row.tsx'

const lengths = [10, 15, 20, 30, 45, 60, 90]
const usualMinutes = 20
const seriesLengths = [2, 3, 4, 5, 6, 8, 10, 12, 20, 26]
const aboutRows = 2

function nextHalfHour(): Date {
  const half = 30 * 60_000
  return new Date(Math.ceil(Date.now() / half) * half)
}

/** onDay: when a day is chosen, so that what is booked then can be seen beside it. */
export function BookStaff({ onDay }: { onDay: (day: Date) => void }): JSX.Element {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const b = w.visit.booking
  const { busy, error, act, clear } = useAct()
  const people = useLoad(() => engine.people(), ['people'])
  const asked = useQuery('patient')
  const [patient, setPatient] = useState(asked)
  const [clinician, setClinician] = useState('')
  const [soon] = useState(nextHalfHour)
  const [day, setDay] = useState(dayOf(soon))
  const [time, setTime] = useState(clockOf(soon))
  const [minutes, setMinutes] = useState('')
  const [every, setEvery] = useState('')
  const [times, setTimes] = useState('4')
  const [reason, setReason] = useState('')
  const [anyway, setAnyway] = useState(false)
  const [plan, setPlan] = useState<readonly Planned[] | undefined>(undefined)
  const [tried, setTried] = useState(false)
  useEffect(() => { if (asked) setPatient(asked) }, [asked])
  const patients = (people.value ?? []).filter((p) => p.chart && p.state === 'active')
  const clinicians = (people.value ?? []).filter((p) => p.roles.includes('clinician') && p.state === 'active')
  const who = patients.find((p) => p.person === patient)
  const self = clinicians.find((p) => p.person === engine.me?.person)
  const whom = clinicians.find((p) => p.person === clinician) ?? (clinician === '' ? self ?? (clinicians.length === 1 ? clinicians[0] : undefined) : undefined)
  const rules = useLoad(async () => (whom ? engine.availability(whom.person) : undefined), [], [whom?.person])
  const length = Number(minutes || rules.value?.length || usualMinutes)
  const zone = rules.value?.timeZone || ownZone()
  const start = new Date(`${day}T${time}`)
  const valid = !Number.isNaN(start.getTime())
  const clashes = plan?.filter((p) => p.clash) ?? []
  const changed = (set: (text: string) => void) => (text: string): void => {
    setPlan(undefined)
    setAnyway(false)
    clear()
    set(text)
  }
  const choose = (text: string): void => {
    setDay(text)
    const chosen = new Date(`${text}T12:00`)
    if (!Number.isNaN(chosen.getTime())) onDay(midnight(chosen))
  }
  const submit = (form: HTMLFormElement): void => {
    setTried(true)
    if (!who?.chart || !whom || !valid) {
      toFirstError(form)
      return
    }
    const wanted: NewAppointment = {
      start: start.toISOString(), end: new Date(start.getTime() + length * 60_000).toISOString(), patient: who.person, chart: who.chart, with: whom.person, ...(reason.trim() && { reason: reason.trim() }),
      ...(every && { repeat: { every: every as Repeat['every'], times: Number(times), timeZone: zone } }),
    }
    void act(async () => {
      const now = plan ?? (await engine.plan(wanted))
      setPlan(now)
      if (plan === undefined && (every !== '' || now.some((p) => p.clash))) return // first they see
      const skip = now.flatMap((p, i) => (every && p.clash && !(anyway && p.clash !== 'skipped') ? [i] : []))
      await engine.book({ ...wanted, ...(skip.length > 0 && { skip }), ...(anyway && { overlap: true }) })
      announce(b.booked(`${who.name || w.unnamed}, ${sayWhen(w, date, wanted.start)}`))
      setPatient('')
      setReason('')
      setPlan(undefined)
      setAnyway(false)
      setEvery('')
      setTried(false)
    })
  }
  const inWay = (p: Planned): string => p.clash === 'skipped' ? b.skipped : p.clash === 'patient' ? b.patientBusy(who?.name || w.unnamed) : b.hostBusy(whom?.name || w.unnamed)
  return (
    <Card title={w.home.book}>
      <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
        <ErrorPanel error={people.error} onRetry={people.again} />
        {people.value && patients.length === 0 ? <Notice><p>{w.calendar.noPatients}</p></Notice> : <PickPatient label={w.calendar.patient} people={patients} value={who?.person ?? ''} onInput={changed(setPatient)} {...(tried && !who && { error: w.needed.patient })} />}
        <Select label={w.calendar.with} value={whom?.person ?? ''} onInput={changed(setClinician)} options={[{ value: '', label: w.calendar.choose }, ...clinicians.map((p) => ({ value: p.person, label: p.name || w.unnamed }))]} {...(tried && !whom && { error: w.needed.clinician })} />
        <div class="two">
          <Field label={w.calendar.day} type="date" value={day} onInput={changed(choose)} required />
          <Field label={w.calendar.time} type="time" value={time} onInput={changed(setTime)} required />
        </div>
        {whom && valid && !sameClock(zone, ownZone(), start.toISOString()) && <p class="small soft">{b.theirZone(whom.name || w.unnamed, timeThere(zone, start.toISOString(), lang), zoneName(zone, lang))}</p>}
        <div class="two">
          <Select label={w.calendar.length} value={String(length)} onInput={changed(setMinutes)} options={[...new Set([...lengths, length])].sort((x, y) => x - y).map((n) => ({ value: String(n), label: w.calendar.minutes(n) }))} />
          <Select label={b.repeat} value={every} onInput={changed(setEvery)} options={[{ value: '', label: b.once }, ...(['week', 'fortnight', 'month'] as const).map((value) => ({ value, label: b.every[value] }))]} />
        </div>
        {every && <><Choices compact label={b.times} name="times" value={times} onInput={changed(setTimes)} options={seriesLengths.map((n) => ({ value: String(n), label: new Intl.NumberFormat(lang).format(n) }))} /><p class="small soft">{b.sameTime}</p></>}
        {self && <Field label={b.about} hint={b.aboutHintStaff} value={reason} onInput={setReason} multiline rows={aboutRows} />}
        {valid && start.getTime() + length * 60_000 < Date.now() && <Notice kind="warn"><p>{w.calendar.isPast}</p></Notice>}
        {plan && every && (
          <div class="stack-tight"><p class="label">{b.plan}</p>
            <ul class="list">{plan.map((p) => <li key={p.starts} class="item"><span class="main"><span>{w.date.at(date(p.starts, 'weekday'), date(p.starts, 'time'))}</span>{p.clash && <span class="small soft">{inWay(p)}</span>}</span>{p.clash && !(anyway && p.clash !== 'skipped') && <Tag kind="warn">{b.leftOut}</Tag>}</li>)}</ul>
          </div>
        )}
        {plan && !every && clashes[0] && <Notice kind="warn"><p>{inWay(clashes[0])}</p></Notice>}
        {clashes.some((p) => p.clash !== 'skipped') && <Check checked={anyway} onInput={setAnyway}>{b.anyway}</Check>}
        {!self && <p class="small soft">{w.calendar.private}</p>}
        {error?.code === 'conflict' ? <Notice kind="warn"><p>{error.message.includes('patient') ? b.patientBusy(who?.name || w.unnamed) : b.hostBusy(whom?.name || w.unnamed)}</p></Notice> : <ErrorPanel error={error} />}
        <div><Button type="submit" busy={busy}>{every ? (plan ? b.bookSeries : b.check2) : w.calendar.book}</Button></div>
      </form>
    </Card>
  )
}
