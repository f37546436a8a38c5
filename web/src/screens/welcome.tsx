// The door: one touch to come in.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { languages, useAct, useEngine, useWords, type Language } from '../app/context.tsx'
import { Link, navigate } from '../app/router.tsx'
import type { ClinicInfo } from '../engine/types.ts'
import { Button, Dialog, ErrorPanel, Field, Mark, Notice, Progress, Select } from '../parts/index.tsx'

export default function Welcome({ prefs, setPrefs }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [step, setStep] = useState<readonly [string, number, number] | undefined>(undefined)
  const [clinic, setClinic] = useState<ClinicInfo | undefined>(undefined)
  const [support, setSupport] = useState<'ok' | 'none'>('ok')
  const [pasting, setPasting] = useState(false)
  const [link, setLink] = useState('')
  useEffect(() => {
    engine.clinic().then(setClinic, () => undefined)
    engine.passkeys().then((s) => setSupport(s.webauthn ? 'ok' : 'none'), () => undefined)
  }, [])
  const signIn = (): void => { void act(() => engine.signIn((...at) => setStep(at))).finally(() => setStep(undefined)) }
  return (
    <div class="narrow door">
      <Mark />
      <div class="page-head"><p class="strong">{clinic?.name}</p><h1 tabIndex={-1}>{w.welcome.title}</h1><p class="soft">{w.welcome.lead}</p></div>
      {support === 'none' && <Notice kind="warn" title={w.problems['no-webauthn'][0]}><p>{w.problems['no-webauthn'][1]}</p></Notice>}
      <div class="stack-tight">
        <Button large wide busy={busy} onClick={signIn}>{w.welcome.signIn}</Button>
        <p class="small soft">{w.welcome.oneTouch}</p>
      </div>
      {step && <Progress label={w.steps[step[0]] ?? step[0]} done={step[1]} total={step[2]} />}
      <ErrorPanel error={error} />
      <div class="door-foot">
        <Link href="/recover" class="button button-quiet">{w.welcome.recover}</Link>
        <Button kind="quiet" onClick={() => setPasting(true)}>{w.welcome.haveLink}</Button>
      </div>
      <Select label={w.settings.language} value={prefs.language} onInput={(language) => setPrefs({ language: language as Language })} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
      <Dialog open={pasting} onClose={() => setPasting(false)} title={w.welcome.haveLink}>
        <form class="stack" onSubmit={(event) => { event.preventDefault(); const fragment = link.split('#')[1]; if (fragment) { setPasting(false); navigate(`/join#${fragment.trim()}`) } }}>
          <Field label={w.welcome.pasteLink} value={link} onInput={setLink} dir="ltr" autofocus spellcheck={false} {...(link !== '' && !link.includes('#') && { error: w.problems['bad-link'][0] })} />
          <Button type="submit" disabled={!link.includes('#')}>{w.welcome.open}</Button>
        </form>
      </Dialog>
    </div>
  )
}
