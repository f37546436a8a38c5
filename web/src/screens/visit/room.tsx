// Inside a visit: the people, as large as they can be; the controls, within reach of a thumb; and beside them one thing
// at a time. Nothing else is on the screen.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { encounterOf, type TookPlace } from '../../fhir/visit.ts'
import { Button, Dialog, ErrorPanel, Face, Icon, Notice, Progress, announce } from '../../parts/index.tsx'
import type { Call, Present, View } from '../../visit/call.ts'
import type { Caller, Visit } from '../../visit/door.ts'
import { keepDevices } from '../../visit/devices.ts'
import { apart } from '../chart/bidi.ts'
import { Captions } from './captions.tsx'
import { Panel, type PanelName } from './panel.tsx'
import { Switch } from './preview.tsx'
import { Tile, useNameOf } from './tile.tsx'

/** How long a weak connection is watched before something is said, in ms: it may pass. */
const weakFor = 8000

/** How long the first connection may take before something is said, in ms: what is quick does not flash. */
const connectingFor = 2000

/** So many people have an arrangement of their own in the style; more are in even rows. */
const mostArranged = 7

/** How long nothing of what comes as someone's can be opened before something is said, in ms: keys may be on their way. */
const forgedFor = 4000

export function VisitRoom({ call, view }: { call: Call; view: View }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const c = w.visit.call
  const host = call.door.isHost
  const [leaving, setLeaving] = useState(false)
  const [captions, setCaptions] = useState(false)
  const [seen, setSeen] = useState(view.chat.length)
  const { act, busy } = useAct()
  const heading = useRef<HTMLHeadingElement>(null)
  const waiting = host ? (view.visit?.callers ?? []).filter((p) => p.state === 'waiting') : []
  const [panel, setPanel] = useState<PanelName | undefined>(host && (waiting.length > 0 || window.matchMedia('(min-width: 60rem)').matches) ? 'people' : undefined)
  useFullPage()
  useEffect(() => { heading.current?.focus() }, [])
  const nameOf = useNameOf()
  const knockedBy = (p: Caller): string => (p.name === '' ? '' : nameOf({ name: p.name, guest: p.guest }))
  const cameIn = useNews(view, waiting.map((p) => knockedBy(p)), panel !== 'people')
  useEffect(() => { if (panel === 'chat') setSeen(view.chat.length) }, [panel, view.chat.length])
  const setMicrophone = (on: boolean): void => { keepDevices({ microphoneOn: on }); void call.media.setMicrophone(on) }
  const setCamera = (on: boolean): void => { keepDevices({ cameraOn: on }); void call.media.setCamera(on) }
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      if (!event.altKey || event.ctrlKey || event.metaKey) return
      if (event.code === 'KeyM') setMicrophone(!call.view.microphone)
      else if (event.code === 'KeyV') setCamera(!call.view.camera)
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', key)
    return () => document.removeEventListener('keydown', key)
  }, [call])
  const end = async (): Promise<void> => {
    const visit = call.view.visit ?? (await call.door.look())
    await call.end()
    await engine.write(visit.chart, 'general', { kind: 'record', resource: encounterOf(tookPlace(visit)) })
  }
  const opener = useRef<HTMLElement | null>(null)
  const open = (name: PanelName) => (): void => {
    if (document.activeElement instanceof HTMLButtonElement) opener.current = document.activeElement
    setPanel(panel === name ? undefined : name)
  }
  const close = (): void => { // and back to where it was opened from
    setPanel(undefined)
    const to = opener.current ?? heading.current
    to?.focus()
  }
  const escape = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && panel && !(event.target as Element).closest('dialog')) close()
  }
  const stopped = view.phase === 'stopped'
  const inside = view.phase === 'in'
  useEffect(() => { if (stopped && panel === 'code') setPanel(undefined) }, [stopped]) // it says that all is well
  const others = view.present.filter((p) => !p.isMe)
  const title = view.visit ? c.with(apart((host ? view.visit.patientName : view.visit.hostName) || w.unnamed, lang)) : c.title
  return (
    <section class={panel ? 'room room-with' : 'room'} aria-labelledby="room-title" onKeyDown={escape}>
      <header class="room-top">
        <h1 id="room-title" tabIndex={-1} ref={heading}>{title}</h1>
        <Elapsed since={view.since} />
        {stopped && <span class="seal-sign seal-stopped"><Icon name="warn" /><span>{c.stoppedSign}</span></span>}
        {inside && <button type="button" class="seal-sign" onClick={open('code')} aria-expanded={panel === 'code'}><Icon name="lock" /><span>{c.sealed}</span></button>}
      </header>
      <p class="sr" role="status">{cameIn}</p>
      <Notices call={call} view={view}>
        {waiting[0] && panel !== 'people' && <Notice title={c.knocks(knockedBy(waiting[0]) || c.someone)}><div><Button kind="plain" icon="people" onClick={open('people')}>{c.door}</Button></div></Notice>}
      </Notices>
      {stopped && <Stopped call={call} view={view} />}
      {inside && <Stage view={view} others={others} captions={captions} />}
      {!stopped && !inside && <Joining call={call} view={view} />}
      {panel && <Panel name={panel} call={call} view={view} captions={captions} onCaptions={setCaptions} onOpen={setPanel} onClose={close} />}
      <nav class="room-bar" aria-label={c.controls}>
        <Switch on={view.microphone} icons={['mic', 'micOff']} label={view.microphone ? c.mute : c.unmute} onClick={() => setMicrophone(!view.microphone)} />
        <Switch on={view.camera} icons={['camera', 'cameraOff']} label={view.camera ? c.cameraOff : c.cameraOn} onClick={() => setCamera(!view.camera)} />
        <Switch on icons={['people', 'people']} label={c.people} onClick={open('people')} expanded={panel === 'people'} {...(waiting.length > 0 && { badge: c.door })} />
        <Switch on icons={['message', 'message']} label={c.chat} onClick={open('chat')} expanded={panel === 'chat'} {...(view.chat.length > seen && panel !== 'chat' && { badge: c.unread })} />
        {host && <span class="room-wide"><Switch on icons={['note', 'note']} label={c.note} onClick={open('note')} expanded={panel === 'note'} /></span>}
        {host && <span class="room-wide"><Switch on icons={['chart', 'chart']} label={c.chart} onClick={open('chart')} expanded={panel === 'chart'} /></span>}
        <Switch on icons={['more', 'more']} label={c.more} onClick={open('more')} expanded={panel === 'more'} />
        <button type="button" class="switch switch-leave" disabled={busy} onClick={() => (host ? setLeaving(true) : void act(() => call.leave()))}><span class="switch-sign"><Icon name="hangup" /></span><span>{host ? c.end : c.leave}</span></button>
      </nav>
      <Dialog open={leaving} onClose={() => setLeaving(false)} title={c.endTitle}>
        <p>{c.endText}</p>
        <div class="row">
          <Button kind="danger" busy={busy} onClick={() => { void act(end) }}>{c.end}</Button>
          <Button kind="plain" busy={busy} onClick={() => { void act(() => call.leave()) }}>{c.endStay}</Button>
        </div>
      </Dialog>
    </section>
  )
}

