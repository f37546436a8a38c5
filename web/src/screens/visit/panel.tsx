// What stands beside the people in a visit, one thing at a time: who is here and at the door, the chat, the code, the
// devices. On a phone it lies over the lower part of the screen.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Dialog, Empty, ErrorPanel, Face, Field, Icon, Select, Tag } from '../../parts/index.tsx'
import type { Call, Line, Present, View } from '../../visit/call.ts'
import { keepDevices, readDevices } from '../../visit/devices.ts'
import type { Caller } from '../../visit/door.ts'
import { InviteGuest } from './invite.tsx'
import { CodePicture } from './picture.tsx'
import { useNameOf } from './tile.tsx'

export type PanelName = 'people' | 'chat' | 'code' | 'more'

export function Panel({ name, call, view, onClose }: { name: PanelName; call: Call; view: View; onClose: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => { heading.current?.focus() }, [name])
  const titles: Readonly<Record<PanelName, string>> = { people: c.people, chat: c.chat, code: c.sealed, more: c.more }
  return (
    <aside class="room-panel" aria-label={c.panel} onKeyDown={(event) => { if (event.key === 'Escape') onClose() }}>
      <header><h2 tabIndex={-1} ref={heading}>{titles[name]}</h2><button type="button" class="close" aria-label={c.closePanel} onClick={onClose}><Icon name="close" /></button></header>
      {name === 'people' && <People call={call} view={view} />}
      {name === 'chat' && <Chat call={call} view={view} />}
      {name === 'code' && <Code view={view} />}
      {name === 'more' && <More call={call} view={view} />}
    </aside>
  )
}

// Who is here, and who would be.

