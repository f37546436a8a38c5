// The door: one touch to come in, and a word for whoever was just inside.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Farewell, ScreenProps } from '../app/app.tsx'
import { languages, useAct, useEngine, useWords, type Language } from '../app/context.tsx'
import { Link, navigate } from '../app/router.tsx'
import { remembers } from '../app/support.ts'
import type { ClinicInfo } from '../engine/types.ts'
import { Button, Dialog, ErrorPanel, Field, Mark, MayNotUnlock, Notice, Select, Steps, useSteps } from '../parts/index.tsx'

export default function Welcome({ prefs, setPrefs, farewell }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const { step, progress, stop } = useSteps()
  const [clinic, setClinic] = useState<ClinicInfo | undefined>(undefined)
  const [keeps, setKeeps] = useState(true)
  const [pasting, setPasting] = useState(false)
  useEffect(() => {
    engine.clinic().then(setClinic, () => undefined)
    void remembers().then(setKeeps)
  }, [])
  const signIn = (): void => { void act(() => engine.signIn(progress)).finally(stop) }
  return (
    <div class="narrow door">
      <Mark />
      {farewell && <Goodbye why={farewell} />}
      <div class="page-head">{clinic && <p class="strong">{clinic.name}</p>}<h1 tabIndex={-1}>{w.welcome.title}</h1><p class="soft">{w.welcome.lead}</p></div>
      <MayNotUnlock />
      {!keeps && <Notice kind="warn" title={w.start.forgets}><p>{w.start.forgetsText}</p></Notice>}
      <div class="stack-tight">
        <Button large wide busy={busy} onClick={signIn}>{w.welcome.signIn}</Button>
        <p class="small soft">{w.welcome.oneTouch}</p>
      </div>
      <Steps at={step} />
      <ErrorPanel error={error} />
      <div class="door-foot">
        <Link href="/recover" class="button button-quiet">{w.welcome.recover}</Link>
        <Button kind="quiet" onClick={() => setPasting(true)}>{w.welcome.haveLink}</Button>
      </div>
      <Select label={w.settings.language} value={prefs.language} onInput={(language) => setPrefs({ language: language as Language })} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
      <Dialog open={pasting} onClose={() => setPasting(false)} title={w.welcome.haveLink}><PasteLink onDone={() => setPasting(false)} /></Dialog>
    </div>
  )
}

function Goodbye({ why }: { why: Farewell }): JSX.Element {
  const { w } = useWords()
  if (why === 'erased') return <Notice kind="good" title={w.settings.erasedTitle}><p>{w.settings.erasedText}</p></Notice>
  return <Notice {...(why === 'signedOut' && { kind: 'good' as const })} title={w.welcome[why]}>{why !== 'signedOut' && <p>{w.welcome.again}</p>}</Notice>
}

function PasteLink({ onDone }: { onDone: () => void }): JSX.Element {
  const { w } = useWords()
  const [link, setLink] = useState('')
  const [wrong, setWrong] = useState(false)
  const open = (): void => {
    const secret = link.split('#')[1]?.trim()
    if (!secret) {
      setWrong(true)
      return
    }
    onDone()
    navigate(`/join#${secret}`)
  }
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); open() }}>
      <Field label={w.welcome.pasteLink} hint={w.welcome.linkHint} value={link} onInput={(text) => { setLink(text); setWrong(false) }} dir="ltr" autofocus spellcheck={false} autocomplete="off" {...(wrong && { error: `${w.problems['bad-link'][0]} ${w.problems['bad-link'][1]}` })} />
      <Button type="submit">{w.welcome.open}</Button>
      <p class="small soft">{w.welcome.noLink}</p>
    </form>
  )
}
