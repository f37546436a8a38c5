// A visit, from its door to its end. Whoever opens the address sees when it is and with whom, and how they look; goes
// to the waiting room, or opens the visit as its clinician; is in it; and comes out.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { present } from '../../app/idle.tsx'
import { useAct, useChange, useEngine, useLoad, useWords } from '../../app/context.tsx'
import type { ScreenProps } from '../../app/app.tsx'
import { Link } from '../../app/router.tsx'
import { messageText } from '../../fhir/documents.ts'
import { Button, Card, ErrorPanel, Icon, Notice, Progress, announce } from '../../parts/index.tsx'
import { Call, type View } from '../../visit/call.ts'
import { currentCall, noteInside, setCurrentCall, wasIn } from '../../visit/current.ts'
import { keepDevices, readDevices } from '../../visit/devices.ts'
import type { Door, Visit } from '../../visit/door.ts'
import { canEncrypt } from '../../visit/encryption.ts'
import { BeforeVisit } from '../chart/before.tsx'
import { apart } from '../chart/bidi.ts'
import { useDay } from '../home.tsx'
import { AfterVisit } from './after.tsx'
import { TelehealthConsent } from './consent.tsx'
import { InviteGuest } from './invite.tsx'
import { AtTheDoor, Late } from './people.tsx'
import { Preview } from './preview.tsx'
import { VisitRoom } from './room.tsx'

/** How often someone who is in a visit counts as being at their screen, in ms. */
const presentEvery = 5000

/** How long after media is on the screen asks for more, in ms: the first picture is on its way. */
const settleTime = 1500

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
  const next = useRef<Call | undefined>(undefined) // made ready before it is asked for
  const ahead = (): Call => (next.current ??= new Call(door, readDevices()))
  const look = (): Promise<Visit> => ahead().prepare()
  const [turn, setTurn] = useState(0)
  const begin = (): void => {
    void currentCall()?.leave()
    const started = ahead()
    next.current = undefined
    started.media.prefer(readDevices())
    setCurrentCall(started)
    setCall(started)
    setTurn(turn + 1)
    void started.start()
  }
  useEffect(() => { if (!call && wasIn() === door.visit) begin() }, []) // after a reload, straight back
  useEffect(() => () => next.current?.discard(), [])
  return call ? <InCall key={turn} call={call} onLook={look} onAgain={begin} /> : <Lobby door={door} onLook={look} onEnter={begin} />
}

/** Before one goes in: when, with whom, and how one looks. */
function Lobby({ door, onLook, onEnter }: { door: Door; onLook: () => Promise<Visit>; onEnter: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const visit = useLoad(onLook, [])
  const [devices, setDevices] = useState(readDevices)
  const v = visit.value
  const waiting = door.isHost ? (v?.callers ?? []).filter((p) => p.state === 'waiting') : []
  useEffect(() => door.watch(visit.again), [door])
  const over = v && (v.state === 'ended' || v.state === 'cancelled' || v.me === 'removed')
  if (over) return <Out phase={v.me === 'removed' ? 'removed' : v.state === 'cancelled' ? 'cancelled' : 'ended'} visit={v} isHost={door.isHost} />
  return (
    <Page visit={v} isHost={door.isHost}>
      <ErrorPanel error={visit.error} onRetry={visit.again} />
      {!canEncrypt() ? <Notice kind="danger" title={c.cannot}><p>{c.cannotText}</p></Notice> : (
        <Agreed door={door} chart={v?.chart} failed={visit.error !== undefined}>
          <Card>
            {waiting.length > 0 && <ul class="list">{waiting.map((p) => <li key={p.member} class="item"><AtTheDoor who={p} /></li>)}</ul>}
            <Preview devices={devices} onChange={(change) => setDevices(keepDevices(change))}><Button large wide icon="go" onClick={onEnter}>{door.isHost ? c.open : c.enter}</Button></Preview>
            {door.isHost && v && <Late late={v.late} onLate={(minutes) => door.late(minutes).then(visit.again)} />}
            <p class="small soft private"><Icon name="lock" /><span>{c.private} {c.notRecorded}</span></p>
            <p class="small"><Link href={`/check/${door.visit}`}>{c.check}</Link></p>
          </Card>
          {v && !door.isGuest && <Before chart={v.chart} />}
          {v?.links && <InviteGuest door={door} links={v.links} level={2} />}
        </Agreed>
      )}
    </Page>
  )
}

/** For the patient, and who acts for them: consent first, so nothing before it is known whether it was given. The host and
 * guests see what is inside at once, and it stays: a button that goes away under a finger was not pressed. */
function Agreed({ door, chart, failed, children }: { door: Door; chart: string | undefined; failed: boolean; children: ComponentChildren }): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  useEffect(() => { if (door.isHost && chart) engine.open(chart, () => undefined).catch(() => undefined) }, [chart]) // ready to be written to
  if (door.isHost || door.isGuest) return <>{children}</>
  if (chart) return <TelehealthConsent chart={chart}>{children}</TelehealthConsent>
  return failed ? null : <p class="soft" role="status">{w.loading}</p>
}

/** What is asked of a patient beforehand. */
function Before({ chart }: { chart: string }): JSX.Element | null {
  const engine = useEngine()
  return engine.me?.roles.some((r) => r === 'patient' || r === 'proxy') ? <BeforeVisit chart={chart} /> : null
}

