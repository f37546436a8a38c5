// The device check: whether camera, microphone, speaker, network and browser are fit for a visit, found out before it,
// and how to mend what is not. Whole on a page of its own, small in the waiting room. Nothing of it leaves the device,
// but for the requests to the clinic's own server that measure the network.

import { createContext, type ComponentChildren, type JSX } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { ScreenProps } from '../../app/app.tsx'
import { useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Icon, Select, Tag, announce } from '../../parts/index.tsx'
import { familyOf, faultOf, lacksForVisit, type DeviceFault } from '../../visit/able.ts'
import type { Devices } from '../../visit/media.ts'
import { keepDevices, readDevices } from '../../visit/devices.ts'
import { gradeOf, measureNetwork, type Network } from '../../visit/network.ts'

type Outcome = 'unknown' | 'checking' | 'good' | 'weak' | 'trouble'

export default function CheckScreen({ id }: Pick<ScreenProps, 'id'>): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.visit.care.check
  return (
    <div class="narrow middle stack-wide">
      <div class="page-head"><h1 tabIndex={-1}>{c.title}</h1><p>{c.lead}</p></div>
      <DeviceCheck />
      {id !== '' && <div>{engine.me ? <Button kind="plain" icon="go" href={`/visit/${id}`}>{c.toVisit}</Button> : <Button kind="plain" onClick={() => history.back()}>{w.back}</Button>}</div>}
    </div>
  )
}

