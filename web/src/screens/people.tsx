// The people of the clinic: who is here, who is invited, roles, ending access. Names come from the sealed directory.

import type { JSX } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { matches } from '../app/text.ts'
import type { Me, PendingMatter, Person, Role, Undoable } from '../engine/types.ts'
import { Button, Card, Check, Choices, Dialog, Empty, ErrorPanel, Face, Field, Notice, Progress, Tag } from '../parts/index.tsx'
import { checkName, skeleton } from '../seal/names.ts'
import { apart } from './chart/bidi.ts'
import { LoadedProof, useLedger } from './proof.tsx'
import { TheLink, isStaff, mayInvite, staffRoles } from './invite.tsx'
import { Confirming, Matter, Renaming, Undo, VetoTime, useNameOf } from './matters.tsx'

type Group = 'all' | 'patients' | 'staff' | 'waiting'

const groups: Readonly<Record<Group, (p: Person) => boolean>> = { all: () => true, patients: (p) => !isStaff(p), staff: isStaff, waiting: (p) => p.state === 'invited' || p.state === 'pending' }

export default function People(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const me = engine.me as Me
  const people = useLoad(() => engine.people(), ['people'])
  const members = useLoad(() => engine.membership(), ['people'])
  const [search, setSearch] = useState('')
  const [group, setGroup] = useState<Group>('all')
  const all = people.value ?? []
  const pending = (members.value?.pending ?? []).filter((m) => m.type !== 'rules')
  const isIn = (p: Person): boolean => groups[group](p) || (group === 'waiting' && pending.some((m) => m.person === p.person))
  const found = all.filter((p) => isIn(p) && matches(p.name, search)).sort((a, b) => Number(a.state === 'ended') - Number(b.state === 'ended') || a.name.localeCompare(b.name, lang))
  const staff = useMemo(() => all.filter((p) => isStaff(p) && p.state !== 'ended').map((p) => ({ person: p.person, name: p.name, look: skeleton(p.name) })).filter((s) => s.look !== ''), [people.value])
  const nameOf = useNameOf(all)
  const rowOf = (p: Person): JSX.Element => {
    const undo = members.value?.undoable.find((u) => u.person === p.person && u.by !== p.person) // who left by themselves is not brought back
    return <Row p={p} me={me} people={all} matters={pending.filter((m) => m.person === p.person)} undo={undo} like={staff.find((s) => s.person !== p.person && s.look === skeleton(p.name))?.name} />
  }
  const nameless = all.length > 1 && all.every((p) => p.name === '' || p.person === me.person)
  return (
    <>
      <div class="row-between"><h1 tabIndex={-1}>{w.people.title}</h1>{mayInvite(me).length > 0 && <Button icon="invite" href="/people/invite">{w.people.invite}</Button>}</div>
      <Card>
        <Choices compact label={w.people.title} name="group" value={group} onInput={(g) => setGroup(g as Group)} options={(Object.keys(groups) as Group[]).map((value) => ({ value, label: w.people.groups[value] }))} />
        <Field label={w.home.find} type="search" value={search} onInput={setSearch} autocomplete="off" />
        {nameless && <Notice kind="warn"><p>{w.people.directoryWait}</p></Notice>}
        <ErrorPanel error={people.error} onRetry={people.again} />
        {!people.error && <ErrorPanel error={members.error} onRetry={members.again} />}
        {people.value && <p class="small soft" role="status">{w.people.count(found.length)}</p>}
        {people.value === undefined ? people.loading && <Progress label={w.loading} done={0} total={0} /> : found.length === 0 ? <Empty icon="people" title={search ? w.home.findNone : w.people.none} /> : <ul class="list">{found.map((p) => <li key={p.person}>{rowOf(p)}</li>)}</ul>}
      </Card>
      {members.value && <VetoTime state={members.value} me={me} nameOf={nameOf} />}
    </>
  )
}

/** What is known of a person beside themselves. */
interface About { readonly p: Person; readonly me: Me; readonly people: readonly Person[]; readonly matters: readonly PendingMatter[]; readonly undo: Undoable | undefined }