/** The visit as the chart keeps it: from when its clinician came until now, with who else was let in. */
function tookPlace(v: Visit): TookPlace {
  const others = v.callers.filter((p) => p.member !== v.host && p.member !== v.patient && p.state !== 'waiting')
  return {
    visit: v.visit, chart: v.chart, host: v.host, hostName: v.hostName, began: v.callers.find((p) => p.member === v.host)?.since ?? v.starts, ended: new Date().toISOString(),
    others: others.map((p) => ({ name: p.name, as: p.guest?.as === 'interpreter' || p.guest?.as === 'clinician' ? p.guest.as : p.role === 'clinician' ? 'clinician' : 'other' })),
  }
}

/** While someone is in a visit the rest of the page is not there, for nobody. */
function useFullPage(): void {
  useLayoutEffect(() => {
    const root = document.documentElement
    root.dataset['visit'] = 'in'
    return () => { delete root.dataset['visit'] }
  }, [])
}

/** Says who comes, goes, knocks and writes. noticed: who knocks is in a notice, which says so itself. What it gives says that
 * I am in, and with whom: for whoever listens, since it is in sight. */
function useNews(view: View, knocking: readonly string[], noticed: boolean): string {
  const { w, lang } = useWords()
  const [cameIn, setCameIn] = useState('')
  const c = w.visit.call
  const nameOf = useNameOf()
  const before = useRef<{ present: readonly Present[]; chat: number; knocking: readonly string[] }>({ present: view.present, chat: view.chat.length, knocking: [] })
  useEffect(() => {
    const was = before.current
    const [wasIn, isIn] = [was.present, view.present].map((all) => all.some((p) => p.isMe)) // who is there when I come is no news, nor who is not while I am not
    before.current = { present: isIn ? view.present : was.present, chat: view.chat.length, knocking }
    if (isIn && !wasIn) {
      const others = view.present.filter((p) => !p.isMe).map(nameOf)
      setCameIn(others.length > 0 ? c.with(new Intl.ListFormat(lang).format(others)) : c.alone)
    }
    const came = wasIn && isIn && view.present.find((p) => !p.isMe && !was.present.some((q) => q.member === p.member))
    const went = isIn && was.present.find((p) => !p.isMe && !view.present.some((q) => q.member === p.member))
    const line = view.chat.length > was.chat ? view.chat.at(-1) : undefined
    const knock = knocking.find((name) => !was.knocking.includes(name))
    if (knock !== undefined && !noticed) announce(c.knocks(knock || c.someone))
    else if (came) announce(c.came(nameOf(came)))
    else if (went) announce(c.went(nameOf(went)))
    else if (line && !line.mine) announce(c.said(line.name === '' ? c.someone : nameOf({ name: line.name, guest: view.visit?.callers.find((p) => p.member === line.from)?.guest })))
  }, [view.present, view.chat.length, knocking.join()])
  return cameIn
}

