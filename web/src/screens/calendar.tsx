// Appointments, by day: who sees whom and when. What a visit is about is in the chart, not here.

import type { JSX } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { Link, useQuery } from '../app/router.tsx'
import { matches } from '../app/text.ts'
import type { Appointment, Person } from '../engine/types.ts'
import { Button, Card, Dialog, Empty, ErrorPanel, Face, Field, Notice, Progress, Select, announce, toFirstError } from '../parts/index.tsx'
import { Status, useDay } from './home.tsx'

const lengths = [15, 20, 30, 45, 60]
const usualMinutes = '20'
const pastShown = 30
const shownBefore = 31 * 86_400_000
const shownAhead = 366 * 86_400_000

export default function Calendar(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const [now] = useState(() => Date.now())
  const booked = useLoad(() => engine.appointments(new Date(now - shownBefore).toISOString(), new Date(now + shownAhead).toISOString()), ['appointments', 'people'])
  const [whose, setWhose] = useState('')
  const all = booked.value ?? []
  const clinicians = [...new Map(all.map((a) => [a.with, a.withName || w.unnamed])).entries()]
  const shown = all.filter((a) => whose === '' || a.with === whose)
  const midnight = new Date(new Date().setHours(0, 0, 0, 0)).toISOString()
  const coming = shown.filter((a) => a.start >= midnight)
  const past = shown.filter((a) => a.start < midnight).reverse().slice(0, pastShown)
  return (
    <>
      <h1 tabIndex={-1}>{w.calendar.title}</h1>
      <div class="columns">
        <div class="stack-wide">
          <Card title={w.calendar.upcoming}>
            {clinicians.length > 1 && <Select label={w.calendar.whose} value={whose} onInput={setWhose} options={[{ value: '', label: w.calendar.everyone }, ...clinicians.map(([value, label]) => ({ value, label }))]} />}
            <ErrorPanel error={booked.error} onRetry={booked.again} />
            {booked.value === undefined ? booked.loading && <Progress label={w.loading} done={0} total={0} /> : coming.length === 0 ? <Empty icon="calendar" title={w.calendar.none}><p>{w.calendar.noneText}</p></Empty> : <Days list={coming} />}
          </Card>
          {past.length > 0 && <Card title={w.calendar.past}><Days list={past} /></Card>}
        </div>
        <Book booked={all} />
      </div>
    </>
  )
}

function Days({ list }: { list: readonly Appointment[] }): JSX.Element {
  const days = new Map<string, Appointment[]>()
  for (const a of list) {
    const day = new Date(a.start).toDateString()
    days.set(day, [...(days.get(day) ?? []), a])
  }
  return <>{[...days.values()].map((of) => <Day key={of[0]?.id} of={of} />)}</>
}

function Day({ of }: { of: readonly Appointment[] }): JSX.Element {
  return <section class="day"><h3>{useDay(of[0]?.start ?? '')}</h3><ul class="list">{of.map((a) => <li key={a.id}><Row a={a} /></li>)}</ul></section>
}

function Row({ a }: { a: Appointment }): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const { busy, error, act } = useAct()
  const [cancelling, setCancelling] = useState(false)
  const name = a.patientName || w.unnamed
  const begun = new Date(a.start).getTime() < Date.now()
  return (
    <div class="item">
      <span class="when">{date(a.start, 'time')}</span>
      <span class="main">
        {engine.me?.roles.includes('clinician') ? <Link href={`/chart/${a.chart}`} class="title name"><bdi>{name}</bdi></Link> : <bdi class="title">{name}</bdi>}
        {a.with !== engine.me?.person && <span class="soft small">{w.calendar.withName(a.withName || w.unnamed)}</span>}
      </span>
      <Status state={a.state} />
      {a.state === 'booked' && !begun && <span class="row under"><Button kind="quiet" onClick={() => setCancelling(true)} label={`${w.calendar.cancel}: ${name}`}>{w.cancel}</Button></span>}
      <ErrorPanel error={cancelling ? undefined : error} />
      <Dialog open={cancelling} onClose={() => setCancelling(false)} title={w.calendar.cancelTitle(name)}>
        <p>{w.calendar.cancelText}</p>
        <div class="row"><Button kind="danger" busy={busy} onClick={() => { void act(() => engine.cancel(a, false)).then((ok) => ok && setCancelling(false)) }}>{w.calendar.cancel}</Button><Button kind="plain" onClick={() => setCancelling(false)}>{w.calendar.keep}</Button></div>
        <ErrorPanel error={error} />
      </Dialog>
    </div>
  )
}

const localDay = (time: Date): string => `${time.getFullYear()}-${String(time.getMonth() + 1).padStart(2, '0')}-${String(time.getDate()).padStart(2, '0')}`

function nextHalfHour(): Date {
  const half = 30 * 60_000
  return new Date(Math.ceil(Date.now() / half) * half)
}

