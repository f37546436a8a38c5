// Accepting an invitation, in three steps: who invites and what Ward cannot see; about me, what I agree to, and the
// passkey; the recovery code. Founding a clinic and coming back after lost keys go the same way.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { say, spoken, voiceFor } from '../app/aloud.ts'
import type { ScreenProps } from '../app/app.tsx'
import { languages, useAct, useEngine, useWords, type Language } from '../app/context.tsx'
import { namesWrong } from '../app/names.ts'
import { navigate } from '../app/router.tsx'
import type { About, Invitation, Problem, ProblemCode } from '../engine/types.ts'
import { announce, Button, Check, CopyButton, DateField, ErrorPanel, Field, Icon, Mark, MayNotUnlock, Notice, Progress, Select, Steps, toFirstError, useSteps } from '../parts/index.tsx'
import { shownName, typedName } from '../seal/names.ts'
import { apart } from './chart/bidi.ts'

export default function Join({ prefs, setPrefs }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
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
  useEffect(() => {
    if (stage === 'promise') return
    window.scrollTo(0, 0)
    document.querySelector<HTMLElement>('h1')?.focus()
  }, [stage])
  if (!invitation) {
    return failed ? <NotOpened why={failed} onRetry={look} /> : <div class="narrow door"><Mark /><h1 tabIndex={-1}>{w.join.checking}</h1><Progress label={w.loading} done={0} total={0} /></div>
  }
  if (stage === 'code') return <div class="narrow stack-wide"><StepOf now={3} /><Code code={code} recover={invitation.recover} heading={1} onDone={() => navigate('/', true)} /></div>
  if (stage === 'about') return <AboutMe link={link} invitation={invitation} onDone={(c) => { setCode(c); setStage('code') }} />
  return (
    <div class="narrow door">
      <Mark />
      <div class="page-head">
        <StepOf now={1} />
        <h1 tabIndex={-1}>{invitation.founding ? w.join.foundTitle : invitation.recover ? w.join.recoverTitle : w.join.title(apart(invitation.clinic.name, lang))}</h1>
        <p class="soft">{invitation.from ? w.join.fromLead(apart(invitation.from, lang)) : w.join.lead} <strong>{invitation.roles.map((r) => w.roles[r]).join(' · ')}</strong></p>
      </div>
      <ul class="promise">{(forPatients(invitation) ? w.join.promise : w.join.staffPromise).map((line) => <li key={line}><Icon name="tick" />{line}</li>)}</ul>
      <details><summary class="more-details">{w.join.cannotTitle}</summary><ul class="promise">{w.join.cannot.map((line) => <li key={line}><Icon name="eye" />{line}</li>)}</ul></details>
      <Button large wide onClick={() => setStage('about')}>{w.next}</Button>
      <Select label={w.settings.language} value={prefs.language} onInput={(language) => setPrefs({ language: language as Language })} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
    </div>
  )
}

const passing: readonly ProblemCode[] = ['offline', 'unavailable', 'too_many', 'internal'] // trying again helps with these alone

/** A link that opens nothing: mostly one that was used already, by someone who looks for the way back in. */
function NotOpened({ why, onRetry }: { why: Problem; onRetry: () => void }): JSX.Element {
  const { w } = useWords()
  const again = passing.includes(why.code)
  return (
    <div class="narrow door">
      <Mark /><h1 tabIndex={-1}>{w.join.notOpened}</h1>
      <ErrorPanel error={why} {...(again && { onRetry })} />
      {!again && <div class="stack"><p>{w.join.joinedAlready}</p><Button large wide href="/">{w.welcome.signIn}</Button></div>}
    </div>
  )
}

const forPatients = (invitation: Invitation): boolean => invitation.roles.includes('patient') || invitation.roles.includes('proxy')

const steps = 3

function StepOf({ now }: { now: number }): JSX.Element {
  const { w, n } = useWords()
  return <div class="step-of no-print"><p class="small soft">{w.join.stepOf(n(now), n(steps))}</p><div class="step-marks" aria-hidden="true">{Array.from({ length: steps }, (_, i) => <span key={i} class={i < now ? 'done' : ''} />)}</div></div>
}