function Elapsed({ since }: { since: number }): JSX.Element | null {
  const { w, lang } = useWords()
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(clock)
  }, [])
  if (since === 0) return null
  const seconds = Math.max(0, Math.floor((now - since) / 1000))
  const two = (value: number): string => new Intl.NumberFormat(lang, { minimumIntegerDigits: 2 }).format(value)
  return <span class="elapsed" role="timer" aria-label={w.visit.call.elapsed}>{`${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`}</span>
}

/** Who comes first where several are seen: whose visit it is, before who was asked in. */
const rank = (p: Present): number => (p.isHost ? 0 : p.guest ? 2 : 1)

/** Those in the visit: one other as large as the screen, several side by side and oneself beside them, so that nobody is
 * covered; a shown screen before all. */
function Stage({ view, others, captions }: { view: View; others: readonly Present[]; captions: boolean }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const [swapped, setSwapped] = useState(false)
  const me = view.present.find((p) => p.isMe)
  const shown = view.present.find((p) => p.screen && !p.isMe) ?? view.present.find((p) => p.screen)
  const alone = others.length === 0
  const two = others.length === 1 && !shown
  const main = swapped && me && two ? [me] : [...others].sort((p, q) => rank(p) - rank(q))
  const corner = two ? (swapped ? others[0] : me) : undefined
  const beside = two ? undefined : me
  return (
    <div class={`stage stage-${shown ? 'screen' : two || alone ? 1 : Math.min(others.length + 1, mostArranged)}`} role="group" aria-label={c.stage}>
      {shown && <Tile of={shown} screen large />}
      <div class="stage-people">
        {main.map((p) => <Tile key={p.member} of={p} large={!shown} />)}
        {beside && <Tile key={beside.member} of={beside} large={!shown} />}
      </div>
      {alone && <p class="stage-alone"><span class="strong">{c.alone}</span> {c.aloneText}</p>}
      {corner && <div class="corner"><Tile of={corner} /><button type="button" class="corner-swap" aria-label={c.swap} onClick={() => setSwapped(!swapped)}><Icon name="swap" /></button></div>}
      {captions && <Captions of={others} />}
    </div>
  )
}

