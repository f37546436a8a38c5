// How one will look, before one goes in, with camera and microphone to switch. What is shown goes nowhere.

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLoad, useWords } from '../../app/context.tsx'
import { Button, Icon, Notice, Select } from '../../parts/index.tsx'
import { backgroundProcessor, backgrounds, backgroundsSupported, useBackground, type Background, type BackgroundProcessor, type Failure } from '../../visit/background.ts'
import { troubleOf, type Devices, type DeviceTrouble } from '../../visit/media.ts'

/** What is given as children stands below the picture: the way in. */
export function Preview({ devices, onChange, children }: { devices: Devices; onChange: (change: Partial<Devices>) => void; children?: ComponentChildren }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const video = useRef<HTMLVideoElement>(null)
  const [trouble, setTrouble] = useState<DeviceTrouble | undefined>(undefined)
  const [shown, setShown] = useState(false)
  const [tries, setTries] = useState(0)
  const [background, setBackground] = useBackground()
  const [noBackground, setNoBackground] = useState<Failure | undefined>(undefined)
  const b = w.visit.background
  useEffect(() => {
    if (!devices.cameraOn) return
    let stream: MediaStream | undefined
    let behind: BackgroundProcessor | undefined
    setNoBackground(undefined)
    let wanted = true
    navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, ...(devices.camera && { deviceId: devices.camera }) } }).then((s) => {
      stream = s
      const [camera] = s.getVideoTracks()
      if (!wanted || !video.current || !camera) return stop()
      setTrouble(undefined)
      setShown(true)
      if (background !== 'none') behind = backgroundProcessor(background, hide)
      try {
        video.current.srcObject = behind ? new MediaStream([behind.start(camera)]) : s
      } catch {
        hide('broken')
      }
    }, (error: unknown) => { if (wanted) setTrouble(troubleOf(error)) })
    const hide = (why: Failure): void => {
      setNoBackground(why)
      setShown(false)
      stop()
    }
    const stop = (): void => {
      stream?.getTracks().forEach((t) => t.stop())
      behind?.stop()
    }
    return () => {
      wanted = false
      setShown(false)
      stop()
    }
  }, [devices.cameraOn, devices.camera, background, tries])
  return (
    <div class="preview">
      <div class="preview-picture">
        <video ref={video} autoplay playsInline muted aria-label={c.preview} hidden={!shown} />
        {!shown && <p class="soft"><Icon name="cameraOff" />{devices.cameraOn && !trouble && !noBackground ? c.connecting : c.previewOff}</p>}
      </div>
      <div class="row preview-switches">
        <Switch on={devices.microphoneOn} icons={['mic', 'micOff']} label={devices.microphoneOn ? c.mute : c.unmute} onClick={() => onChange({ microphoneOn: !devices.microphoneOn })} />
        <Switch on={devices.cameraOn} icons={['camera', 'cameraOff']} label={devices.cameraOn ? c.cameraOff : c.cameraOn} onClick={() => onChange({ cameraOn: !devices.cameraOn })} />
      </div>
      {trouble && <Notice kind="warn" title={`${c.camera}: ${c.trouble[trouble][0]}`}><p>{c.trouble[trouble][1]}</p><div><Button kind="plain" onClick={() => setTries(tries + 1)}>{w.tryAgain}</Button></div></Notice>}
      {devices.cameraOn && noBackground && <Notice kind="warn" title={b.failed[noBackground][0]}><p>{b.failed[noBackground][1]}</p></Notice>}
      {children}
      {devices.cameraOn && <BehindMe value={background} onInput={setBackground} />}
    </div>
  )
}

/** What others see behind one. It is chosen before the camera is on, so that nobody sees the room for a moment. */
export function BehindMe({ value, onInput }: { value: Background; onInput: (background: Background) => void }): JSX.Element {
  const { w } = useWords()
  const b = w.visit.background
  const able = useLoad(backgroundsSupported, [])
  if (able.value === false) return <p class="small soft">{b.cannot}</p>
  return <Select label={b.title} {...(value !== 'none' && { hint: b.hint })} value={value} onInput={(v) => onInput(v as Background)} options={backgrounds.map((v) => ({ value: v, label: b[v] }))} />
}

type Drawing = Parameters<typeof Icon>[0]['name']

/** A button that is on or off, and says what pressing it does; or one that opens something, perhaps with news in it. */
export function Switch({ on, icons, label, onClick, badge, expanded }: { on: boolean; icons: readonly [Drawing, Drawing]; label: string; onClick: () => void; badge?: string; expanded?: boolean }): JSX.Element {
  return <button type="button" class={on ? 'switch' : 'switch switch-off'} {...(expanded !== undefined && { 'aria-expanded': expanded })} onClick={onClick}><span class="switch-sign"><Icon name={on ? icons[0] : icons[1]} />{badge && <span class="badge" />}</span><span>{label}{badge && <span class="sr"> ({badge})</span>}</span></button>
}