/** What this device is called until its person says better. */
export function useDeviceName(): string {
  const { w } = useWords()
  return /Android|iPhone|Mobile/.test(navigator.userAgent) ? w.join.devicePhone : w.join.deviceComputer
}

/** A whole name in the two parts that FHIR has: together they are what was stated. */
function partsOf(name: string): { readonly given: string; readonly family: string } {
  const at = name.lastIndexOf(' ')
  return { given: name.slice(0, Math.max(at, 0)), family: name.slice(at + 1) }
}

function AboutMe({ link, invitation, onDone }: { link: string; invitation: Invitation; onDone: (code: string) => void }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const { busy, error, act } = useAct()
  const { step, progress, stop } = useSteps()
  const [given, setGiven] = useState('')
  const [family, setFamily] = useState('')
  const [birthDate, setBirthDate] = useState<string | undefined>('')
  const [phone, setPhone] = useState('')
  const usual = useDeviceName()
  const [device, setDevice] = useState(usual)
  const [agreed, setAgreed] = useState(false)
  const [asked, setAsked] = useState(false) // whether to say what is still missing
  const isPatient = invitation.roles.includes('patient')
  const wantsConsent = isPatient && !invitation.recover
  const missing = {
    ...(invitation.called ? {} : namesWrong(given, family, w, w.needed)),
    birthDate: isPatient && !birthDate ? (birthDate === '' ? w.needed.birthDate : w.needed.date) : undefined, agree: wantsConsent && !agreed ? w.needed.agree : undefined,
  }
  const error_ = (field: keyof typeof missing): { error?: string } => (asked && missing[field] ? { error: missing[field] } : {})
  const submit = (form: HTMLFormElement): void => {
    setAsked(true)
    if (Object.values(missing).some(Boolean)) {
      toFirstError(form)
      return
    }
    const about: About = {
      name: invitation.called ? partsOf(invitation.called) : { given: typedName(given), family: typedName(family) }, language: lang, ...(birthDate && { birthDate }), ...(phone.trim() && { phone: phone.trim() }),
      ...(wantsConsent && { consent: { version: w.join.consentVersion, text: w.join.consentText } }),
    }
    void act(async () => onDone((await engine.accept(link, about, device.trim() || usual, progress)).code)).finally(stop)
  }
  return (
    <form class="narrow stack-wide" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
      <div class="page-head"><StepOf now={2} /><h1 tabIndex={-1}>{w.join.about}</h1><p class="soft">{w.join.aboutHint}</p></div>
      <div class="stack">
        {invitation.called ? <p>{w.join.called} <strong><bdi>{shownName(invitation.called)}</bdi></strong>. <span class="soft">{w.join.calledWrong}</span></p> : <>
          <Field label={w.join.given} value={given} onInput={setGiven} required autocomplete="given-name" {...error_('given')} />
          <Field label={w.join.family} value={family} onInput={setFamily} required autocomplete="family-name" {...error_('family')} />
        </>}
        {isPatient && <DateField label={w.join.birthDate} hint={w.join.birthDateHint} value={birthDate} onInput={setBirthDate} birthday required {...error_('birthDate')} />}
        {isPatient && <Field label={`${w.join.phone} (${w.optional})`} type="tel" inputMode="tel" value={phone} onInput={setPhone} autocomplete="tel" dir="ltr" />}
        <Field label={w.join.device} hint={w.join.deviceHint} value={device} onInput={setDevice} autocomplete="off" />
      </div>
      {wantsConsent && <section class="card"><h2>{w.join.consentTitle}</h2><p>{w.join.consentText}</p><Check checked={agreed} onInput={setAgreed} required {...error_('agree')}>{w.join.consentAgree}</Check></section>}
      <MayNotUnlock />
      <div class="stack-tight">
        <Button type="submit" large wide busy={busy} icon="key">{w.join.makePasskey}</Button>
        <p class="small soft">{w.join.passkeyHint}</p>
      </div>
      <Steps at={step} />
      <ErrorPanel error={error} />
    </form>
  )
}