/** like: a member of staff whose name looks the same. */
function Row({ like, ...known }: About & { like: string | undefined }): JSX.Element {
  const { p, me, matters, undo } = known
  const { w, lang, date } = useWords()
  const self = p.person === me.person
  const about = [...p.roles.map((r) => w.roles[r]), ...(p.birthDate ? [w.home.born(date(p.birthDate, 'date'))] : [])].join(' · ')
  const head = (
    <>
      <Face name={p.name} />
      <span class="main"><span class="title"><bdi>{p.name || w.unnamed}</bdi>{self ? ` (${w.you})` : ''}</span><span class="soft small">{about}</span></span>
      {like !== undefined ? <Tag kind="warn">{w.names.same(apart(like, lang))}</Tag> : p.name !== '' && checkName(p.name) && <Tag kind="warn">{w.names.odd}</Tag>}
      {p.state !== 'active' && <Tag kind={p.state === 'ended' ? 'plain' : 'warn'}>{w.people.states[p.state]}</Tag>}
      {p.state === 'active' && matters.length > 0 && <Tag kind="warn">{w.people.states.pending}</Tag>}
      {p.alone && <Tag kind="plain">{w.people.alone}</Tag>}
    </>
  )
  const opens = useRef(false) // and stays so: else it would close while what can be undone is read
  opens.current ||= (!self && p.state !== 'ended') || matters.length > 0 || undo !== undefined
  if (!opens.current) return <div class="item">{head}</div>
  return <details class="opens"><summary class="item">{head}</summary><Inside {...known} /></details>
}

type Asking = 'end' | 'roles' | 'again' | 'withdraw' | 'confirm' | 'rename'

