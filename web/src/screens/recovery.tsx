// Coming in with the printed code, and adding this device.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useWords } from '../app/context.tsx'
import { navigate } from '../app/router.tsx'
import { Button, ErrorPanel, Field, Mark, Notice, Progress } from '../parts/index.tsx'

export default function Recovery(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [fromLink] = useState(decodeURIComponent(location.hash.slice(1)))
  const [typed, setTyped] = useState(fromLink)
  const [device, setDevice] = useState(w.join.deviceDefault)
  const [step, setStep] = useState<readonly [string, number, number] | undefined>(undefined)
  const state = engine.checkCode(typed)
  const submit = (): void => {
    void act(async () => {
      await engine.recover(typed, device.trim() || w.join.deviceDefault, (...at) => setStep(at))
      navigate('/', true)
    }).finally(() => setStep(undefined))
  }
  return (
    <form class="narrow stack-wide" onSubmit={(event) => { event.preventDefault(); submit() }}>
      <Mark />
      <div class="page-head"><h1 tabIndex={-1}>{w.recovery.title}</h1><p class="soft">{fromLink ? w.recovery.fromLink : w.recovery.lead}</p></div>
      <Field label={w.recovery.label} value={typed} onInput={setTyped} dir="ltr" autocomplete="off" spellcheck={false} multiline rows={2} hint={typed === '' ? w.recovery.short : state === 'ok' ? w.recovery.ok : state === 'short' ? w.recovery.short : w.recovery.checksum} />
      <Field label={w.join.device} hint={w.join.deviceHint} value={device} onInput={setDevice} />
      <Button type="submit" large wide busy={busy} disabled={state !== 'ok'}>{w.recovery.open}</Button>
      {step && <Progress label={w.steps[step[0]] ?? step[0]} done={step[1]} total={step[2]} />}
      <ErrorPanel error={error} />
      <Notice title={w.recovery.noCode}><p>{w.recovery.noCodeText}</p></Notice>
      <div><Button kind="quiet" href="/">{w.back}</Button></div>
    </form>
  )
}