/** The recovery code, to keep on paper. Printed, the page holds it and how to use it, and nothing else. */
export function Code({ code, recover, heading, onDone }: { code: string; recover?: boolean; heading?: 1; onDone: () => void }): JSX.Element {
  const { w } = useWords()
  const [kept, setKept] = useState(false)
  const [asked, setAsked] = useState(false)
  const submit = (form: HTMLFormElement): void => {
    setAsked(true)
    if (kept) onDone()
    else toFirstError(form)
  }
  const aloud = useAloud(code)
  return (
    <div class="stack-wide">
      <div class="page-head no-print">{heading && <h1 tabIndex={-1}>{w.join.codeTitle}</h1>}<p class="soft">{w.join.codeLead}</p></div>
      <div class="paper">
        <p class="print-only paper-title">{w.join.codePrintTitle}</p>
        <CodeGroups code={code} now={aloud.group} />
        <p class="print-only">{w.join.codePrintHint}</p>
        <p class="print-only" dir="ltr">{location.origin}</p>
      </div>
      <p class="small soft no-print">{w.join.codeAloud}</p>
      <div class="row no-print"><Button kind="plain" icon="print" onClick={() => print()}>{w.print}</Button><CopyButton text={code}>{w.copy}</CopyButton>{aloud.button}</div>
      {recover && <Notice kind="warn" title={w.join.pendingTitle}><p>{w.join.pendingText}</p></Notice>}
      <form class="stack no-print" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
        <Check checked={kept} onInput={setKept} required {...(asked && !kept && { error: w.needed.kept })}>{w.join.codeKept}</Check>
        <Button type="submit" large wide>{heading ? w.join.finish : w.done}</Button>
      </form>
    </div>
  )
}

/** The code in groups, as eyes compare it and as a screen reader spells it. The group that is being said is marked. */
export function CodeGroups({ code, now }: { code: string; now?: number | undefined }): JSX.Element {
  const { w } = useWords()
  return (
    <ol class="code" aria-label={w.join.codeGroups}>{code.split('-').map((group, i) => (
      <li key={i} class={i === now ? 'now' : undefined}><span class="group" aria-hidden="true">{group}</span><span class="sr">{Array.from(group).join(' ')}</span></li>
    ))}</ol>
  )
}

/** A button that reads the code aloud, where this device has a voice of its own for the language; and the group it is at. */
function useAloud(code: string): { readonly group: number | undefined; readonly button: JSX.Element | null } {
  const { w, lang, n } = useWords()
  const [voice, setVoice] = useState<SpeechSynthesisVoice | undefined>(undefined)
  const [group, setGroup] = useState<number | undefined>(undefined)
  const stop = useRef<() => void>(() => undefined)
  useEffect(() => {
    if (typeof speechSynthesis === 'undefined') return
    const look = (): void => setVoice(voiceFor(speechSynthesis.getVoices(), lang))
    look()
    speechSynthesis.addEventListener('voiceschanged', look) // some browsers know their voices only after a while
    return () => {
      speechSynthesis.removeEventListener('voiceschanged', look)
      stop.current()
      setGroup(undefined)
    }
  }, [lang])
  const start = (): void => {
    if (!voice) return
    stop.current = say(spoken(code, (number) => w.join.codeGroup(n(number)), w.join.codeLetters), voice, setGroup, (whole) => {
      setGroup(undefined)
      if (!whole) announce(w.join.codeUnsaid)
    })
  }
  const end = (): void => {
    stop.current()
    setGroup(undefined)
  }
  const speaking = group !== undefined
  return { group, button: voice ? <Button kind="plain" icon={speaking ? 'stop' : 'aloud'} onClick={speaking ? end : start}>{speaking ? w.join.codeStop : w.join.codeListen}</Button> : null }
}
