// Coming in with the printed code, and adding this device. The code is checked here while it is typed, however it is
// written; it never leaves the device.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useWords } from '../app/context.tsx'
import { navigate } from '../app/router.tsx'
import { Button, ErrorPanel, Field, Mark, Notice, Steps, toFirstError, useSteps } from '../parts/index.tsx'
import { useDeviceName } from './join.tsx'

const characters = 28, group = 4

export default function Recovery(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w, n } = useWords()
  const { busy, error, act } = useAct()
  const { step, progress, stop } = useSteps()
  const [fromLink] = useState(() => decodeURIComponent(location.hash.slice(1)))
  const [typed, setTyped] = useState(fromLink)
  const usual = useDeviceName()
  const [device, setDevice] = useState(usual)
  const [asked, setAsked] = useState(false)
  useEffect(() => { if (fromLink) history.replaceState(null, '', location.pathname) }, []) // a code does not belong in the history
  const state = engine.checkCode(typed)
  const groups = Math.floor(typed.replace(/[^\p{L}\p{N}]/gu, '').length / group)
  const wrong = state === 'checksum' ? w.recovery.checksum : asked && state === 'short' ? w.recovery.short : undefined
  const submit = (form: HTMLFormElement): void => {
    setAsked(true)
    if (state !== 'ok') {
      toFirstError(form)
      return
    }
    void act(async () => {
      await engine.recover(typed, device.trim() || usual, progress)
      navigate('/', true)
    }).finally(stop)
  }
  return (
    <form class="narrow stack-wide" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
      <Mark />
      <div class="page-head"><h1 tabIndex={-1}>{w.recovery.title}</h1><p class="soft">{fromLink ? w.recovery.fromLink : w.recovery.lead}</p></div>
      <div class="stack-tight">
        <Field label={w.recovery.label} value={typed} onInput={setTyped} dir="ltr" autocomplete="off" autocapitalize="characters" spellcheck={false} multiline rows={2} code {...(wrong ? { error: wrong } : {})} />
        <p class={state === 'ok' ? 'small good' : 'small soft'} role="status">{state === 'ok' ? w.recovery.ok : w.recovery.groups(n(Math.min(groups, characters / group)))}</p>
        <p class="small soft">{w.recovery.safe}</p>
      </div>
      <Field label={w.join.device} hint={w.join.deviceHint} value={device} onInput={setDevice} autocomplete="off" />
      <Button type="submit" large wide busy={busy} icon="key">{w.recovery.open}</Button>
      <Steps at={step} />
      <ErrorPanel error={error} />
      <Notice title={w.recovery.noCode}><p>{w.recovery.noCodeText}</p></Notice>
      <div><Button kind="quiet" href="/">{w.back}</Button></div>
    </form>
  )
}
