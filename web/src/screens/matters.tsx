// What waits, of who is who: for a second person, or for the time in which new keys can be refused. What can be undone, and the
// name that others see. people.tsx shows them with the people whom they are about.

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../app/context.tsx'
import { namesWrong } from '../app/names.ts'
import type { How, Me, MembershipState, PendingMatter, Person, Undoable } from '../engine/types.ts'
import { Button, Card, Choices, Dialog, ErrorPanel, Field, Notice, announce, digits, toFirstError } from '../parts/index.tsx'
import { alike, typedName } from '../seal/names.ts'
import { apart } from './chart/bidi.ts'
import { isStaff } from './invite.tsx'

const hows: readonly How[] = ['met', 'video', 'phone', 'document']
/** The longest time for a veto, in hours: two weeks, as long as a link lasts. */
const maxVeto = 336

/** A person's name as it stands in a sentence. */
type NameOf = (person: string) => string

/** How people are called in sentences; whose name is not known is a colleague. */
export function useNameOf(people: readonly Person[]): NameOf {
  const { w, lang } = useWords()
  return (id) => apart(people.find((p) => p.person === id)?.name || w.matters.someone, lang)
}

/** A time inside a sentence. */
function useWhen(): (iso: string) => string {
  const { w, date } = useWords()
  return (iso) => (new Date(iso).toDateString() === new Date().toDateString() ? w.matters.when.today(date(iso, 'time')) : w.matters.when.day(date(iso, 'weekday'), date(iso, 'time')))
}

/** Confirms something as the second person, and says how one made sure. */
export function Confirming({ open, onClose, title, person, what, children }: { open: boolean; onClose: () => void; title: string; person: string; what: string; children: ComponentChildren }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act, clear } = useAct()
  const [how, setHow] = useState<How>('met')
  const close = (): void => {
    clear()
    onClose()
  }
  const confirm = async (): Promise<void> => {
    if (!(await act(() => engine.confirmMatter(person, what, how)))) return
    announce(w.done)
    close()
  }
  return (
    <Dialog open={open} onClose={close} title={title}>
      {children}
      <Choices label={w.people.confirmHow} name={`how-${what}`} value={how} onInput={(h) => setHow(h as How)} options={hows.map((value) => ({ value, label: w.people.how[value] }))} />
      <div class="row"><Button busy={busy} onClick={() => { void confirm() }}>{w.people.confirm}</Button><Button kind="plain" onClick={close}>{w.cancel}</Button></div>
      <ErrorPanel error={error} />
    </Dialog>
  )
}

/** Asks once more, and does it. */
function Asking({ open, onClose, title, label, danger, work, children }: { open: boolean; onClose: () => void; title: string; label: string; danger?: boolean; work: () => Promise<void>; children: ComponentChildren }): JSX.Element {
  const { w } = useWords()
  const { busy, error, act, clear } = useAct()
  const close = (): void => {
    clear()
    onClose()
  }
  const go = async (): Promise<void> => {
    if (!(await act(work))) return
    announce(w.done)
    close()
  }
  return (
    <Dialog open={open} onClose={close} title={title}>
      {children}
      <div class="row"><Button kind={danger ? 'danger' : 'primary'} busy={busy} onClick={() => { void go() }}>{label}</Button><Button kind="plain" onClick={close}>{w.cancel}</Button></div>
      <ErrorPanel error={error} />
    </Dialog>
  )
}

