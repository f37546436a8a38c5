// Who is in a visit, who is at its door, and who may still be asked in.

import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Dialog, ErrorPanel, Face, Field, Select, announce } from '../../parts/index.tsx'
import type { Call, Present, View } from '../../visit/call.ts'
import type { Caller } from '../../visit/door.ts'
import { apart } from '../chart/bidi.ts'
import { InviteGuest } from './invite.tsx'
import { Doubtful, useNameOf } from './tile.tsx'

export function People({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const host = call.door.isHost
  const waiting = (view.visit?.callers ?? []).filter((p) => p.state === 'waiting')
  const [removing, setRemoving] = useState<Present | undefined>(undefined)
  const { act, busy, error } = useAct()
  const nameOf = useNameOf()
  const door = useRef<HTMLHeadingElement>(null)
  return (
    <div class="stack">
      {host && (
        <section class="stack-tight">
          <h3 tabIndex={-1} ref={door}>{c.door}</h3>
          {waiting.length === 0 ? <p class="soft">{c.doorNone}</p> : <ul class="list">{waiting.map((p) => <Knocking key={p.member} call={call} who={p} onIn={() => door.current?.focus()} />)}</ul>}
          {waiting.some((p) => p.role !== 'guest') && <Tell chart={view.visit?.chart ?? ''} />}
          {view.present.length <= 1 && <Late late={view.visit?.late ?? 0} onLate={(minutes) => call.late(minutes)} />}
        </section>
      )}
      <section class="stack-tight">
        <h3>{c.here}</h3>
        <ul class="list">{view.present.map((p) => (
          <li key={p.member} class="item">
            <Face name={p.name} />
            <span class="main"><bdi class="title">{nameOf(p)}{p.isMe && p.name !== '' ? ` (${c.you})` : ''}</bdi><RoleOf of={p} /></span>
            {host && !p.isMe && <Button kind="quiet" onClick={() => setRemoving(p)} label={`${c.remove}: ${nameOf(p)}`}>{c.remove}</Button>}
          </li>
        ))}</ul>
      </section>
      {view.visit?.links && <InviteGuest door={call.door} links={view.visit.links} />}
      <ErrorPanel error={error} />
      <Dialog open={removing !== undefined} onClose={() => setRemoving(undefined)} title={c.removeTitle(removing ? nameOf(removing) : '')}>
        <p>{c.removeText}</p>
        <div class="row">
          <Button kind="danger" busy={busy} onClick={() => { void act(() => call.remove(removing?.member ?? '')).then((ok) => ok && setRemoving(undefined)) }}>{c.remove}</Button>
          <Button kind="plain" onClick={() => setRemoving(undefined)}>{w.cancel}</Button>
        </div>
      </Dialog>
    </div>
  )
}

function RoleOf({ of }: { of: Pick<Present, 'role' | 'guest'> }): JSX.Element {
  const { w, lang } = useWords()
  const c = w.visit.call
  if (of.guest) return <><span class="soft small">{w.visit.guests.roles[of.guest.as]}{of.guest.byName && <> · {c.by(apart(of.guest.byName, lang))}</>}</span><Doubtful of={of} /></>
  return <span class="soft small">{of.role === 'guest' ? '' : w.roles[of.role]}</span>
}

/** Who waits at the door, and for how long. */
export function AtTheDoor({ who }: { who: Caller }): JSX.Element {
  const { w, n } = useWords()
  const c = w.visit.call
  const nameOf = useNameOf()
  const minutes = Math.floor((Date.now() - Date.parse(who.since)) / 60_000)
  return <><Face name={who.name} /><span class="main"><bdi class="title">{nameOf({ name: who.name, guest: who.guest })}</bdi><RoleOf of={{ role: who.role, guest: who.guest }} /><span class="soft small">{minutes < 1 ? c.waitNow : c.waitSince(n(minutes))}</span></span></>
}

function Knocking({ call, who, onIn }: { call: Call; who: Caller; onIn: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const { act, busy, error } = useAct()
  const name = useNameOf()({ name: who.name, guest: who.guest })
  return (
    <li class="item">
      <AtTheDoor who={who} />
      <Button busy={busy} onClick={() => { void act(() => call.admit(who)).then((ok) => ok && onIn()) }} label={c.admitName(name)}>{c.admit}</Button>
      <ErrorPanel error={error} />
    </li>
  )
}

/** A word to whoever waits, who sees it where they wait; it is a message in the chart like any other. */
export function Tell({ chart }: { chart: string }): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.visit.call
  const [draft, setDraft] = useState('')
  const { act, busy, error } = useAct()
  if (engine.opened(chart)?.writable.includes('general') !== true) return null
  const send = (): void => {
    const text = draft.trim()
    if (text === '') return
    void act(() => engine.write(chart, 'general', { kind: 'message', text })).then((ok) => {
      if (!ok) return
      setDraft('')
      announce(w.chart.messageSent)
    })
  }
  return (
    <form class="stack-tight" onSubmit={(event) => { event.preventDefault(); send() }}>
      <Field label={c.tell} hint={c.tellText} value={draft} onInput={setDraft} autocomplete="off" dir="auto" />
      <div><Button kind="plain" type="submit" busy={busy}>{c.send}</Button></div>
      <ErrorPanel error={error} />
    </form>
  )
}

const delays = [0, 5, 10, 15, 30] // minutes, as people say them

export function Late({ late, onLate }: { late: number; onLate: (minutes: number) => Promise<void> }): JSX.Element {
  const { w, n } = useWords()
  const c = w.visit.call
  const { act } = useAct()
  return <Select label={c.late} hint={c.lateText} value={String(late)} onInput={(value) => { void act(() => onLate(Number(value))) }} options={delays.map((d) => ({ value: String(d), label: d === 0 ? c.lateNone : c.lateBy(n(d)) }))} />
}
