// A patient, or who cares for one, books by themselves: with whom, a day, a time, and what it is about.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords } from '../../app/context.tsx'
import type { ID, Member, Person } from '../../engine/types.ts'
import { Button, Card, Choices, Empty, ErrorPanel, Field, Notice, Progress, announce, toFirstError } from '../../parts/index.tsx'
import { sayWhen } from './row.tsx'
import { Times, type Slot } from './times.tsx'

const aboutRows = 2

export function BookSelf(): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const b = w.visit.booking
  const { busy, error, act, clear } = useAct()
  const charts = useLoad(() => engine.charts(), ['charts'])
  const people = useLoad(() => engine.people(), ['people'])
  const [forChart, setForChart] = useState('')
  const [whom, setWhom] = useState('')
  const [slot, setSlot] = useState<Slot | undefined>(undefined)
  const [reason, setReason] = useState('')
  const [none, setNone] = useState(false) // of their times is free
  const [tried, setTried] = useState(false)
  const [turn, setTurn] = useState(0)
  const [done, setDone] = useState('')
  const chart = charts.value?.find((c) => c.chart === forChart) ?? charts.value?.[0]
  const team = useLoad(async () => (chart ? engine.members(chart.chart) : []), ['people'], [chart?.chart])
  const clinicians = careTeam(people.value ?? [], team.value ?? [])
  const with_ = clinicians.find((p) => p.person === whom) ?? (clinicians.length === 1 ? clinicians[0] : undefined)
  const name = with_?.name || w.unnamed
  const submit = (form: HTMLFormElement): void => {
    setTried(true)
    if (!chart || !with_ || !slot) {
      toFirstError(form)
      return
    }
    void act(() => engine.book({ ...slot, patient: chart.owner, chart: chart.chart, with: with_.person, ...(reason.trim() && { reason: reason.trim() }) })).then((ok) => {
      setTurn(turn + 1) // what is free has changed, either way
      setSlot(undefined)
      if (!ok) return
      setTried(false)
      setReason('')
      setDone(b.booked(`${sayWhen(w, date, slot.start)}, ${w.calendar.withName(name)}`))
      announce(b.booked(sayWhen(w, date, slot.start)))
    })
  }
  if (done) {
    return (
      <Card title={b.book}>
        <Notice kind="good" title={done}><p>{b.whereNow}</p></Notice>
        <div class="row"><Button kind="plain" icon="clock" href="/settings?to=reminders">{b.remindMe}</Button><Button kind="quiet" onClick={() => setDone('')}>{b.another}</Button></div>
      </Card>
    )
  }
  const waiting = people.value === undefined || charts.value === undefined || team.value === undefined
  return (
    <Card title={b.book}>
      <ErrorPanel error={people.error ?? charts.error ?? team.error} onRetry={() => { people.again(); charts.again(); team.again() }} />
      {waiting ? <Progress label={w.loading} done={0} total={0} /> : clinicians.length === 0 ? <Empty icon="calendar" title={b.noClinicians}><p>{b.noTimesDo}</p></Empty> : (
        <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
          {(charts.value?.length ?? 0) > 1 && <Choices label={b.forWhom} name="chart" value={chart?.chart ?? ''} onInput={setForChart} options={(charts.value ?? []).map((c) => ({ value: c.chart, label: c.purpose === 'self' ? w.you : c.name || w.unnamed }))} />}
          <Choices label={b.withWhom} name="with" value={with_?.person ?? ''} onInput={(p) => { setWhom(p); setSlot(undefined); setNone(false); clear() }} options={clinicians.map((p) => ({ value: p.person, label: p.name || w.unnamed }))} />
          {tried && !with_ && <p class="field"><span class="error">{b.needWhom}</span></p>}
          {error?.code === 'conflict' && <Notice kind="warn" title={b.taken}><p>{b.takenDo}</p></Notice>}
          {with_ && <Times key={with_.person} clinician={with_.person} name={name} value={slot} onInput={setSlot} onNone={setNone} turn={turn} missing={tried} {...(chart && { chart: chart.chart })} />}
          {slot && <Field label={b.about} hint={b.aboutHint} value={reason} onInput={setReason} multiline rows={aboutRows} />}
          {with_ && !none && <div><Button type="submit" busy={busy} {...(slot && { large: true })}>{slot ? `${w.calendar.book}: ${sayWhen(w, date, slot.start)}` : w.calendar.book}</Button></div>}
          {error?.code !== 'conflict' && <ErrorPanel error={error} />}
        </form>
      )}
    </Card>
  )
}

/** Clinicians who share the chart by name, or all who share it as a team. */
function careTeam(people: readonly Person[], members: readonly Member[]): readonly Person[] {
  const clinicians = people.filter((p) => p.roles.includes('clinician') && p.state === 'active')
  const live = members.filter((m) => m.state === 'live')
  const named = new Set<ID | undefined>(live.map((m) => m.person))
  const direct = clinicians.filter((p) => named.has(p.person))
  return live.some((m) => m.team !== undefined) ? [...direct, ...clinicians.filter((p) => !named.has(p.person))] : direct
}
