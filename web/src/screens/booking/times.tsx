// The free times of a clinician: a day, then a time of it, in the time zone of who chooses.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useEngine, useLoad, useWords } from '../../app/context.tsx'
import { dayOf, ownZone, sameClock, timeThere, zoneName } from '../../app/zone.ts'
import { Button, Choices, ErrorPanel, Notice, Progress } from '../../parts/index.tsx'

const ahead = 35 * 86_400_000 // what is asked for at once
const daysShown = 6

export interface Slot { readonly start: string; readonly end: string }

/** onNone: whether there is nothing to choose. */
export function Times({ clinician, name, value, onInput, onNone, chart, turn, missing }: {
  clinician: string; name: string; value: Slot | undefined; onInput: (slot: Slot | undefined) => void; onNone?: (none: boolean) => void; chart?: string; turn: number; missing?: boolean
}): JSX.Element {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const b = w.visit.booking
  const [now] = useState(() => Date.now())
  const [spans, setSpans] = useState(1)
  const [shown, setShown] = useState(daysShown)
  const [day, setDay] = useState('')
  const rules = useLoad(() => engine.availability(clinician), [], [clinician])
  const free = useLoad(() => engine.slots(clinician, new Date(now).toISOString(), new Date(now + spans * ahead).toISOString()), ['appointments'], [clinician, spans, turn])
  const none = free.value !== undefined && rules.value !== undefined && free.value.starts.length === 0 && spans * ahead >= rules.value.horizon * 86_400_000
  useEffect(() => onNone?.(none), [none])
  if (free.value === undefined || rules.value === undefined) return free.error || rules.error ? <ErrorPanel error={free.error ?? rules.error} onRetry={() => { free.again(); rules.again() }} /> : <Progress label={w.loading} done={0} total={0} />
  const { length, starts } = free.value
  const more = spans * ahead < rules.value.horizon * 86_400_000
  const days = [...new Set(starts.map((s) => dayOf(new Date(s))))]
  const later = (): void => {
    if (days.length < shown + daysShown && more) setSpans(spans + 1)
    setShown(shown + daysShown)
  }
  if (none) return <Notice><p>{b.noTimes(name)} {b.noTimesDo}</p>{chart && <div><Button kind="plain" icon="message" href={`/chart/${chart}/messages`}>{b.write}</Button></div>}</Notice>
  const times = starts.filter((s) => dayOf(new Date(s)) === day)
  const { timeZone } = rules.value
  const elsewhere = starts[0] !== undefined && !sameClock(timeZone, ownZone(), starts[0])
  const choose = (start: string): void => onInput({ start, end: new Date(new Date(start).getTime() + length * 60_000).toISOString() })
  return (
    <div class="stack">
      {days.length > 0 && (
        <div class="field slots"><span class="label" aria-hidden="true">{b.whichDay}</span>
          <Choices compact label={b.whichDay} name="day" value={day} onInput={(d) => { setDay(d); onInput(undefined) }} options={days.slice(0, shown).map((d) => ({ value: d, label: shortDay(d, lang) }))} />
        </div>
      )}
      {(days.length > shown || more) && <div><Button kind="quiet" busy={free.loading} onClick={later}>{b.moreDays}</Button></div>}
      {times.length > 0 && (
        <div class="field slots slots-times"><span class="label" aria-hidden="true">{b.whichTime}</span>
          <Choices compact label={b.whichTime} name="time" value={value?.start ?? ''} onInput={choose} options={times.map((s) => ({ value: s, label: date(s, 'time') }))} />
        </div>
      )}
      {missing && !value && <p class="field"><span class="error">{day ? b.needTime : b.needDay}</span></p>}
      {elsewhere && <p class="small soft">{b.yourZone(zoneName(ownZone(), lang))}{value && ` ${b.theirZone(name, timeThere(timeZone, value.start, lang), zoneName(timeZone, lang))}`}</p>}
    </div>
  )
}

/** A day on a button; the year where it is not this one. */
function shortDay(day: string, lang: string): string {
  const at = new Date(`${day}T12:00`)
  return new Intl.DateTimeFormat(lang, { weekday: 'short', month: 'short', day: 'numeric', ...(at.getFullYear() !== new Date().getFullYear() && { year: 'numeric' }) }).format(at)
}
