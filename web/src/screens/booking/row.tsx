// An appointment in a list: when, with whom, how it stands, the door when it is time, and what can be done about it.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords, type WordsInUse } from '../../app/context.tsx'
import { Link } from '../../app/router.tsx'
import { clockOf, dayOf, ownZone, sameClock, spanOf, timeThere, zoneName } from '../../app/zone.ts'
import type { Appointment } from '../../engine/types.ts'
import { Button, Check, Dialog, ErrorPanel, Field, Notice, Tag, announce, toFirstError } from '../../parts/index.tsx'
import type { Words } from '../../words/en.ts'
import { icsOf } from './ics.ts'
import { Times, type Slot } from './times.tsx'

/** How long before a visit its door is shown, in ms. */
const doorOpens = 15 * 60_000
const aboutRows = 2

export const isComing = (a: Appointment): boolean => (a.state === 'booked' || a.state === 'open') && Date.parse(a.end) > Date.now()
export const isDue = (a: Appointment): boolean => a.state === 'open' || (a.state === 'booked' && Date.parse(a.start) - doorOpens <= Date.now() && Date.now() < Date.parse(a.end))

/** A day as people say it: today, tomorrow, or its name and date. */
export function sayDay(w: Words, date: WordsInUse['date'], iso: string): string {
  const midnight = (time: Date): number => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime()
  const days = Math.round((midnight(new Date(iso)) - midnight(new Date())) / 86_400_000)
  return days === 0 ? w.date.today : days === 1 ? w.date.tomorrow : date(iso, 'weekday')
}

export const sayWhen = (w: Words, date: WordsInUse['date'], iso: string): string => w.date.at(sayDay(w, date, iso), date(iso, 'time'))

/** Shows again what depends on the time, each minute. */
export function useMinute(): void {
  const [, again] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), 60_000)
    return () => clearInterval(timer)
  }, [])
}

export function Status({ state }: { state: Appointment['state'] }): JSX.Element {
  const { w } = useWords()
  const kind = state === 'open' ? 'good' as const : state === 'booked' ? undefined : 'plain' as const
  return <Tag {...(kind && { kind })}>{w.calendar.statuses[state]}</Tag>
}

/** The way to the visit, when it is time; and before, when that will be. */
export function DoorTo({ a, large }: { a: Appointment; large?: boolean }): JSX.Element | null {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const b = w.visit.booking
  useMinute()
  const me = engine.me
  const host = a.with === me?.person
  const desk = !host && a.patient !== me?.person && !me?.roles.includes('proxy')
  if (desk || !isComing(a)) return null
  const late = a.late > 0 && <p class="small">{b.isLate(a.withName || w.unnamed, spanOf(a.late, lang))}</p>
  if (!isDue(a)) return <>{late}</>
  return (
    <>
      {late}
      {host && a.waits && <Notice kind="good"><p>{b.waits(a.patientName || w.unnamed, date(a.waits, 'time'))}</p></Notice>}
      <div class="row"><Button icon="camera" href={`/visit/${a.id}`} {...(large && { large: true })}>{host ? b.open : b.toRoom}</Button></div>
    </>
  )
}

/** dated: with the day. alone: in a list of one clinician's, who need not be named. */
export function Row({ a, dated, alone }: { a: Appointment; dated?: boolean; alone?: boolean }): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const me = engine.me
  const [open, setOpen] = useState(false)
  const patient = a.patient === me?.person
  const other = patient ? w.calendar.withName(a.withName || w.unnamed) : a.patientName || w.unnamed
  return (
    <div class="appointment">
      <details class="opens" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary class="item">
          <span class="when">{dated ? sayWhen(w, date, a.start) : date(a.start, 'time')}</span>
          <span class="main"><bdi class="title">{other}</bdi>{!patient && !alone && a.with !== me?.person && <span class="soft small">{w.calendar.withName(a.withName || w.unnamed)}</span>}</span>
          <Status state={a.state} />
        </summary>
        {open && <div class="inside stack"><Inside a={a} /></div>}
      </details>
      <DoorTo a={a} />
    </div>
  )
}

type Asking = 'move' | 'cancel' | 'about'