/** What is not as it should be, the gravest first. */
function Notices({ call, view, children }: { call: Call; view: View; children: ComponentChildren }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const b = w.visit.background
  const connecting = useLasting(view.media === 'connecting' && view.phase === 'in', connectingFor)
  const weak = useLasting(view.quality === 'weak' && view.camera && view.media === 'on', weakFor)
  const sending = view.present.find((p) => p.trouble)
  const forged = useLasting(sending !== undefined, forgedFor) ? sending : undefined
  return (
    <div class="room-notices" role="region" aria-live="polite" aria-label={c.notices}>
      {forged && <Notice kind="danger" title={c.forged(forged.name || c.someone)}><p>{c.forgedText}</p></Notice>}
      {view.strangers.length > 0 && <Notice kind="danger" title={c.stranger}><p>{c.strangerText}</p></Notice>}
      {view.media === 'reconnecting' && <Notice kind="warn" title={c.reconnecting} />}
      {connecting && <Notice title={c.connecting} />}
      {view.soundBlocked && <Notice kind="warn" title={c.soundBlocked}><div><Button kind="plain" onClick={() => { void call.media.playSound() }}>{c.soundPlay}</Button></div></Notice>}
      {view.cameraTrouble && <Notice kind="warn" title={`${c.noCamera}. ${c.trouble[view.cameraTrouble][0]}`}><p>{c.trouble[view.cameraTrouble][1]}</p></Notice>}
      {view.microphoneTrouble && <Notice kind="warn" title={`${c.noMicrophone}. ${c.trouble[view.microphoneTrouble][0]}`}><p>{c.trouble[view.microphoneTrouble][1]}</p></Notice>}
      {view.backgroundTrouble && (
        <Notice kind="warn" title={b.failed[view.backgroundTrouble][0]}>
          <p>{b.failed[view.backgroundTrouble][1]}</p>
          <div class="row">
            <Button kind="plain" onClick={() => { void call.media.setCamera(true) }}>{b.again}</Button>
            <Button kind="plain" onClick={() => { void call.media.setBackground('none').then(() => call.media.setCamera(true)) }}>{b.plain}</Button>
          </div>
        </Notice>
      )}
      {children}
      {weak && <Notice kind="warn" title={c.weak}><div><Button kind="plain" onClick={() => { void call.media.setCamera(false) }}>{c.weakDo}</Button></div></Notice>}
    </div>
  )
}

/** True once something has been so for a while. */
function useLasting(is: boolean, ms: number): boolean {
  const [lasting, setLasting] = useState(false)
  useEffect(() => {
    if (!is) {
      setLasting(false)
      return
    }
    const timer = setTimeout(() => setLasting(true), ms)
    return () => clearTimeout(timer)
  }, [is])
  return lasting
}

/** On the way in. The place of who is met is where their picture will be. */
function Joining({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  return (
    <div class="stage">
      <div class="tile tile-large">
        <div class="tile-face joining">
          <Face name={(call.door.isHost ? view.visit?.patientName : view.visit?.hostName) ?? ''} />
          {view.problem ? <ErrorPanel error={view.problem} onRetry={() => call.sync()} /> : <Progress label={view.phase === 'arriving' ? c.connecting : c.joining} done={0} total={0} />}
        </div>
      </div>
    </div>
  )
}

function Stopped({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const { act, busy, error } = useAct()
  const host = call.door.isHost
  return (
    <div class="stage stopped">
      <Notice kind="danger" title={c.stopped}>
        {view.doubt && <p>{c.doubt[view.doubt.why](view.doubt.name || c.someone)}</p>}
        <p>{host ? c.stoppedHost : c.stoppedWait}</p>
        {host && <div><Button busy={busy} onClick={() => { void act(() => call.beginAgain()) }}>{c.beginAgain}</Button></div>}
        {error && <p class="small">{w.problems[error.code][0]}</p>}
      </Notice>
    </div>
  )
}