function Inside({ p, me, people, matters, undo }: About): JSX.Element {
  const engine = useEngine()
  const { w, lang, date, list } = useWords()
  const { busy, error, act, clear } = useAct()
  const [asking, setAsking] = useState<Asking | undefined>(undefined)
  const [link, setLink] = useState<string | undefined>(undefined)
  const nameOf = useNameOf(people)
  const hasLedger = useLedger()
  const { value: keys } = useLoad(async () => (p.state === 'active' ? engine.newKeysOf(p.person) : undefined), ['people'], [p.person])
  const has = (...roles: readonly Role[]): boolean => me.roles.some((r) => roles.includes(r))
  const staff = isStaff(p)
  const name = p.name || w.unnamed
  const self = p.person === me.person
  const here = p.state === 'active' && !self // nobody decides this of themselves
  const knows = staff ? has('admin') : has('clinician', 'frontdesk')
  const contacts = [p.phone, p.email].filter((c): c is string => Boolean(c))
  const close = (): void => {
    setAsking(undefined)
    setLink(undefined)
    clear()
  }
  const asks = (what: Asking, title: string, label: string, text: string, work: () => Promise<unknown>, danger = true): JSX.Element => (
    <Dialog open={asking === what} onClose={close} title={title}>
      <p>{text}</p>
      <div class="row"><Button kind={danger ? 'danger' : 'primary'} busy={busy} onClick={() => { void act(work).then((ok) => ok && danger && close()) }}>{label}</Button><Button kind="plain" onClick={close}>{w.cancel}</Button></div>
      <ErrorPanel error={error} />
    </Dialog>
  )
  return (
    <div class="inside stack">
      {contacts.length > 0 && <p>{contacts.map((c, i) => <span key={c}>{i > 0 && ' · '}<a class="contact" href={c.includes('@') ? `mailto:${c}` : `tel:${c.replace(/\s/g, '')}`}><bdi dir="ltr">{c}</bdi></a></span>)}</p>}
      {here && hasLedger && <div><p class="small soft">{w.ledger.proof.cardLead}</p><LoadedProof card load={() => engine.cardProof(p.person)} /></div>}
      {p.state === 'pending' && !matters.some((m) => m.type === 'card') && <p class="soft">{w.people.waitingText}</p>}
      {p.invitation && <p class="soft">{w.people.invitedUntil(date(p.invitation.until, 'date'))}</p>}
      {keys?.keysSince && <p>{w.keys.since(date(keys.keysSince, 'datetime'), list((keys.keysBy ?? []).map((by) => nameOf(by))))}</p>}
      {p.alone && (
        <div class="stack">
          <p class="soft">{w.people.aloneText}</p>
          {p.alone.can && !self && <div class="row"><Button icon="good" onClick={() => setAsking('confirm')}>{w.people.confirm}</Button></div>}
        </div>
      )}
      {undo && <Undo undo={undo} name={apart(name, lang)} nameOf={nameOf} asked={matters.some((m) => m.type === 'reinstate')} />}
      {matters.map((m) => <Matter key={m.what} m={m} name={apart(name, lang)} nameOf={nameOf} undo={undo} self={self} />)}
      <div class="row">
        {p.chart && here && has('clinician') && <Button kind="plain" icon="chart" href={`/chart/${p.chart}`}>{w.people.openChart}</Button>}
        {p.chart && here && has('clinician', 'frontdesk') && <Button kind="plain" icon="calendar" href={`/calendar?patient=${p.person}`}>{w.home.book}</Button>}
        {here && staff && has('admin') && <Button kind="plain" icon="settings" onClick={() => setAsking('roles')}>{w.people.editRoles}</Button>}
        {here && knows && <Button kind="plain" icon="note" onClick={() => setAsking('rename')}>{w.matters.rename}</Button>}
        {here && p.name !== '' && knows && <Button kind="plain" icon="key" onClick={() => setAsking('again')}>{w.people.again}</Button>}
        {p.invitation && mayInvite(me).some((r) => p.roles.includes(r)) && <Button kind="plain" onClick={() => setAsking('withdraw')}>{w.people.withdraw}</Button>}
        {has('admin', 'security') && here && <Button kind="quiet" icon="leave" onClick={() => setAsking('end')}>{w.people.end}</Button>}
      </div>
      <Confirming open={asking === 'confirm'} onClose={close} title={w.people.confirmTitle(name)} person={p.person} what={p.alone?.what ?? ''}><p>{w.people.confirmText}</p></Confirming>
      <Renaming open={asking === 'rename'} onClose={close} p={p} people={people} />
      {asks('end', w.people.endTitle(name), w.people.end, w.people.endText, () => engine.endPerson(p.person))}
      {asks('withdraw', w.people.withdrawTitle(name), w.people.withdraw, w.people.withdrawText, () => engine.withdraw(p.invitation?.id ?? ''))}
      {link === undefined && asks('again', w.people.againTitle(name), w.people.make, w.people.againText, async () => setLink((await engine.inviteAgain(p.person, false)).link), false)}
      <Dialog open={link !== undefined} onClose={close} title={w.people.linkTitle}>{link && <TheLink link={link} name={name} sent={false} />}</Dialog>
      <Dialog open={asking === 'roles'} onClose={close} title={w.people.rolesTitle(name)}>
        <Roles start={p.roles} onSave={(roles) => { void act(() => engine.setRoles(p.person, roles)).then((ok) => ok && close()) }} busy={busy} />
        <ErrorPanel error={error} />
      </Dialog>
    </div>
  )
}

function Roles({ start, onSave, busy }: { start: readonly Role[]; onSave: (roles: readonly Role[]) => void; busy: boolean }): JSX.Element {
  const { w } = useWords()
  const [roles, setRoles] = useState<readonly Role[]>(start)
  return (
    <div class="stack">
      <div>{staffRoles.map((r) => <Check key={r} checked={roles.includes(r)} onInput={(on) => setRoles(on ? [...roles, r] : roles.filter((x) => x !== r))}><span class="strong">{w.roles[r]}</span><br /><span class="small soft">{w.people.rolesText[r]}</span></Check>)}</div>
      {roles.length === 0 ? <Notice kind="warn"><p>{w.needed.role}</p></Notice> : <div><Button busy={busy} onClick={() => onSave(staffRoles.filter((r) => roles.includes(r)))}>{w.save}</Button></div>}
    </div>
  )
}