function Inside({ a }: { a: Appointment }): JSX.Element {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const b = w.visit.booking
  const [asking, setAsking] = useState<Asking | undefined>(undefined)
  const me = engine.me
  const staff = me?.roles.some((r) => r === 'clinician' || r === 'frontdesk') === true
  const reads = me?.roles.includes('clinician') || a.patient === me?.person || me?.roles.includes('proxy')
  const rules = useLoad(() => engine.availability(a.with), [], [a.with])
  const begun = Date.parse(a.start) <= Date.now()
  const late = !staff && rules.value !== undefined && Date.parse(a.start) - rules.value.notice * 60_000 < Date.now()
  const zone = rules.value?.timeZone
  const close = (): void => setAsking(undefined)
  // Staff look into a chart when they ask for it, and its patient sees that they did: not for each line of a calendar.
  useEffect(() => { if (reads && !a.reason) void engine.readReasons(a.chart) }, [a.id])
  return (
    <>
      <p class="soft small">{date(a.start, 'time')} – {date(a.end, 'time')}{zone && !sameClock(zone, ownZone(), a.start) && <><br />{b.theirZone(a.withName || w.unnamed, timeThere(zone, a.start, lang), zoneName(zone, lang))}</>}{a.series && <><br />{b.isSeries}</>}</p>
      {!staff && isComing(a) && !isDue(a) && <p class="soft small">{b.roomOpens(date(new Date(Date.parse(a.start) - doorOpens).toISOString(), 'time'))}</p>}
      {a.reason && <p><span class="soft">{b.aboutIs}: </span><bdi>{a.reason}</bdi></p>}
      {me?.roles.includes('clinician') && <Link href={`/chart/${a.chart}`} class="contact">{w.people.openChart}</Link>}
      {a.state === 'booked' && !begun && (late ? (
        <Notice kind="warn"><p>{b.tooLate(spanOf(rules.value?.notice ?? 0, lang))} {b.tooLateDo}</p><div><Button kind="plain" icon="message" href={`/chart/${a.chart}/messages`}>{b.write}</Button></div></Notice>
      ) : <div class="row"><Button kind="plain" icon="calendar" onClick={() => setAsking('move')}>{b.move}</Button><Button kind="quiet" onClick={() => setAsking('cancel')}>{b.cancel}</Button></div>)}
      {isComing(a) && (
        <div class="row">
          <Button kind="quiet" icon="take" onClick={() => save(icsOf(a, b.ics), 'appointment.ics')}>{b.toCalendar}</Button>
          {reads && !a.reason && <Button kind="quiet" icon="note" onClick={() => setAsking('about')}>{b.aboutAdd}</Button>}
          {!staff && <Button kind="quiet" icon="device" href="/check">{b.check}</Button>}
        </div>
      )}
      <Dialog open={asking === 'move'} onClose={close} title={b.moveTitle}>{asking === 'move' && (staff ? <MoveStaff a={a} onDone={close} /> : <MoveSelf a={a} onDone={close} />)}</Dialog>
      <Dialog open={asking === 'cancel'} onClose={close} title={a.patient === me?.person ? b.cancelOwn(a.withName || w.unnamed) : w.calendar.cancelTitle(a.patientName || w.unnamed)}>{asking === 'cancel' && <Cancel a={a} onDone={close} />}</Dialog>
      <Dialog open={asking === 'about'} onClose={close} title={b.about}>{asking === 'about' && <About a={a} onDone={close} />}</Dialog>
    </>
  )
}

function save(text: string, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/calendar' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

interface Asked { readonly a: Appointment; readonly onDone: () => void }

function MoveSelf({ a, onDone }: Asked): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const b = w.visit.booking
  const { busy, error, act } = useAct()
  const [slot, setSlot] = useState<Slot | undefined>(undefined)
  const [tried, setTried] = useState(false)
  const [turn, setTurn] = useState(0)
  const submit = (): void => {
    setTried(true)
    if (!slot) return
    void act(() => engine.move(a, slot.start, slot.end, false)).then((ok) => {
      setTurn(turn + 1)
      setSlot(undefined)
      if (!ok) return
      announce(b.moved(sayWhen(w, date, slot.start)))
      onDone()
    })
  }
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit() }}>
      <p class="soft">{b.now(sayWhen(w, date, a.start))}</p>
      {error?.code === 'conflict' && <Notice kind="warn" title={b.taken}><p>{b.takenDo}</p></Notice>}
      <Times clinician={a.with} name={a.withName || w.unnamed} value={slot} onInput={setSlot} chart={a.chart} turn={turn} missing={tried} />
      <div><Button type="submit" busy={busy}>{slot ? `${b.move}: ${sayWhen(w, date, slot.start)}` : b.move}</Button></div>
      {error?.code !== 'conflict' && <ErrorPanel error={error} />}
    </form>
  )
}