function Book({ booked }: { booked: readonly Appointment[] }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const people = useLoad(() => engine.people(), ['people'])
  const asked = useQuery('patient')
  const [patient, setPatient] = useState(asked)
  const [clinician, setClinician] = useState('')
  const [soon] = useState(nextHalfHour)
  const [day, setDay] = useState(localDay(soon))
  const [time, setTime] = useState(`${String(soon.getHours()).padStart(2, '0')}:${String(soon.getMinutes()).padStart(2, '0')}`)
  const [minutes, setMinutes] = useState(usualMinutes)
  const [tried, setTried] = useState(false)
  useEffect(() => { if (asked) setPatient(asked) }, [asked])
  const patients = (people.value ?? []).filter((p) => p.chart && p.state === 'active')
  const clinicians = (people.value ?? []).filter((p) => p.roles.includes('clinician') && p.state === 'active')
  const who = patients.find((p) => p.person === patient)
  const self = clinicians.find((p) => p.person === engine.me?.person)
  const whom = clinicians.find((p) => p.person === clinician) ?? (clinician === '' ? self ?? (clinicians.length === 1 ? clinicians[0] : undefined) : undefined)
  const start = new Date(`${day}T${time}`)
  const end = new Date(start.getTime() + Number(minutes) * 60_000)
  const valid = !Number.isNaN(start.getTime())
  const clash = valid && whom && booked.some((a) => a.with === whom.person && (a.state === 'booked' || a.state === 'open') && a.start < end.toISOString() && start.toISOString() < a.end)
  const submit = (form: HTMLFormElement): void => {
    setTried(true)
    if (!who?.chart || !whom || !valid) {
      toFirstError(form)
      return
    }
    const chart = who.chart
    void act(() => engine.book({ start: start.toISOString(), end: end.toISOString(), patient: who.person, chart, with: whom.person })).then((ok) => {
      if (!ok) return
      announce(w.calendar.booked(who.name || w.unnamed))
      setPatient('')
      setTried(false)
    })
  }
  return (
    <Card title={w.home.book}>
      <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
        <ErrorPanel error={people.error} onRetry={people.again} />
        {people.value && patients.length === 0 ? <Notice><p>{w.calendar.noPatients}</p></Notice> : <Pick label={w.calendar.patient} people={patients} value={who} onInput={(p) => setPatient(p?.person ?? '')} {...(tried && !who && { error: w.needed.patient })} />}
        <Select label={w.calendar.with} value={whom?.person ?? ''} onInput={setClinician} options={[{ value: '', label: w.calendar.choose }, ...clinicians.map((p) => ({ value: p.person, label: p.name || w.unnamed }))]} {...(tried && !whom && { error: w.needed.clinician })} />
        <div class="two">
          <Field label={w.calendar.day} type="date" value={day} onInput={setDay} required />
          <Field label={w.calendar.time} type="time" value={time} onInput={setTime} required />
        </div>
        <Select label={w.calendar.length} value={minutes} onInput={setMinutes} options={lengths.map((n) => ({ value: String(n), label: w.calendar.minutes(n) }))} />
        {clash && whom && <Notice kind="warn"><p>{w.calendar.clash(whom.name || w.unnamed)}</p></Notice>}
        {valid && end.getTime() < Date.now() && <Notice kind="warn"><p>{w.calendar.isPast}</p></Notice>}
        <p class="small soft">{w.calendar.private}</p>
        <Button type="submit" busy={busy}>{w.calendar.book}</Button>
        <ErrorPanel error={error} />
      </form>
    </Card>
  )
}

const picks = 5 // matches in sight; with more, typing on is quicker than reading

/** Finds one of many people by name; the birth date tells namesakes apart. */
function Pick({ label, people, value, onInput, error }: { label: string; people: readonly Person[]; value: Person | undefined; onInput: (p: Person | undefined) => void; error?: string }): JSX.Element {
  const { w, date } = useWords()
  const [search, setSearch] = useState('')
  const id = useId()
  const born = (p: Person): JSX.Element | false => p.birthDate !== undefined && <span class="soft small">{w.home.born(date(p.birthDate, 'date'))}</span>
  if (value) {
    return (
      <div class="field" role="group" aria-labelledby={id}><span class="label" id={id}>{label}</span>
        <div class="picked"><Face name={value.name} /><span class="main"><bdi class="title">{value.name || w.unnamed}</bdi>{born(value)}</span><Button kind="quiet" onClick={() => { setSearch(''); onInput(undefined) }} label={`${w.calendar.change}: ${label}`}>{w.calendar.change}</Button></div>
      </div>
    )
  }
  const found = people.filter((p) => matches(p.name, search)).slice(0, picks)
  return (
    <div class="stack-tight">
      <Field label={label} hint={w.home.find} type="search" value={search} onInput={setSearch} autocomplete="off" {...(error && { error })} />
      <ul class="picks">{found.map((p) => <li key={p.person}><button type="button" onClick={() => onInput(p)}><Face name={p.name} /><span class="main"><bdi class="title">{p.name || w.unnamed}</bdi>{born(p)}</span></button></li>)}</ul>
      {found.length === 0 && <p class="small soft">{w.home.findNone}</p>}
    </div>
  )
}
