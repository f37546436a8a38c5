// The people of the clinic: who is here, inviting, roles, ending access. Names come from the sealed directory.

import { encode } from 'uqr'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { navigate } from '../app/router.tsx'
import type { Me, Person, Role } from '../engine/types.ts'
import { Button, Card, Check, Choices, CopyButton, Dialog, Empty, ErrorPanel, Face, Field, Notice, Progress, Tag, announce } from '../parts/index.tsx'
import { matches } from './home.tsx'

const staffRoles: readonly Role[] = ['clinician', 'frontdesk', 'security', 'privacy', 'admin']

export default function People({ id }: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const me = engine.me as Me
  const people = useLoad(() => engine.people(), ['people'])
  const [search, setSearch] = useState('')
  const found = (people.value ?? []).filter((p) => matches(p.name, search))
  const mayInvite = me.roles.some((r) => r === 'clinician' || r === 'frontdesk' || r === 'admin')
  return (
    <>
      <div class="row-between"><h1 tabIndex={-1}>{w.people.title}</h1>{mayInvite && <Button href="/people/invite">{w.people.invite}</Button>}</div>
      <Card>
        <Field label={w.home.find} type="search" value={search} onInput={setSearch} autocomplete="off" />
        <ErrorPanel error={people.error} onRetry={people.again} />
        {people.value === undefined ? <Progress label={w.loading} done={0} total={0} /> : found.length === 0 ? <Empty title={search ? w.home.findNone : w.people.none} /> : <ul class="list">{found.map((p) => <li key={p.person}><Row p={p} me={me} /></li>)}</ul>}
      </Card>
      <Invite open={id === 'invite'} me={me} />
    </>
  )
}

function Row({ p, me }: { p: Person; me: Me }): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const { busy, error, act } = useAct()
  const [asking, setAsking] = useState<'end' | 'roles' | undefined>(undefined)
  const [link, setLink] = useState<string | undefined>(undefined)
  const has = (...roles: readonly Role[]): boolean => me.roles.some((r) => roles.includes(r))
  const self = p.person === me.person
  const staff = p.roles.some((r) => staffRoles.includes(r))
  const name = p.name || w.unnamed
  const mayInviteAgain = p.state === 'active' && !self && (staff ? has('admin') : has('clinician', 'frontdesk')) && p.name !== ''
  return (
    <div class="item">
      <Face name={p.name} />
      <span class="main"><span class="title">{name}{self ? ` (${w.you})` : ''}</span><span class="soft small">{p.roles.map((r) => w.roles[r]).join(' · ')}{p.birthDate ? ` · ${w.home.born(date(p.birthDate, 'date'))}` : ''}</span></span>
      {p.state !== 'active' && <Tag kind={p.state === 'ended' ? 'plain' : 'warn'}>{w.people.states[p.state]}</Tag>}
      {p.invitation && <span class="small soft">{w.people.until(date(p.invitation.until, 'date'))}</span>}
      {p.checked && p.state === 'active' && !self && <Tag kind="good">{w.people.checked}</Tag>}
      <span class="row">
        {p.chart && p.state === 'active' && has('clinician') && <Button kind="plain" href={`/chart/${p.chart}`}>{w.people.openChart}</Button>}
        {p.invitation && <Button kind="quiet" busy={busy} onClick={() => { void act(() => engine.withdraw(p.invitation?.id ?? '')) }}>{w.people.withdraw}</Button>}
        {mayInviteAgain && <Button kind="quiet" busy={busy} onClick={() => { void act(async () => setLink((await engine.inviteAgain(p.person, false)).link)) }}>{w.people.again}</Button>}
        {has('admin') && !self && p.state === 'active' && staff && <Button kind="quiet" onClick={() => setAsking('roles')}>{w.people.editRoles}</Button>}
        {has('admin', 'security') && !self && (p.state === 'active' || p.state === 'pending') && <Button kind="quiet" onClick={() => setAsking('end')}>{w.people.end}</Button>}
      </span>
      <ErrorPanel error={error} />
      <Dialog open={asking === 'end'} onClose={() => setAsking(undefined)} title={w.people.endTitle(name)}>
        <p>{w.people.endText}</p>
        <div class="row"><Button kind="danger" busy={busy} onClick={() => { void act(() => engine.endPerson(p.person)).then((ok) => ok && setAsking(undefined)) }}>{w.people.end}</Button><Button kind="plain" onClick={() => setAsking(undefined)}>{w.cancel}</Button></div>
        <ErrorPanel error={error} />
      </Dialog>
      <Dialog open={asking === 'roles'} onClose={() => setAsking(undefined)} title={w.people.rolesTitle(name)}>
        <Roles start={p.roles} onSave={(roles) => { void act(() => engine.setRoles(p.person, roles)).then((ok) => ok && setAsking(undefined)) }} busy={busy} />
        <ErrorPanel error={error} />
      </Dialog>
      <Dialog open={link !== undefined} onClose={() => setLink(undefined)} title={w.people.linkTitle}>{link && <TheLink link={link} name={name} sent={false} />}</Dialog>
    </div>
  )
}