function MoveStaff({ a, onDone }: Asked): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const b = w.visit.booking
  const { busy, error, act, clear } = useAct()
  const [day, setDay] = useState(dayOf(new Date(a.start)))
  const [time, setTime] = useState(clockOf(new Date(a.start)))
  const [anyway, setAnyway] = useState(false)
  const [inWay, setInWay] = useState('')
  useEffect(() => { if (error?.code === 'conflict') setInWay(error.message.includes('patient') ? b.patientBusy(a.patientName || w.unnamed) : b.hostBusy(a.withName || w.unnamed)) }, [error])
  const start = new Date(`${day}T${time}`)
  const valid = !Number.isNaN(start.getTime())
  const submit = (form: HTMLFormElement): void => {
    if (!valid) {
      toFirstError(form)
      return
    }
    const end = new Date(start.getTime() + Date.parse(a.end) - Date.parse(a.start)).toISOString()
    void act(() => engine.move(a, start.toISOString(), end, anyway)).then((ok) => {
      if (!ok) return
      announce(b.moved(sayWhen(w, date, start.toISOString())))
      onDone()
    })
  }
  const changed = (set: (text: string) => void) => (text: string): void => { clear(); setAnyway(false); setInWay(''); set(text) }
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
      <p class="soft">{b.now(sayWhen(w, date, a.start))}</p>
      <div class="two"><Field label={w.calendar.day} type="date" value={day} onInput={changed(setDay)} required /><Field label={w.calendar.time} type="time" value={time} onInput={changed(setTime)} required /></div>
      {inWay && <Notice kind="warn"><p>{inWay}</p><Check checked={anyway} onInput={setAnyway}>{b.anyway}</Check></Notice>}
      <div><Button type="submit" busy={busy}>{b.moveTo}</Button></div>
      {error?.code !== 'conflict' && <ErrorPanel error={error} />}
    </form>
  )
}

function Cancel({ a, onDone }: Asked): JSX.Element {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const b = w.visit.booking
  const { busy, error, act } = useAct()
  const rules = useLoad(() => engine.availability(a.with), [], [a.with])
  const cancel = (series: boolean): void => {
    void act(() => engine.cancel(a, series)).then((ok) => {
      if (!ok) return
      announce(b.cancelled)
      onDone()
      document.querySelector<HTMLElement>('main h1')?.focus() // its line is folded away, and with it the button
    })
  }
  return (
    <div class="stack">
      <p><span class="when">{sayWhen(w, date, a.start)}</span>. {b.cancelText}</p>
      <div class="row"><Button kind="danger" busy={busy} onClick={() => cancel(false)}>{a.series ? b.cancelOne : b.cancel}</Button>{a.series && <Button kind="danger" busy={busy} onClick={() => cancel(true)}>{b.cancelAll}</Button>}<Button kind="plain" onClick={onDone}>{w.calendar.keep}</Button></div>
      {error?.code === 'conflict' ? <Notice kind="warn"><p>{b.tooLate(spanOf(rules.value?.notice ?? 0, lang))} {b.tooLateDo}</p></Notice> : <ErrorPanel error={error} />}
    </div>
  )
}

function About({ a, onDone }: Asked): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const b = w.visit.booking
  const { busy, error, act } = useAct()
  const [reason, setReason] = useState('')
  const text = reason.trim()
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); if (text) void act(() => engine.describe(a, text)).then((ok) => ok && onDone()); else toFirstError(event.currentTarget) }}>
      <Field label={b.about} hint={b.aboutHint} value={reason} onInput={setReason} multiline rows={aboutRows} autofocus />
      <div><Button type="submit" busy={busy}>{w.save}</Button></div><ErrorPanel error={error} />
    </form>
  )
}
