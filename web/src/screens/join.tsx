// Accepting an invitation: who invites, what is promised, about me, the passkey, the recovery code.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { languages, useAct, useEngine, useWords, type Language } from '../app/context.tsx'
import { navigate } from '../app/router.tsx'
import type { About, Invitation, Problem } from '../engine/types.ts'
import { Button, Check, ErrorPanel, Field, Mark, Notice, Progress, Select } from '../parts/index.tsx'

export default function Join({ prefs, setPrefs }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const [link] = useState(location.href)
  const [invitation, setInvitation] = useState<Invitation | undefined>(undefined)
  const [failed, setFailed] = useState<Problem | undefined>(undefined)
  const [stage, setStage] = useState<'promise' | 'about' | 'code'>('promise')
  const [code, setCode] = useState('')
  const look = (): void => {
    setFailed(undefined)
    engine.openInvitation(link).then(setInvitation, (p: Problem) => setFailed(p))
  }
  useEffect(look, [])
  useEffect(() => { if (stage !== 'promise') document.querySelector<HTMLElement>('h1')?.focus() }, [stage])
  if (!invitation) {
    return <div class="narrow door"><Mark /><h1 tabIndex={-1}>{w.join.checking}</h1>{failed ? <><ErrorPanel error={failed} onRetry={look} /><Button kind="plain" href="/">{w.notFound.home}</Button></> : <Progress label={w.loading} done={0} total={0} />}</div>
  }
  if (stage === 'code') return <Code code={code} recover={invitation.recover} onDone={() => navigate('/', true)} />
  if (stage === 'about') return <AboutMe link={link} invitation={invitation} onDone={(c) => { setCode(c); setStage('code') }} />
  const patient = invitation.roles.includes('patient') || invitation.roles.includes('proxy')
  return (
    <div class="narrow door">
      <Mark />
      <div class="page-head">
        <h1 tabIndex={-1}>{invitation.founding ? w.join.foundTitle : invitation.recover ? w.join.recoverTitle : w.join.title(invitation.clinic.name)}</h1>
        <p class="soft">{w.join.lead} <strong>{invitation.roles.map((r) => w.roles[r]).join(' · ')}</strong></p>
      </div>
      <ul class="promise">{(patient ? w.join.promise : w.join.staffPromise).map((line) => <li key={line}><Tick />{line}</li>)}</ul>
      <Button large wide onClick={() => setStage('about')}>{w.next}</Button>
      <Select label={w.settings.language} value={prefs.language} onInput={(language) => setPrefs({ language: language as Language })} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
    </div>
  )
}

function Tick(): JSX.Element {
  return <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" aria-hidden="true"><path d="m5 12.5 4.5 4.5L19 7.5" stroke-linecap="round" stroke-linejoin="round" /></svg>
}

function AboutMe({ link, invitation, onDone }: { link: string; invitation: Invitation; onDone: (code: string) => void }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const { busy, error, act } = useAct()
  const [step, setStep] = useState<readonly [string, number, number] | undefined>(undefined)
  const [given, setGiven] = useState('')
  const [family, setFamily] = useState('')
  const [birthDate, setBirthDate] = useState('')
  const [phone, setPhone] = useState('')
  const [device, setDevice] = useState(w.join.deviceDefault)
  const [agreed, setAgreed] = useState(false)
  const isPatient = invitation.roles.includes('patient')
  const wantsConsent = isPatient && !invitation.recover
  const submit = (): void => {
    const about: About = {
      name: { given: given.trim(), family: family.trim() }, language: lang, ...(birthDate && { birthDate }), ...(phone && { phone }),
      ...(wantsConsent && { consent: { version: w.join.consentVersion, text: w.join.consentText } }),
    }
    void act(async () => onDone((await engine.accept(link, about, device.trim() || w.join.deviceDefault, (...at) => setStep(at))).code)).finally(() => setStep(undefined))
  }
  return (
    <form class="narrow stack-wide" onSubmit={(event) => { event.preventDefault(); submit() }}>
      <div class="page-head"><h1 tabIndex={-1}>{w.join.about}</h1><p class="soft">{w.join.aboutHint}</p></div>
      <div class="stack">
        <Field label={w.join.given} value={given} onInput={setGiven} required autocomplete="given-name" />
        <Field label={w.join.family} value={family} onInput={setFamily} required autocomplete="family-name" />
        {isPatient && <Field label={w.join.birthDate} type="date" value={birthDate} onInput={setBirthDate} autocomplete="bday" required max={new Date().toISOString().slice(0, 10)} />}
        {isPatient && <Field label={`${w.join.phone} (${w.optional})`} type="tel" inputMode="tel" value={phone} onInput={setPhone} autocomplete="tel" dir="ltr" />}
        <Field label={w.join.device} hint={w.join.deviceHint} value={device} onInput={setDevice} />
      </div>
      {wantsConsent && <section class="card"><h2>{w.join.consentTitle}</h2><p>{w.join.consentText}</p><Check checked={agreed} onInput={setAgreed}>{w.join.consentAgree}</Check></section>}
      <div class="stack-tight">
        <Button type="submit" large wide busy={busy} disabled={given.trim() === '' || family.trim() === '' || (wantsConsent && !agreed) || (isPatient && birthDate === '')}>{w.join.makePasskey}</Button>
        <p class="small soft">{w.join.passkeyHint}</p>
      </div>
      {step && <Progress label={w.steps[step[0]] ?? step[0]} done={step[1]} total={step[2]} />}
      <ErrorPanel error={error} />
    </form>
  )
}

export function Code({ code, recover, onDone }: { code: string; recover?: boolean; onDone: () => void }): JSX.Element {
  const { w } = useWords()
  const [kept, setKept] = useState(false)
  return (
    <div class="narrow stack-wide">
      <div class="page-head"><h1 tabIndex={-1}>{w.join.codeTitle}</h1><p class="soft">{w.join.codeLead}</p></div>
      <CodeGroups code={code} />
      <div class="row no-print"><Button kind="plain" onClick={() => print()}>{w.print}</Button></div>
      <p class="print-only">{w.join.codePrintHint}</p>
      {recover && <Notice title={w.join.pendingTitle}><p>{w.join.pendingText}</p></Notice>}
      <div class="stack no-print"><Check checked={kept} onInput={setKept}>{w.join.codeKept}</Check><Button large wide disabled={!kept} onClick={onDone}>{w.join.finish}</Button></div>
    </div>
  )
}

export function CodeGroups({ code }: { code: string }): JSX.Element {
  const { w } = useWords()
  return <ol class="code" aria-label={w.join.codeGroups}>{code.split('-').map((group, i) => <li key={i} aria-label={Array.from(group).join(' ')}>{group}</li>)}</ol>
}
