import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { Link } from '../app/router.tsx'
import type { Appointment } from '../engine/types.ts'
import { Button, Card, Empty, ErrorPanel, Field, Progress, Select } from '../parts/index.tsx'
import { Status } from './home.tsx'

const lengths = [15, 20, 30, 45, 60]

export default function Calendar(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const list = useLoad(() => engine.appointments('0000', '9999'), ['appointments'])
  const now = new Date().toISOString()
  const coming = (list.value ?? []).filter((a) => a.end >= now && a.status !== 'cancelled')
  const past = (list.value ?? []).filter((a) => a.end < now || a.status === 'cancelled').reverse()
  return (
    <>
      <h1 tabIndex={-1}>{w.calendar.title}</h1>
      <div class="columns">
        <div class="stack-wide">
          <Card title={w.calendar.upcoming}>
            <ErrorPanel error={list.error} onRetry={list.again} />
            {list.value === undefined ? <Progress label={w.loading} done={0} total={0} /> : coming.length === 0 ? <Empty title={w.calendar.none} /> : <ul class="list">{coming.map((a) => <li key={a.id}><Row a={a} /></li>)}</ul>}
          </Card>
          {past.length > 0 && <Card title={w.calendar.past}><ul class="list">{past.slice(0, 30).map((a) => <li key={a.id}><Row a={a} /></li>)}</ul></Card>}
        </div>
        <Book />
      </div>
    </>
  )
}

function Row({ a }: { a: Appointment }): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const { busy, error, act } = useAct()
  const open = a.status === 'booked' || a.status === 'arrived'
  return (
    <div class="item">
      <span class="main"><span class="when">{date(a.start, 'weekday')}, {date(a.start, 'time')}</span><Link href={`/chart/${a.chart}`}>{a.patientName || w.unnamed}</Link><span class="soft small">{w.calendar.withName(a.withName)}</span></span>
      <Status status={a.status} />
      {open && a.end >= new Date().toISOString() && (
        <span class="row">
          {a.status === 'booked' && <Button kind="plain" busy={busy} onClick={() => { void act(() => engine.setAppointment(a.id, 'arrived')) }}>{w.calendar.arrived}</Button>}
          <Button kind="quiet" busy={busy} onClick={() => { void act(() => engine.setAppointment(a.id, 'cancelled')) }}>{w.calendar.cancel}</Button>
        </span>
      )}
      <ErrorPanel error={error} />
    </div>
  )
}

function Book(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const people = useLoad(() => engine.people(), ['people'])
  const today = new Date()
  const [patient, setPatient] = useState(new URLSearchParams(location.search).get('patient') ?? '')
  const [clinician, setClinician] = useState('')
  const [day, setDay] = useState(`${today.getFullYear()}-${String(today.getMonth() + 1).padStart(2, '0')}-${String(today.getDate()).padStart(2, '0')}`)
  const [time, setTime] = useState('09:00')
  const [minutes, setMinutes] = useState('20')
  const patients = (people.value ?? []).filter((p) => p.chart && p.state === 'active')
  const clinicians = (people.value ?? []).filter((p) => p.roles.includes('clinician') && p.state === 'active')
  const who = patients.find((p) => p.person === patient)
  const withWhom = clinicians.find((p) => p.person === clinician)
  const submit = (): void => {
    if (!who?.chart || !withWhom) return
    const start = new Date(`${day}T${time}`)
    const end = new Date(start.getTime() + Number(minutes) * 60_000)
    void act(() => engine.book({ start: start.toISOString(), end: end.toISOString(), patient: who.person, chart: who.chart as string, with: withWhom.person })).then((ok) => ok && setPatient(''))
  }
  const choose = { value: '', label: w.calendar.choose }
  return (
    <Card title={w.home.book}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); submit() }}>
        <Select label={w.calendar.patient} value={patient} onInput={setPatient} options={[choose, ...patients.map((p) => ({ value: p.person, label: p.name || w.unnamed }))]} />
        <Select label={w.calendar.with} value={clinician} onInput={setClinician} options={[choose, ...clinicians.map((p) => ({ value: p.person, label: p.name || w.unnamed }))]} />
        <Field label={w.calendar.day} type="date" value={day} onInput={setDay} required />
        <Field label={w.calendar.time} type="time" value={time} onInput={setTime} required />
        <Select label={w.calendar.length} value={minutes} onInput={setMinutes} options={lengths.map((n) => ({ value: String(n), label: w.calendar.minutes(n) }))} />
        <p class="small soft">{w.calendar.private}</p>
        <Button type="submit" busy={busy} disabled={!who || !withWhom}>{w.calendar.book}</Button>
        <ErrorPanel error={error} />
      </form>
    </Card>
  )
}