/** Something of a person that waits. Nobody confirms what is about themselves. */
export function Matter({ m, name, nameOf, undo, self }: { m: PendingMatter; name: string; nameOf: NameOf; undo: Undoable | undefined; self: boolean }): JSX.Element {
  const engine = useEngine()
  const { w, list } = useWords()
  const when = useWhen()
  const [asking, setAsking] = useState<'confirm' | 'refuse' | undefined>(undefined)
  const by = nameOf(m.author)
  const roles = list((m.roles ?? []).map((r) => w.roles[r]))
  const close = (): void => setAsking(undefined)
  const lost = (): string => (m.from === undefined ? w.matters.lost(by) : Date.parse(m.from) > Date.now() ? w.matters.lostFrom(when(m.from)) : w.matters.lostDue)
  const says: Readonly<Record<PendingMatter['type'], () => string>> = {
    card: () => w.people.waitingText, 'card-after-loss': lost, roles: () => w.matters.roles(by, roles), deactivate: () => w.matters.end(by),
    reinstate: () => w.matters.asked(by, undo && when(undo.until)), rules: () => '',
  }
  const confirms: Readonly<Record<PendingMatter['type'], readonly [title: string, text: ComponentChildren]>> = {
    card: [w.people.confirmTitle(name), <p>{w.people.confirmText}</p>], 'card-after-loss': [w.people.confirmTitle(name), <p>{w.people.confirmText}</p>],
    roles: [w.people.rolesTitle(name), <p>{w.matters.rolesText(roles)}</p>], deactivate: [w.people.endTitle(name), <p>{w.people.endText}</p>],
    reinstate: [w.matters.undoTitle(name), undo && <Back undo={undo} />], rules: ['', undefined],
  }
  const [title, text] = confirms[m.type]
  const mayConfirm = m.can.confirm && !self
  return (
    <div class="stack">
      <p>{says[m.type]()}</p>
      {(mayConfirm || m.can.veto) && (
        <div class="row">
          {mayConfirm && <Button icon="good" onClick={() => setAsking('confirm')}>{w.people.confirm}</Button>}
          {m.can.veto && <Button kind="plain" icon="warn" onClick={() => setAsking('refuse')}>{w.matters.refuse}</Button>}
        </div>
      )}
      <Confirming open={asking === 'confirm'} onClose={close} title={title} person={m.person} what={m.what}>{text}</Confirming>
      <Asking open={asking === 'refuse'} onClose={close} title={w.matters.refuseTitle(name)} label={w.matters.refuse} danger work={() => engine.vetoMatter(m.person, m.what)}><p>{w.matters.refuseText}</p></Asking>
    </div>
  )
}

/** What comes back when something is undone, and what does not. */
function Back({ undo }: { undo: Undoable }): JSX.Element {
  const { w, list } = useWords()
  const roles = list(undo.roles.map((r) => w.roles[r]))
  return <><p>{undo.ended ? w.matters.backEnded(roles) : w.matters.backRoles(roles)}</p><p>{w.matters.backNot}</p></>
}

/** What somebody did to a person that can still be undone. asked: somebody wants it already. */
export function Undo({ undo, name, nameOf, asked }: { undo: Undoable; name: string; nameOf: NameOf; asked: boolean }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const when = useWhen()
  const [asking, setAsking] = useState(false)
  const [at, by, until] = [when(undo.at), nameOf(undo.by), when(undo.until)]
  return (
    <div class="stack">
      <p>{undo.ended ? w.matters.undoEnded(at, by, until) : w.matters.undoRoles(at, by, until)}</p>
      {undo.can && !asked && <div class="row"><Button kind="plain" onClick={() => setAsking(true)}>{w.matters.undo}</Button></div>}
      <Asking open={asking} onClose={() => setAsking(false)} title={w.matters.undoTitle(name)} label={w.matters.undo} work={() => engine.reinstate(undo.person, undo.what)}>
        <Back undo={undo} />
        <p>{w.matters.backSecond(by, until)}</p>
      </Asking>
    </div>
  )
}

/** Gives a person another name. */
export function Renaming({ open, onClose, p, people }: { open: boolean; onClose: () => void; p: Person; people: readonly Person[] }): JSX.Element {
  const { w, lang } = useWords()
  return <Dialog open={open} onClose={onClose} title={w.matters.renameTitle(apart(p.name || w.unnamed, lang))}><NewName p={p} people={people} onClose={onClose} /></Dialog>
}