/** onDone is told once everything was checked, and whether all of it is good. */
export function DeviceCheck({ compact = false, onDone }: { compact?: boolean; onDone?: (good: boolean) => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.check
  const [lacks] = useState(lacksForVisit)
  const [begun, setBegun] = useState(false)
  const [outcomes, setOutcomes] = useState<Readonly<Record<'camera' | 'microphone' | 'speaker' | 'network', Outcome>>>({ camera: 'unknown', microphone: 'unknown', speaker: 'unknown', network: 'unknown' })
  const note = (what: keyof typeof outcomes) => (outcome: Outcome): void => setOutcomes((o) => ({ ...o, [what]: outcome }))
  const all = [...Object.values(outcomes), lacks ? 'trouble' : 'good']
  const over = begun && !all.includes('unknown') && !all.includes('checking')
  const good = over && all.every((o) => o === 'good')
  useEffect(() => {
    if (!over) return
    announce(good ? c.allGood : c.someBad)
    onDone?.(good)
  }, [over, good])
  // Where camera and microphone are allowed already, nothing is asked, and it can begin by itself.
  useEffect(() => { if (!lacks) void allowed().then((yes) => yes && setBegun(true)) }, [])
  if (lacks) return <Card><Row icon="computer" title={c.browser} outcome="trouble"><p>{c.lacks[lacks]}</p><p>{c.lacksDo[lacks]}</p></Row></Card>
  if (!begun) {
    return (
      <Card>
        <p>{c.before}</p>
        <p class="soft small">{c.nowhere}</p>
        <div><Button icon="go" onClick={() => setBegun(true)}>{c.begin}</Button></div>
      </Card>
    )
  }
  const rows = (
    <>
      <CameraAndMicrophone onCamera={note('camera')} onMicrophone={note('microphone')} />
      <Speaker onOutcome={note('speaker')} allowed={outcomes.microphone} />
      <NetworkRow onOutcome={note('network')} />
      <Row icon="computer" title={c.browser} outcome="good"><p class="soft">{c.browserGood}</p></Row>
    </>
  )
  return (
    <Card {...(compact && { title: c.title })}>
      <div class={compact ? 'care-check care-check-compact' : 'care-check'}><Heading.Provider value={compact ? 3 : 2}>{rows}</Heading.Provider></div>
      {over && <p class={good ? 'good' : 'strong'} role="status">{good ? c.allGood : c.someBad}</p>}
    </Card>
  )
}

async function allowed(): Promise<boolean> {
  try {
    const asked = await Promise.all(['camera', 'microphone'].map((name) => navigator.permissions.query({ name: name as PermissionName })))
    return asked.every((p) => p.state === 'granted')
  } catch {
    return false // this browser does not say
  }
}

type Drawing = Parameters<typeof Icon>[0]['name']

/** Which heading a row has: on a page of its own the next after the page's, in a card the next after the card's. */
const Heading = createContext<2 | 3>(2)

function Row({ icon, title, outcome, children }: { icon: Drawing; title: string; outcome: Outcome; children?: ComponentChildren }): JSX.Element {
  const { w } = useWords()
  const H = useContext(Heading) === 2 ? 'h2' as const : 'h3' as const
  const kind = outcome === 'good' ? 'good' as const : outcome === 'trouble' ? 'danger' as const : outcome === 'weak' ? 'warn' as const : 'plain' as const
  return (
    <section class="care-row">
      <header><Icon name={icon} /><H>{title}</H><Tag kind={kind}>{w.visit.care.check.outcomes[outcome]}</Tag></header>
      <div class="stack-tight">{children}</div>
    </section>
  )
}

/** What went wrong with a device, and the steps that mend it in this browser. */
function Mend({ what, fault, onAgain }: { what: 'camera' | 'microphone'; fault: DeviceFault; onAgain: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.check
  const family = familyOf(navigator.userAgent, navigator.maxTouchPoints)
  const steps = fault === 'denied' ? c.allow[family] : fault === 'system' ? c.system : fault === 'missing' ? c.missing[what] : fault === 'busy' ? c.busy : c.failed
  return (
    <>
      <p class="strong">{c.faults[fault][what]}</p>
      <ol class="care-steps">{steps.map((step) => <li key={step}>{step}</li>)}</ol>
      <div><Button kind="plain" onClick={onAgain}>{w.tryAgain}</Button></div>
    </>
  )
}

interface Taken { readonly stream?: MediaStream; readonly fault?: DeviceFault }

/** Asks for one kind of device: the chosen one if it is there still. */
async function take(kind: 'video' | 'audio', id: string | undefined): Promise<Taken> {
  try {
    return { stream: await navigator.mediaDevices.getUserMedia({ [kind]: id ? { deviceId: { ideal: id } } : true }) }
  } catch (error) {
    return { fault: faultOf(error) }
  }
}

const stop = (stream: MediaStream | undefined): void => stream?.getTracks().forEach((t) => t.stop())

function CameraAndMicrophone({ onCamera, onMicrophone }: { onCamera: (o: Outcome) => void; onMicrophone: (o: Outcome) => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.check
  const [devices, setDevices] = useState(readDevices)
  const [camera, setCamera] = useState<Taken>({})
  const [microphone, setMicrophone] = useState<Taken>({})
  const [heard, setHeard] = useState(false)
  const [turn, setTurn] = useState(0)
  // One after the other, so that a browser asks one question at a time and one that fails does not fail the other.
  useEffect(() => {
    let left = false
    const held: MediaStream[] = []
    const get = async (kind: 'video' | 'audio', id: string | undefined, set: (t: Taken) => void): Promise<void> => {
      const taken = await take(kind, id)
      if (left) return stop(taken.stream)
      if (taken.stream) held.push(taken.stream)
      set(taken)
    }
    setCamera({})
    setMicrophone({})
    void get('video', devices.camera, setCamera).then(() => get('audio', devices.microphone, setMicrophone))
    return () => {
      left = true
      held.forEach(stop)
    }
  }, [devices.camera, devices.microphone, turn])
  const cameraNow: Outcome = camera.fault ? 'trouble' : camera.stream ? 'good' : 'checking'
  const microphoneNow: Outcome = microphone.fault ? 'trouble' : heard ? 'good' : microphone.stream ? 'unknown' : 'checking'
  useEffect(() => onCamera(cameraNow), [cameraNow])
  useEffect(() => onMicrophone(microphoneNow), [microphoneNow])
  const known = useDevices(camera.stream ?? microphone.stream)
  const again = (): void => setTurn(turn + 1)
  const choose = (change: Partial<Devices>): void => setDevices(keepDevices(change))
  return (
    <>
      <Row icon="camera" title={c.camera} outcome={cameraNow}>
        {camera.fault ? <Mend what="camera" fault={camera.fault} onAgain={again} /> : <Picture stream={camera.stream} />}
        <Which kind="videoinput" label={c.which.camera} known={known} value={devices.camera} onInput={(id) => choose({ camera: id })} />
      </Row>
      <Row icon="mic" title={c.microphone} outcome={microphoneNow}>
        {microphone.fault ? <Mend what="microphone" fault={microphone.fault} onAgain={again} /> : <Level stream={microphone.stream} heard={heard} onHeard={() => { setHeard(true); announce(c.heard) }} />}
        <Which kind="audioinput" label={c.which.microphone} known={known} value={devices.microphone} onInput={(id) => { setHeard(false); choose({ microphone: id }) }} />
      </Row>
    </>
  )
}

/** The devices there are, looked up again when one is plugged in, and once there is leave to know their names. */
function useDevices(on: unknown): readonly MediaDeviceInfo[] {
  const [known, setKnown] = useState<readonly MediaDeviceInfo[]>([])
  useEffect(() => {
    const look = (): void => { navigator.mediaDevices.enumerateDevices().then(setKnown, () => undefined) }
    look()
    navigator.mediaDevices.addEventListener('devicechange', look)
    return () => navigator.mediaDevices.removeEventListener('devicechange', look)
  }, [on])
  return known
}

/** Which device, if there are several. */
function Which({ kind, label, known, value, onInput }: { kind: MediaDeviceKind; label: string; known: readonly MediaDeviceInfo[]; value: string | undefined; onInput: (id: string | undefined) => void }): JSX.Element | null {
  const { w, n } = useWords()
  const of = known.filter((d) => d.kind === kind && d.deviceId !== '' && d.deviceId !== 'default')
  if (of.length < 2) return null
  const options = [{ value: '', label: w.visit.call.deviceUsual }, ...of.map((d, i) => ({ value: d.deviceId, label: d.label || `${label} ${n(i + 1)}` }))]
  return <Select label={label} value={of.some((d) => d.deviceId === value) ? value ?? '' : ''} options={options} onInput={(id) => onInput(id || undefined)} />
}

function Picture({ stream }: { stream: MediaStream | undefined }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.check
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => { if (video.current) video.current.srcObject = stream ?? null }, [stream])
  return (
    <>
      <video ref={video} class="care-picture" autoplay playsInline muted aria-label={c.picture} />
      <p class="soft" role="status">{stream ? c.seen : c.waitAllow}</p>
    </>
  )
}

const loud = 0.12         // of the meter: speech at arm's length passes it, a quiet room does not
const levelEvery = 80     // ms
const fullScale = 4       // how much the loudness of speech is stretched to fill the meter

/** How loud it is, now. A meter says so to the eye; to a screen reader a sentence does, once. */
function Level({ stream, heard, onHeard }: { stream: MediaStream | undefined; heard: boolean; onHeard: () => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.check
  const meter = useRef<HTMLMeterElement>(null)
  const told = useRef(onHeard)
  told.current = onHeard
  const already = useRef(heard)
  already.current = heard
  useEffect(() => {
    if (!stream) return
    const audio = new AudioContext()
    const analyser = audio.createAnalyser()
    audio.createMediaStreamSource(stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    void audio.resume().catch(() => undefined)
    const clock = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      const level = Math.min(1, fullScale * Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length))
      if (meter.current) meter.current.value = level
      if (level > loud && !already.current) told.current()
    }, levelEvery)
    return () => {
      clearInterval(clock)
      void audio.close().catch(() => undefined)
    }
  }, [stream])
  return (
    <>
      <meter ref={meter} class="care-level" min={0} max={1} value={0} aria-label={c.level} />
      <p class="soft">{heard ? c.heard : stream ? c.speak : c.waitAllow}</p>
    </>
  )
}

const notes = [523.25, 659.25, 783.99] // Hz: a chord that is heard on small speakers too
const noteLength = 0.28                // s
const softness = 0.22

/** A short sound, made here. */
async function play(speaker: string | undefined): Promise<void> {
  const audio = new AudioContext()
  if (speaker && 'setSinkId' in audio) await (audio as AudioContext & { setSinkId(id: string): Promise<void> }).setSinkId(speaker).catch(() => undefined)
  await audio.resume()
  notes.forEach((hz, i) => {
    const tone = audio.createOscillator()
    const gain = audio.createGain()
    const at = audio.currentTime + i * noteLength
    tone.frequency.value = hz
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(softness, at + 0.03)
    gain.gain.linearRampToValueAtTime(0, at + noteLength)
    tone.connect(gain).connect(audio.destination)
    tone.start(at)
    tone.stop(at + noteLength)
  })
  setTimeout(() => void audio.close().catch(() => undefined), notes.length * noteLength * 1000 + 400)
}

/** allowed: how the microphone stands. Only with leave for it does a browser tell the speakers' names. */
function Speaker({ onOutcome, allowed }: { onOutcome: (o: Outcome) => void; allowed: Outcome }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.check
  const [state, setState] = useState<'silent' | 'played' | 'heard' | 'unheard'>('silent')
  const [speaker, setSpeaker] = useState(() => readDevices().speaker)
  const known = useDevices(allowed)
  const outcome: Outcome = state === 'heard' ? 'good' : state === 'unheard' ? 'trouble' : 'unknown'
  useEffect(() => onOutcome(outcome), [outcome])
  const sound = (): void => { void play(speaker).then(() => setState('played'), () => setState('unheard')) }
  return (
    <Row icon="aloud" title={c.speaker} outcome={outcome}>
      {state === 'unheard' && <ol class="care-steps">{c.silent.map((step) => <li key={step}>{step}</li>)}</ol>}
      {state === 'played' && <p class="strong" role="status">{c.didHear}</p>}
      <div class="row">
        {state === 'played' && <><Button onClick={() => setState('heard')} label={`${c.didHear} ${w.yes}`}>{w.yes}</Button><Button kind="plain" onClick={() => setState('unheard')} label={`${c.didHear} ${w.no}`}>{w.no}</Button></>}
        <Button kind={state === 'silent' ? 'primary' : 'quiet'} icon="aloud" onClick={sound}>{state === 'silent' ? c.play : c.playAgain}</Button>
      </div>
      {'setSinkId' in HTMLMediaElement.prototype && <Which kind="audiooutput" label={c.which.speaker} known={known} value={speaker} onInput={(id) => { setSpeaker(id); setState('silent'); keepDevices({ speaker: id }) }} />}
    </Row>
  )
}

function NetworkRow({ onOutcome }: { onOutcome: (o: Outcome) => void }): JSX.Element {
  const { w, n } = useWords()
  const c = w.visit.care.check
  const [measured, setMeasured] = useState<Network | 'failed' | undefined>(undefined)
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const leaving = new AbortController()
    setMeasured(undefined)
    measureNetwork(leaving.signal).then(setMeasured, () => { if (!leaving.signal.aborted) setMeasured('failed') })
    return () => leaving.abort()
  }, [turn])
  const grade = measured === undefined ? undefined : measured === 'failed' ? 'poor' : gradeOf(measured)
  const outcome: Outcome = grade === undefined ? 'checking' : grade === 'good' ? 'good' : grade === 'weak' ? 'weak' : 'trouble'
  useEffect(() => onOutcome(outcome), [outcome])
  return (
    <Row icon="network" title={c.network} outcome={outcome}>
      {measured === undefined ? <p class="soft" role="status">{c.measuring}</p> : measured === 'failed' ? <p>{c.noAnswer}</p> : <p class="soft">{c.networkSays[grade as 'good' | 'weak' | 'poor']} {c.measured(n(Math.round(measured.roundTrip)), measured.megabits === undefined ? '' : n(Math.round(measured.megabits * 10) / 10))}</p>}
      {grade !== undefined && grade !== 'good' && <ol class="care-steps">{c.networkDo.map((step) => <li key={step}>{step}</li>)}</ol>}
      {measured !== undefined && grade !== 'good' && <div><Button kind="plain" onClick={() => setTurn(turn + 1)}>{w.tryAgain}</Button></div>}
    </Row>
  )
}