function Roles({ start, onSave, busy }: { start: readonly Role[]; onSave: (roles: readonly Role[]) => void; busy: boolean }): JSX.Element {
  const { w } = useWords()
  const [roles, setRoles] = useState<readonly Role[]>(start)
  return (
    <div class="stack">
      <div>{staffRoles.map((r) => <Check key={r} checked={roles.includes(r)} onInput={(on) => setRoles(on ? [...roles, r] : roles.filter((x) => x !== r))}>{w.roles[r]}</Check>)}</div>
      <div><Button busy={busy} disabled={roles.length === 0} onClick={() => onSave(staffRoles.filter((r) => roles.includes(r)))}>{w.save}</Button></div>
    </div>
  )
}

function Invite({ open, me }: { open: boolean; me: Me }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const { busy, error, act, clear } = useAct()
  const has = (...roles: readonly Role[]): boolean => me.roles.some((r) => roles.includes(r))
  const choices: readonly Role[] = [...(has('clinician', 'frontdesk') ? (['patient', 'proxy'] as const) : []), ...(has('admin') ? staffRoles : [])]
  const [role, setRole] = useState<Role>(choices[0] ?? 'patient')
  const [given, setGiven] = useState('')
  const [family, setFamily] = useState('')
  const [birthDate, setBirthDate] = useState('')
  const [email, setEmail] = useState('')
  const [byEmail, setByEmail] = useState(false)
  const [made, setMade] = useState<{ link: string; sent: boolean } | undefined>(undefined)
  const close = (): void => {
    setMade(undefined)
    setGiven('')
    setFamily('')
    setBirthDate('')
    setEmail('')
    clear()
    navigate('/people')
  }
  const submit = (): void => {
    void act(async () => {
      const who = { name: { given: given.trim(), family: family.trim() }, language: lang, ...(birthDate && { birthDate }), ...(email && { email }) }
      setMade(await engine.invite(who, [role], byEmail))
      announce(w.people.linkTitle)
    })
  }
  return (
    <Dialog open={open} onClose={close} title={made ? w.people.linkTitle : w.people.invite}>
      {made ? <TheLink link={made.link} name={`${given} ${family}`} sent={made.sent} wanted={byEmail} /> : (
        <form class="stack" onSubmit={(event) => { event.preventDefault(); submit() }}>
          <Choices label={w.people.asWhom} name="role" value={role} onInput={(r) => setRole(r as Role)} options={choices.map((r) => ({ value: r, label: w.roles[r] }))} />
          <Field label={w.join.given} value={given} onInput={setGiven} required autocomplete="off" />
          <Field label={w.join.family} value={family} onInput={setFamily} required autocomplete="off" />
          {role === 'patient' && <Field label={`${w.people.birthDate} (${w.optional})`} type="date" value={birthDate} onInput={setBirthDate} />}
          <Field label={`${w.people.email} (${w.optional})`} type="email" inputMode="email" value={email} onInput={setEmail} autocomplete="off" dir="ltr" />
          {email !== '' && <Check checked={byEmail} onInput={setByEmail}>{w.people.byEmail}<br /><span class="small soft">{w.people.byEmailHint}</span></Check>}
          <Button type="submit" busy={busy} disabled={given.trim() === '' || family.trim() === ''}>{w.people.make}</Button>
          <ErrorPanel error={error} />
        </form>
      )}
    </Dialog>
  )
}

function TheLink({ link, name, sent, wanted }: { link: string; name: string; sent: boolean; wanted?: boolean }): JSX.Element {
  const { w } = useWords()
  return (
    <div class="stack">
      <p>{w.people.linkLead(name.trim())}</p>
      {sent && <Notice kind="good"><p>{w.people.linkSent}</p></Notice>}
      {wanted && !sent && <Notice kind="warn"><p>{w.people.noEmail}</p></Notice>}
      <QR text={link} label={w.people.qr} />
      <p class="link-text" data-testid="link">{link}</p>
      <div class="row"><CopyButton text={link}>{w.copy}</CopyButton><Button kind="plain" onClick={() => print()}>{w.print}</Button></div>
    </div>
  )
}

/** A QR code drawn as elements: no markup is parsed. */
function QR({ text, label }: { text: string; label: string }): JSX.Element {
  const { data, size } = encode(text, { ecc: 'M', border: 1 })
  const path = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges"><path d={path} fill="#000" /></svg>
}
