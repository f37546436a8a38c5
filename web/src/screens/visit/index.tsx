// A visit, from its door to its end. Whoever opens the address sees when it is and with whom, and how they look; goes
// to the waiting room, or opens the visit as its clinician; is in it; and comes out.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { present } from '../../app/idle.tsx'
import { useAct, useChange, useEngine, useLoad, useWords } from '../../app/context.tsx'
import type { ScreenProps } from '../../app/app.tsx'
import { messageText } from '../../fhir/documents.ts'
import { Button, Card, ErrorPanel, Icon, Notice, Progress, announce } from '../../parts/index.tsx'
import { Call, type View } from '../../visit/call.ts'
import { currentCall, setCurrentCall } from '../../visit/current.ts'
import { keepDevices, readDevices } from '../../visit/devices.ts'
import type { Door, Visit } from '../../visit/door.ts'
import { canEncrypt } from '../../visit/encryption.ts'
import { useDay } from '../home.tsx'
import { InviteGuest } from './invite.tsx'
import { AtTheDoor, Late } from './people.tsx'
import { Preview } from './preview.tsx'
import { VisitRoom } from './room.tsx'

/** How often someone who is in a visit counts as being at their screen, in ms. */
const presentEvery = 5000

export default function VisitScreen({ id }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const door = useLoad(() => engine.visitDoor(id), [], [id])
  if (door.value) return <AtDoor key={id} door={door.value} />
  const { w } = useWords()
  return <div class="narrow stack"><h1 tabIndex={-1}>{w.visit.call.title}</h1>{door.error ? <ErrorPanel error={door.error} onRetry={door.again} /> : <Progress label={w.loading} done={0} total={0} />}</div>
}

/** What a call shows, whenever it changes. */
export function useView(call: Call): View {
  const [view, setView] = useState(call.view)
  useEffect(() => {
    setView(call.view)
    return call.watch(() => setView(call.view))
  }, [call])
  return view
}

/** The way of a visit, for whoever came to its door: a person of the clinic or a guest. */
export function AtDoor({ door }: { door: Door }): JSX.Element {
  const [call, setCall] = useState<Call | undefined>(() => { const c = currentCall(); return c?.door.visit === door.visit ? c : undefined })
  const begin = (): void => {
    void currentCall()?.leave()
    const next = new Call(door, readDevices())
    setCurrentCall(next)
    setCall(next)
    void next.start()
  }
  useEffect(() => { if (!call && wasIn() === door.visit) begin() }, []) // after a reload, straight back
  return call ? <InCall key={String(call.view.since)} call={call} onAgain={begin} /> : <Lobby door={door} onEnter={begin} />
}

const insideName = 'ward-visit' // which visit this window is in, so that a reload leads back

function wasIn(): string {
  try {
    return sessionStorage.getItem(insideName) ?? ''
  } catch {
    return '' // storage is closed
  }
}

function noteInside(visit: string): void {
  try {
    if (visit === '') sessionStorage.removeItem(insideName)
    else sessionStorage.setItem(insideName, visit)
  } catch {
    // a reload leads to the lobby
  }
}