function VisitHead({ visit, isHost }: { visit: Visit | undefined; isHost: boolean }): JSX.Element {
  const { w, lang, date } = useWords()
  const c = w.visit.call
  const day = useDay(visit?.starts ?? new Date().toISOString())
  const name = visit && ((isHost ? visit.patientName : visit.hostName) || w.unnamed)
  return (
    <div class="page-head">
      <h1 tabIndex={-1}>{name === undefined ? c.title : c.with(apart(name, lang))}</h1>
      {visit && <p class="soft">{c.when(day, date(visit.starts, 'time'), date(visit.ends, 'time'))}</p>}
    </div>
  )
}

function InCall({ call, onLook, onAgain }: { call: Call; onLook: () => Promise<Visit>; onAgain: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.visit.call
  const view = useView(call)
  const { phase } = view
  const settled = useSettled(phase, view)
  useEffect(() => {
    const clock = setInterval(present, presentEvery)
    return () => clearInterval(clock)
  }, [])
  useEffect(() => {
    const over = phase === 'left' || phase === 'removed' || phase === 'ended' || phase === 'elsewhere'
    if (over) noteInside('')
    else if (settled) noteInside(call.door.visit)
    if (!over) return
    setCurrentCall(undefined)
    announce('') // who came and went is no news any more
  }, [phase, settled])
  useEffect(() => { if (view.visit && !call.door.isGuest && settled) engine.open(view.visit.chart, () => undefined).catch(() => undefined) }, [view.visit?.chart, settled]) // for the chat, and what the clinician writes
  if (phase === 'arriving' && call.door.isLetIn) return <VisitRoom call={call} view={view} /> // the room is there at once
  switch (phase) {
    case 'joining': case 'in': case 'stopped': return <VisitRoom call={call} view={view} />
    case 'waiting': return <Waiting call={call} view={view} />
    case 'left': return view.problem ? <Page visit={view.visit} isHost={call.door.isHost}><ErrorPanel error={view.problem} onRetry={onAgain} /></Page> : <Left door={call.door} visit={view.visit} onLook={onLook} onAgain={onAgain} />
    case 'removed': case 'ended': return <Out phase={phase} visit={view.visit} isHost={call.door.isHost} />
    case 'elsewhere': return <Out phase={phase} visit={view.visit} isHost={call.door.isHost} onAgain={onAgain} />
    default: return (
      <Page visit={view.visit} isHost={call.door.isHost}>
        <Card><Progress label={c.arriving} done={0} total={0} /><ErrorPanel error={view.problem} onRetry={() => call.sync()} /></Card>
      </Page>
    )
  }
}

/** Whether there is time for what can wait until people see each other: the screen asks for a chart only then. */
function useSettled(phase: View['phase'], view: View): boolean {
  const [settled, setSettled] = useState(false)
  const quiet = phase === 'waiting' || view.media === 'on'
  useEffect(() => {
    if (!quiet || settled) return
    const clock = setTimeout(() => setSettled(true), phase === 'waiting' ? 0 : settleTime)
    return () => clearTimeout(clock)
  }, [quiet])
  return settled
}

/** What stands under when the visit is and with whom. */
function Page({ visit, isHost, wide, children }: { visit: Visit | undefined; isHost: boolean; wide?: boolean; children: ComponentChildren }): JSX.Element {
  return <div class={wide ? 'stack-wide' : 'narrow stack-wide'}><VisitHead visit={visit} isHost={isHost} />{children}</div>
}

/** Out of a visit that may go on, or end meanwhile. */
function Left({ door, visit, onLook, onAgain }: { door: Door; visit: Visit | undefined; onLook: () => Promise<Visit>; onAgain: () => void }): JSX.Element {
  const now = useLoad(onLook, [])
  useEffect(() => door.watch(now.again), [door])
  const v = now.value ?? visit
  return v?.state === 'ended' ? <Out phase="ended" visit={v} isHost={door.isHost} /> : <Out phase="left" visit={v} isHost={door.isHost} onAgain={onAgain} />
}

/** Out of it: why, and what can be done; after its end, what is left to do. */
function Out({ phase, visit, isHost, onAgain }: { phase: 'left' | 'removed' | 'ended' | 'elsewhere' | 'cancelled'; visit: Visit | undefined; isHost: boolean; onAgain?: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.visit.call
  const [title, text] = c.over[phase]
  useEffect(() => { document.querySelector<HTMLElement>('main h1')?.focus() }, [phase])
  const after = phase === 'ended' && engine.me !== undefined && visit !== undefined && visit.chart !== '' // of which guests see nothing
  return (
    <Page visit={visit} isHost={isHost} wide={after && isHost}>
      <Card>
        <h2>{title}</h2>
        <p>{text}</p>
        {!engine.me && !onAgain && <p>{w.visit.guests.bye}</p>}
        <div class="row">{onAgain && <Button icon="go" onClick={onAgain}>{c.back}</Button>}{engine.me && <Button kind="plain" href="/">{c.home}</Button>}</div>
      </Card>
      {after && <AfterVisit visit={visit} />}
    </Page>
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
  const { w, lang, n } = useWords()
  const c = w.visit.call
  const { act, busy } = useAct()
  const [devices, setDevices] = useState(readDevices)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => { heading.current?.focus() }, [])
  const said = useHostSays(view)
  useEffect(() => { if (said !== '') announce(said) }, [said])
  const host = apart(view.visit?.hostName || w.unnamed, lang)
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
      {view.visit && <Before chart={view.visit.chart} />}
    </div>
  )
}
