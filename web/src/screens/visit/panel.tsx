// What stands beside the people in a visit, one thing at a time: who is here and at the door, the chat, the chart, the
// code, the devices. On a phone it lies over the lower part of the screen.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useWords } from '../../app/context.tsx'
import { Button, ErrorPanel, Icon, Select } from '../../parts/index.tsx'
import type { Call, View } from '../../visit/call.ts'
import { keepDevices, readDevices } from '../../visit/devices.ts'
import { NoteEditor } from '../chart/notes.tsx'
import { Beside } from './beside.tsx'
import { CaptionsSwitch } from './captions.tsx'
import { Chat } from './chat.tsx'
import { People } from './people.tsx'
import { BehindMe } from './preview.tsx'
import { CodePicture } from './picture.tsx'

export type PanelName = 'people' | 'chat' | 'note' | 'chart' | 'code' | 'more'

export function Panel({ name, call, view, captions, onCaptions, onOpen, onClose }: { name: PanelName; call: Call; view: View; captions: boolean; onCaptions: (on: boolean) => void; onOpen: (name: PanelName) => void; onClose: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => { heading.current?.focus() }, [name])
  const titles: Readonly<Record<PanelName, string>> = { people: c.people, chat: c.chat, note: c.note, chart: c.chartOf, code: c.sealed, more: c.more }
  return (
    <aside class="room-panel" aria-label={c.panel}>
      <header><h2 tabIndex={-1} ref={heading}>{titles[name]}</h2><button type="button" class="close" aria-label={c.closePanel} onClick={onClose}><Icon name="close" /></button></header>
      {name === 'people' && <People call={call} view={view} />}
      {name === 'chat' && <Chat call={call} view={view} />}
      {name === 'note' && view.visit && <NoteEditor chart={view.visit.chart} visit={view.visit.visit} compact />}
      {name === 'chart' && view.visit && <Beside id={view.visit.chart} />}
      {name === 'code' && <Code view={view} />}
      {name === 'more' && <More call={call} view={view} onOpen={onOpen}><CaptionsSwitch on={captions} onInput={onCaptions} /></More>}
    </aside>
  )
}

// The code that all see.

function Code({ view }: { view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  return (
    <div class="stack">
      <p>{c.sealedText} {c.notRecorded}</p>
      <ol class="visit-code" aria-label={c.codeLabel} data-testid="visit-code">{view.code.map((group, i) => <li key={i}>{group}</li>)}</ol>
      <div class="stack-tight"><h3>{c.codeTitle}</h3><p class="soft">{c.codeText}</p></div>
      <CodePicture tiles={view.picture} label={c.pictureLabel} />
      <p class="small soft">{c.codeWhen}</p>
    </div>
  )
}

// Devices, the screen, the small window.

function More({ call, view, onOpen, children }: { call: Call; view: View; onOpen: (name: PanelName) => void; children: ComponentChildren }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const { act, error } = useAct()
  const [found, setFound] = useState<readonly MediaDeviceInfo[]>([])
  const [devices, setDevices] = useState(readDevices)
  const [wide] = useState(() => window.matchMedia('(min-width: 60rem)').matches) // where there is room for all of it
  const me = view.present.find((p) => p.isMe)
  useEffect(() => {
    const look = (): void => { navigator.mediaDevices.enumerateDevices().then(setFound, () => undefined) }
    look()
    navigator.mediaDevices.addEventListener('devicechange', look)
    return () => navigator.mediaDevices.removeEventListener('devicechange', look)
  }, [me?.camera, me?.microphone]) // once one is on their names are told
  const small = document.pictureInPictureEnabled ? document.querySelector<HTMLVideoElement>('.stage-people video') : null
  const choose = (kind: MediaDeviceKind, key: 'camera' | 'microphone' | 'speaker', label: string): JSX.Element | null => {
    const of = found.filter((d) => d.kind === kind && d.deviceId !== '')
    if (of.length === 0 || (kind === 'audiooutput' && !('setSinkId' in HTMLMediaElement.prototype))) return null
    return (
      <Select label={label} value={devices[key] ?? ''} options={[{ value: '', label: c.deviceUsual }, ...of.filter((d) => d.deviceId !== 'default').map((d) => ({ value: d.deviceId, label: d.label || label }))]}
        onInput={(id) => { setDevices(keepDevices({ [key]: id || undefined })); void act(() => call.media.useDevice(kind, id || 'default')) }} />
    )
  }
  return (
    <div class="stack">
      <div class="room-actions">
        {call.door.isHost && <span class="room-narrow"><Button kind="plain" icon="note" onClick={() => onOpen('note')}>{c.note}</Button></span>}
        {call.door.isHost && <span class="room-narrow"><Button kind="plain" icon="chart" onClick={() => onOpen('chart')}>{c.chart}</Button></span>}
        {'getDisplayMedia' in navigator.mediaDevices && view.phase === 'in' && view.media === 'on' && <Button kind="plain" icon="screen" onClick={() => { void act(() => call.media.setSharing(!view.sharing)) }}>{view.sharing ? c.unshare : c.share}</Button>}
        {small && <Button kind="plain" icon="small" onClick={() => { void act(() => small.requestPictureInPicture()) }}>{c.small}</Button>}
        {children}
      </div>
      <BehindMe value={view.background} onInput={(b) => { void act(() => call.media.setBackground(b)) }} />
      <details class="chart-fold" open={wide}>
        <summary class="chart-target">{c.devices}</summary>
        <div class="stack">
          {choose('videoinput', 'camera', c.camera)}
          {choose('audioinput', 'microphone', c.microphone)}
          {choose('audiooutput', 'speaker', c.speaker)}
        </div>
      </details>
      <p class="soft"><span class={`bars bars-${view.quality}`} aria-hidden="true"><i /><i /><i /></span> {c.quality[view.quality]}</p>
      <p class="small soft room-keys">{c.keys}</p>
      <ErrorPanel error={error} />
    </div>
  )
}
