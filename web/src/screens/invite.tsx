// Inviting: who it is for, and then the link, to show, copy, print or send. The link is the secret; it is shown once.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { namesWrong } from '../app/names.ts'
import { useQuery } from '../app/router.tsx'
import type { About, Me, Person, Role } from '../engine/types.ts'
import { QR } from '../parts/qr.tsx'
import { Button, Card, Check, Choices, CopyButton, DateField, ErrorPanel, Field, Notice, announce, toFirstError } from '../parts/index.tsx'
import { alike, typedName } from '../seal/names.ts'
import { apart } from './chart/bidi.ts'

export const staffRoles: readonly Role[] = ['clinician', 'frontdesk', 'security', 'privacy', 'admin']
export const isStaff = (p: Person): boolean => p.roles.some((r) => staffRoles.includes(r))

/** Whom this person may invite. */
export function mayInvite(me: Me): readonly Role[] {
  const has = (...roles: readonly Role[]): boolean => me.roles.some((r) => roles.includes(r))
  return [...(has('clinician', 'frontdesk') ? (['patient', 'proxy'] as const) : []), ...(has('admin') ? staffRoles : [])]
}

interface Made { readonly link: string; readonly sent: boolean; readonly name: string; readonly wanted: boolean }

export default function Invite(_: ScreenProps): JSX.Element {
  const { w } = useWords()
  const [made, setMade] = useState<Made | undefined>(undefined)
  useEffect(() => { if (made) document.querySelector<HTMLElement>('h1')?.focus() }, [made])
  return (
    <div class="middle stack-wide">
      <div class="no-print"><Button kind="quiet" href="/people">{w.people.backTo}</Button></div>
      <h1 class={made && 'no-print'} tabIndex={-1}>{made ? w.people.linkTitle : w.people.invite}</h1>
      {made
        ? <Card><TheLink link={made.link} name={made.name} sent={made.sent} wanted={made.wanted} /><div class="no-print"><Button kind="plain" icon="invite" onClick={() => setMade(undefined)}>{w.people.another}</Button></div></Card>
        : <Form onMade={setMade} />}
    </div>
  )
}

function Form({ onMade }: { onMade: (made: Made) => void }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const { busy, error, act } = useAct()
  const choices = mayInvite(engine.me as Me)
  const wanted = useQuery('role')
  const [role, setRole] = useState<Role>(choices.find((r) => r === wanted) ?? choices[0] ?? 'patient')
  const [given, setGiven] = useState('')
  const [family, setFamily] = useState('')
  const [birthDate, setBirthDate] = useState<string | undefined>('')
  const [email, setEmail] = useState('')
  const [byEmail, setByEmail] = useState(false)
  const [asked, setAsked] = useState(false)
  const missing = {
    ...namesWrong(given, family, w, { given: w.needed.theirGiven, family: w.needed.theirFamily }),
    birthDate: role === 'patient' && birthDate === undefined ? w.needed.date : undefined, email: email.trim() !== '' && !/^\S+@\S+\.\S+$/.test(email.trim()) ? w.needed.email : undefined,
  }
  const people = useLoad(() => engine.people(), ['people'])
  const like = (people.value ?? []).find((p) => p.roles.some((r) => staffRoles.includes(r)) && alike(p.name, `${given} ${family}`))
  const error_ = (field: keyof typeof missing): { error?: string } => (asked && missing[field] ? { error: missing[field] } : {})
  const submit = (form: HTMLFormElement): void => {
    setAsked(true)
    if (Object.values(missing).some(Boolean)) {
      toFirstError(form)
      return
    }
    const name = { given: typedName(given), family: typedName(family) }
    const who: About = { name, language: lang, ...(role === 'patient' && birthDate && { birthDate }), ...(email.trim() && { email: email.trim() }) }
    void act(async () => {
      const { link, sent } = await engine.invite(who, [role], byEmail && email.trim() !== '')
      onMade({ link, sent, name: `${name.given} ${name.family}`, wanted: byEmail })
      announce(w.people.linkTitle)
    })
  }
  return (
    <form class="stack-wide" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
      <Card><Choices label={w.people.asWhom} name="role" value={role} onInput={(r) => setRole(r as Role)} options={choices.map((r) => ({ value: r, label: w.roles[r] }))} /><p class="soft" aria-live="polite">{w.people.rolesText[role]}</p></Card>
      <Card title={w.people.whoTitle}>
        <div class="two">
          <Field label={w.join.given} value={given} onInput={setGiven} required autocomplete="off" {...error_('given')} />
          <Field label={w.join.family} value={family} onInput={setFamily} required autocomplete="off" {...error_('family')} />
        </div>
        {like && <Notice kind="warn"><p>{w.names.like(apart(like.name, lang))}</p></Notice>}
        {role === 'patient' && <DateField label={`${w.people.birthDate} (${w.optional})`} hint={w.join.birthDateHint} value={birthDate} onInput={setBirthDate} {...error_('birthDate')} />}
        <Field label={`${w.people.email} (${w.optional})`} type="email" inputMode="email" value={email} onInput={setEmail} autocomplete="off" dir="ltr" {...error_('email')} />
        {email !== '' && <Check checked={byEmail} onInput={setByEmail}>{w.people.byEmail}<br /><span class="small soft">{w.people.byEmailHint}</span></Check>}
      </Card>
      <div class="stack"><ErrorPanel error={error} /><div><Button type="submit" large busy={busy}>{w.people.make}</Button></div></div>
    </form>
  )
}

/** The link in every form it can be handed over. Printed, it is a letter. */
export function TheLink({ link, name, sent, wanted }: { link: string; name: string; sent: boolean; wanted?: boolean }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  return (
    <div class="stack">
      <p class="no-print">{w.people.linkLead(apart(name.trim(), lang))}</p>
      {sent && <Notice kind="good"><p>{w.people.linkSent}</p></Notice>}
      {wanted && !sent && <Notice kind="warn"><p>{w.people.noEmail}</p></Notice>}
      <div class="paper">
        <p class="print-only paper-title">{engine.me?.clinic.name}</p>
        <p class="print-only">{w.people.letter}</p>
        <QR text={link} label={w.people.qr} />
        <p class="link-text" data-testid="link">{link}</p>
      </div>
      <div class="row no-print"><CopyButton text={link}>{w.copy}</CopyButton><Button kind="plain" icon="print" onClick={() => print()}>{w.print}</Button></div>
    </div>
  )
}