function NewName({ p, people, onClose }: { p: Person; people: readonly Person[]; onClose: () => void }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const { busy, error, act } = useAct()
  const [given, setGiven] = useState('')
  const [family, setFamily] = useState('')
  const [asked, setAsked] = useState(false)
  const wrong = namesWrong(given, family, w, { given: w.needed.theirGiven, family: w.needed.theirFamily })
  const like = people.find((one) => one.person !== p.person && one.state !== 'ended' && isStaff(one) && alike(one.name, `${given} ${family}`))
  const submit = async (form: HTMLFormElement): Promise<void> => {
    setAsked(true)
    if (wrong.given || wrong.family) {
      toFirstError(form)
      return
    }
    if (!(await act(() => engine.renamePerson(p.person, typedName(given), typedName(family))))) return
    announce(w.matters.renamed)
    onClose()
  }
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); void submit(event.currentTarget) }}>
      <p>{isStaff(p) ? w.matters.renameStaff : w.matters.renamePatient} {w.matters.renameOwn}</p>
      <div class="two">
        <Field label={w.join.given} value={given} onInput={setGiven} required autofocus autocomplete="off" {...(asked && wrong.given && { error: wrong.given })} />
        <Field label={w.join.family} value={family} onInput={setFamily} required autocomplete="off" {...(asked && wrong.family && { error: wrong.family })} />
      </div>
      {like && <Notice kind="warn"><p>{w.names.like(apart(like.name, lang))}</p></Notice>}
      <div class="row"><Button type="submit" busy={busy}>{w.save}</Button><Button kind="plain" onClick={onClose}>{w.cancel}</Button></div>
      <ErrorPanel error={error} />
    </form>
  )
}

/** For how long new keys after a loss can be refused here: for administrators, and for whoever may confirm another time. */
export function VetoTime({ state, me, nameOf }: { state: MembershipState; me: Me; nameOf: NameOf }): JSX.Element | null {
  const { w } = useWords()
  const [changing, setChanging] = useState(false)
  const [confirming, setConfirming] = useState<string | undefined>(undefined)
  const isAdmin = me.roles.includes('admin')
  const waiting = state.pending.filter((m) => m.type === 'rules')
  if (!isAdmin && !waiting.some((m) => m.can.confirm)) return null
  return (
    <Card title={w.matters.vetoTitle}>
      <p>{w.matters.vetoText(w.matters.hours(state.vetoHours))}</p>
      {waiting.map((m) => {
        const hours = w.matters.hours(m.vetoHours ?? state.vetoHours)
        return (
          <div class="stack" key={m.what}>
            <p>{w.matters.vetoWaits(nameOf(m.author), hours)}</p>
            {m.can.confirm && <div class="row"><Button icon="good" onClick={() => setConfirming(m.what)}>{w.people.confirm}</Button></div>}
            <Confirming open={confirming === m.what} onClose={() => setConfirming(undefined)} title={w.matters.vetoConfirm(hours)} person={m.person} what={m.what}><p>{w.matters.vetoFrom}</p></Confirming>
          </div>
        )
      })}
      {isAdmin && <div class="row"><Button kind="plain" icon="settings" onClick={() => setChanging(true)}>{w.matters.vetoChange}</Button></div>}
      <Dialog open={changing} onClose={() => setChanging(false)} title={w.matters.vetoTitle}><NewVetoTime now={state.vetoHours} onClose={() => setChanging(false)} /></Dialog>
    </Card>
  )
}

function NewVetoTime({ now, onClose }: { now: number; onClose: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [typed, setTyped] = useState(String(now))
  const [asked, setAsked] = useState(false)
  const hours = Number(digits(typed, String(maxVeto).length + 1))
  const wrong = !/^\p{Nd}+$/u.test(typed.trim()) || hours < 1 || hours > maxVeto
  const submit = async (form: HTMLFormElement): Promise<void> => {
    setAsked(true)
    if (wrong) {
      toFirstError(form)
      return
    }
    if (hours !== now && !(await act(() => engine.setVetoHours(hours)))) return
    announce(w.done)
    onClose()
  }
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); void submit(event.currentTarget) }}>
      <p>{w.matters.vetoSecond} {w.matters.vetoFrom}</p>
      <Field label={w.matters.vetoLabel} hint={w.matters.vetoHint} inputMode="numeric" value={typed} onInput={setTyped} required autofocus autocomplete="off" {...(asked && wrong && { error: w.matters.vetoWrong })} />
      <div class="row"><Button type="submit" busy={busy}>{w.save}</Button><Button kind="plain" onClick={onClose}>{w.cancel}</Button></div>
      <ErrorPanel error={error} />
    </form>
  )
}