function People({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const host = call.door.isHost
  const waiting = (view.visit?.callers ?? []).filter((p) => p.state === 'waiting')
  const [removing, setRemoving] = useState<Present | undefined>(undefined)
  const { act, busy, error } = useAct()
  const nameOf = useNameOf()
  return (
    <div class="stack">
      {host && (
        <section class="stack-tight">
          <h3>{c.door}</h3>
          {waiting.length === 0 ? <p class="soft">{c.doorNone}</p> : <ul class="list">{waiting.map((p) => <Knocking key={p.member} call={call} who={p} />)}</ul>}
          <Late call={call} view={view} />
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
  const { w } = useWords()
  const c = w.visit.call
  if (of.guest) return <span class="soft small">{w.visit.guests.roles[of.guest.as]}{of.guest.byName && <> · <bdi>{c.by(of.guest.byName)}</bdi></>}</span>
  return <span class="soft small">{of.role === 'guest' ? '' : w.roles[of.role]}</span>
}

function Knocking({ call, who }: { call: Call; who: Caller }): JSX.Element {
  const { w, n } = useWords()
  const c = w.visit.call
  const { act, busy, error } = useAct()
  const minutes = Math.floor((Date.now() - Date.parse(who.since)) / 60_000)
  const name = who.name || c.unknown
  return (
    <li class="item">
      <Face name={who.name} />
      <span class="main"><bdi class="title">{name}</bdi><RoleOf of={who as Pick<Present, 'role' | 'guest'>} /><span class="soft small">{minutes < 1 ? c.waitNow : c.waitSince(n(minutes))}</span></span>
      <Button busy={busy} onClick={() => { void act(() => call.admit(who)) }} label={c.admitName(name)}>{c.admit}</Button>
      <ErrorPanel error={error} />
    </li>
  )
}

const delays = [0, 5, 10, 15, 30] // minutes, as people say them

function Late({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w, n } = useWords()
  const c = w.visit.call
  const { act } = useAct()
  return <Select label={c.late} hint={c.lateText} value={String(view.visit?.late ?? 0)} onInput={(value) => { void act(() => call.late(Number(value))) }} options={delays.map((d) => ({ value: String(d), label: d === 0 ? c.lateNone : c.lateBy(n(d)) }))} />
}

// The chat.

function Chat({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const engine = useEngine()
  const [draft, setDraft] = useState('')
  const { act, busy, error } = useAct()
  const list = useRef<HTMLOListElement>(null)
  const chart = view.visit?.chart ?? ''
  const mayKeep = engine.me !== undefined && engine.opened(chart)?.writable.includes('general') === true
  useEffect(() => { list.current?.lastElementChild?.scrollIntoView({ block: 'nearest' }) }, [view.chat.length])
  const send = (): void => {
    const text = draft.trim()
    if (text === '') return
    setDraft('')
    void act(async () => {
      await call.say({ text })
      if (mayKeep) await engine.write(chart, 'general', { kind: 'message', text })
    })
  }
  const attach = (file: File): void => {
    void act(async () => {
      const entry = await engine.addFile(chart, 'general', file, () => undefined)
      await call.say({ entry, name: file.name })
    })
  }
  return (
    <div class="room-chat">
      {view.chat.length === 0 ? <Empty icon="message" title={c.chatNone}><p>{mayKeep ? c.chatHint : c.chatGuest}</p></Empty> : <ol ref={list} class="room-lines">{view.chat.map((l) => <Said key={l.id} line={l} chart={mayKeep ? chart : ''} />)}</ol>}
      <form class="room-write" onSubmit={(event) => { event.preventDefault(); send() }}>
        <Field label={c.write} value={draft} onInput={setDraft} autocomplete="off" dir="auto" />
        <div class="row">
          <Button type="submit" busy={busy}>{c.send}</Button>
          {mayKeep && <label class="button button-plain file-button"><Icon name="file" />{c.addFile}<input type="file" class="sr" onInput={(event) => { const file = event.currentTarget.files?.[0]; event.currentTarget.value = ''; if (file) attach(file) }} /></label>}
        </div>
        <ErrorPanel error={error} />
      </form>
    </div>
  )
}

function Said({ line, chart }: { line: Line; chart: string }): JSX.Element {
  const { w, date } = useWords()
  const c = w.visit.call
  return (
    <li class={line.mine ? 'room-line room-line-mine' : 'room-line'}>
      <span class="soft small"><bdi>{line.mine ? c.you : line.name || c.someone}</bdi> · {date(line.time, 'time')}{line.state === 'failed' && <> · <Tag kind="danger">{c.notSent}</Tag></>}</span>
      {line.file ? <p>{chart ? <a href={`/chart/${chart}/files`} target="_blank" rel="noreferrer">{c.fileAdded(line.file.name)}</a> : c.fileAdded(line.file.name)}</p> : <p dir="auto">{line.text}</p>}
    </li>
  )
}

// The code that all see.

function Code({ view }: { view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  return (
    <div class="stack">
      <p>{c.sealedText} {c.notRecorded}</p>
      <h3>{c.codeTitle}</h3>
      <p class="soft">{c.codeText}</p>
      <ol class="visit-code" aria-label={c.codeLabel} data-testid="visit-code">{view.code.map((group, i) => <li key={i}>{group}</li>)}</ol>
      <CodePicture tiles={view.picture} label={c.pictureLabel} />
      <p class="small soft">{c.codeWhen}</p>
    </div>
  )
}

// Devices, the screen, the small window.

function More({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const { act, error } = useAct()
  const [found, setFound] = useState<readonly MediaDeviceInfo[]>([])
  const [devices, setDevices] = useState(readDevices)
  useEffect(() => {
    const look = (): void => { navigator.mediaDevices.enumerateDevices().then(setFound, () => undefined) }
    look()
    navigator.mediaDevices.addEventListener('devicechange', look)
    return () => navigator.mediaDevices.removeEventListener('devicechange', look)
  }, [view.camera, view.microphone])
  const small = document.pictureInPictureEnabled ? document.querySelector<HTMLVideoElement>('.stage-people video') : null
  const choose = (kind: MediaDeviceKind, key: 'camera' | 'microphone' | 'speaker', label: string): JSX.Element | null => {
    const of = found.filter((d) => d.kind === kind && d.deviceId !== '')
    if (of.length === 0 || (kind === 'audiooutput' && !('setSinkId' in HTMLMediaElement.prototype))) return null
    return (
      <Select label={label} value={devices[key] ?? ''} options={[{ value: '', label: c.deviceUsual }, ...of.filter((d) => d.deviceId !== 'default').map((d) => ({ value: d.deviceId, label: d.label || label }))]}
        onInput={(id) => { setDevices(keepDevices({ [key]: id || undefined })); void act(() => call.useDevice(kind, id || 'default')) }} />
    )
  }
  return (
    <div class="stack">
      <div class="row">
        {'getDisplayMedia' in navigator.mediaDevices && <Button kind="plain" icon="screen" onClick={() => { void act(() => call.setSharing(!view.sharing)) }}>{view.sharing ? c.unshare : c.share}</Button>}
        {small && <Button kind="plain" icon="small" onClick={() => { void act(() => small.requestPictureInPicture()) }}>{c.small}</Button>}
      </div>
      <h3>{c.devices}</h3>
      {choose('videoinput', 'camera', c.camera)}
      {choose('audioinput', 'microphone', c.microphone)}
      {choose('audiooutput', 'speaker', c.speaker)}
      <p class="soft"><span class={`bars bars-${view.quality}`} aria-hidden="true"><i /><i /><i /></span> {c.quality[view.quality]}</p>
      <p class="small soft">{c.keys}</p>
      <ErrorPanel error={error} />
    </div>
  )
}