/** Before one goes in: when, with whom, and how one looks. */
function Lobby({ door, onEnter }: { door: Door; onEnter: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const visit = useLoad(() => door.look(), ['appointments'])
  const [devices, setDevices] = useState(readDevices)
  const v = visit.value
  const waiting = door.isHost ? (v?.callers ?? []).filter((p) => p.state === 'waiting') : []
  useEffect(() => door.watch(visit.again), [door])
  const over = v && (v.state === 'ended' || v.state === 'cancelled' || v.me === 'removed')
  return (
    <div class="narrow stack-wide">
      <VisitHead visit={v} isHost={door.isHost} />
      <ErrorPanel error={visit.error} onRetry={visit.again} />
      {!canEncrypt() ? <Notice kind="danger" title={c.cannot}><p>{c.cannotText}</p></Notice>
        : over ? <Over phase={v.me === 'removed' ? 'removed' : 'ended'} />
          : (
            <Card>
              {waiting.length > 0 && <ul class="list">{waiting.map((p) => <li key={p.member} class="item"><AtTheDoor who={p} /></li>)}</ul>}
              <Preview devices={devices} onChange={(change) => setDevices(keepDevices(change))}><Button large wide icon="go" onClick={onEnter}>{door.isHost ? c.open : c.enter}</Button></Preview>
              {door.isHost && v && <Late late={v.late} onLate={(minutes) => door.late(minutes).then(visit.again)} />}
              <p class="small soft private"><Icon name="lock" /><span>{c.private} {c.notRecorded}</span></p>
            </Card>
          )}
      {v?.links && !over && <InviteGuest door={door} links={v.links} level={2} />}
    </div>
  )
}

function VisitHead({ visit, isHost }: { visit: Visit | undefined; isHost: boolean }): JSX.Element {
  const { w, date } = useWords()
  const c = w.visit.call
  const day = useDay(visit?.starts ?? new Date().toISOString())
  const name = visit && ((isHost ? visit.patientName : visit.hostName) || w.unnamed)
  return (
    <div class="page-head">
      <h1 tabIndex={-1}>{name === undefined ? c.title : c.with(name)}</h1>
      {visit && <p class="soft">{c.when(day, date(visit.starts, 'time'), date(visit.ends, 'time'))}</p>}
    </div>
  )
}

function InCall({ call, onAgain }: { call: Call; onAgain: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.visit.call
  const view = useView(call)
  const { phase } = view
  useEffect(() => {
    const clock = setInterval(present, presentEvery)
    return () => clearInterval(clock)
  }, [])
  useEffect(() => {
    const over = phase === 'left' || phase === 'removed' || phase === 'ended' || phase === 'elsewhere'
    noteInside(over ? '' : call.door.visit)
    if (over) setCurrentCall(undefined)
  }, [phase])
  useEffect(() => { if (engine.me && view.visit && phase !== 'arriving') engine.open(view.visit.chart, () => undefined).catch(() => undefined) }, [view.visit?.chart, phase === 'arriving']) // for the chat, and what the clinician writes
  switch (phase) {
    case 'in': case 'stopped': return <VisitRoom call={call} view={view} />
    case 'waiting': return <Waiting call={call} view={view} />
    case 'left': case 'removed': case 'ended': case 'elsewhere':
      return (
        <div class="narrow stack-wide">
          <VisitHead visit={view.visit} isHost={call.door.isHost} />
          {view.problem && phase === 'left' ? <ErrorPanel error={view.problem} onRetry={onAgain} /> : <Over phase={phase} {...(phase !== 'removed' && phase !== 'ended' && { onAgain })} />}
        </div>
      )
    default: return (
      <div class="narrow stack-wide">
        <VisitHead visit={view.visit} isHost={call.door.isHost} />
        <Card><Progress label={phase === 'joining' ? c.joining : c.arriving} done={0} total={0} /><ErrorPanel error={view.problem} onRetry={() => call.sync()} /></Card>
      </div>
    )
  }
}

/** Out of it: why, and what can be done. */
function Over({ phase, onAgain }: { phase: 'left' | 'removed' | 'ended' | 'elsewhere'; onAgain?: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const [title, text] = c.over[phase]
  return (
    <Card>
      <h2>{title}</h2>
      <p>{text}</p>
      <div class="row">{onAgain && <Button icon="go" onClick={onAgain}>{c.back}</Button>}<Button kind={onAgain ? 'plain' : 'primary'} href="/">{c.home}</Button></div>
    </Card>
  )
}

/** What the clinician wrote to the chart since one waits. */
function useHostSays(view: View): string {
  const engine = useEngine()
  const [since] = useState(() => new Date().toISOString())
  const [said, setSaid] = useState('')
  useChange((change) => {
    const { visit } = view
    if (change.what !== 'chart' || change.chart !== visit?.chart) return
    const last = engine.opened(visit.chart)?.items.filter((i) => i.kind === 'message' && i.author.person === visit.host && i.time > since).at(-1)
    if (last) setSaid(last.resources.map(messageText).join('\n'))
  })
  return said
}

function Waiting({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w, n } = useWords()
  const c = w.visit.call
  const { act, busy } = useAct()
  const [devices, setDevices] = useState(readDevices)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => { heading.current?.focus() }, [])
  const said = useHostSays(view)
  useEffect(() => { if (said !== '') announce(said) }, [said])
  const host = view.visit?.hostName || w.unnamed
  return (
    <div class="narrow stack-wide">
      <div class="page-head"><h1 tabIndex={-1} ref={heading}>{c.waitTitle}</h1><p>{view.visit && view.visit.late > 0 ? c.waitLate(host, n(view.visit.late)) : c.waitText(host)}</p></div>
      <Card>
        <div class="waiting-sign" aria-hidden="true"><span /><span /><span /></div>
        <p class="soft">{c.waitStay}</p>
        {said !== '' && <Notice title={c.hostSays(host)}><p dir="auto">{said}</p></Notice>}
        <Preview devices={devices} onChange={(change) => { setDevices(keepDevices(change)); call.media.prefer(change) }} />
        <div class="row"><Button kind="plain" icon="leave" busy={busy} onClick={() => { void act(() => call.leave()) }}>{c.leave}</Button></div>
      </Card>
      <ErrorPanel error={view.problem} onRetry={() => call.sync()} />
    </div>
  )
}
