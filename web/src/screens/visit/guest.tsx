// The door for guests of a visit: who invites them, as what, and what will happen; their name; and then the visit, as for
// everyone else. A guest sees the visit and nothing of the clinic.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ScreenProps } from '../../app/app.tsx'
import { languages, useAct, useWords, type Language } from '../../app/context.tsx'
import { nameWrong } from '../../app/names.ts'
import { openGuestLink, type GuestInvitation } from '../../engine/guest.ts'
import type { Problem, ProblemCode } from '../../engine/types.ts'
import { Button, ErrorPanel, Field, Icon, Mark, Notice, Progress, Select, toFirstError } from '../../parts/index.tsx'
import { wasIn } from '../../visit/current.ts'
import type { Door } from '../../visit/door.ts'
import { apart } from '../chart/bidi.ts'
import { useDay } from '../home.tsx'
import { AtDoor } from './index.tsx'

const passing: readonly ProblemCode[] = ['offline', 'unavailable', 'too_many', 'internal'] // trying again helps with these alone

export default function GuestScreen({ prefs, setPrefs }: ScreenProps): JSX.Element {
  const { w } = useWords()
  const g = w.visit.guests
  const [link] = useState(location.href)
  const [invitation, setInvitation] = useState<GuestInvitation | undefined>(undefined)
  const [failed, setFailed] = useState<Problem | undefined>(undefined)
  const [door, setDoor] = useState<Door | undefined>(undefined)
  const look = (): void => {
    setFailed(undefined)
    openGuestLink(link).then(setInvitation, (p: Problem) => setFailed(p))
  }
  useEffect(look, [])
  if (door) return <AtDoor door={door} />
  if (failed) return <div class="narrow door"><Mark /><h1 tabIndex={-1}>{g.notOpened}</h1>{failed.code === 'bad-link' ? <Notice kind="warn" title={w.problems['bad-link'][0]}><p>{g.incomplete}</p></Notice> : <ErrorPanel error={failed} {...(passing.includes(failed.code) && { onRetry: look })} />}</div>
  if (!invitation) return <div class="narrow door"><Mark /><h1 tabIndex={-1}>{g.checking}</h1><Progress label={w.loading} done={0} total={0} /></div>
  return (
    <div class="narrow door">
      <Mark />
      <Head of={invitation} />
      {invitation.removed ? <Notice kind="info" title={w.visit.call.over.removed[0]}><p>{w.visit.call.over.removed[1]}</p></Notice>
        : invitation.used && !invitation.mine ? <Notice kind="warn" title={g.used}><p>{g.usedText}</p></Notice> : <Name of={invitation} onDoor={setDoor} />}
      <Select label={w.settings.language} value={prefs.language} onInput={(language) => setPrefs({ language: language as Language })} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
    </div>
  )
}

function Head({ of }: { of: GuestInvitation }): JSX.Element {
  const { w, lang, date, n } = useWords()
  const g = w.visit.guests
  const day = useDay(of.starts)
  return (
    <div class="page-head">
      <h1 tabIndex={-1}>{g.title(apart(of.from, lang))}</h1>
      <p>{g.lead(apart(of.hostName, lang), apart(of.clinic, lang))}<br />{g.when(day, date(of.starts, 'time'), date(of.ends, 'time'))}</p>
      <p class="soft">{g.as} <strong>{g.roles[of.as]}</strong></p>
      {of.late > 0 && <Notice kind="info" title={g.late(apart(of.hostName, lang), n(of.late))} />}
    </div>
  )
}

/** Under which name they come. Who came before, in this browser, comes back under the same. */
function Name({ of, onDoor }: { of: GuestInvitation; onDoor: (door: Door) => void }): JSX.Element {
  const { w, lang } = useWords()
  const g = w.visit.guests
  const { act, busy, error } = useAct()
  const [name, setName] = useState(of.name)
  const [asked, setAsked] = useState(false)
  const wrong = nameWrong(name, w, g.needName)
  const go = (as: string): void => { void act(async () => onDoor(await of.arrive(as))) }
  const submit = (form: HTMLFormElement): void => {
    setAsked(true)
    if (wrong !== undefined) toFirstError(form)
    else go(name)
  }
  useEffect(() => { if (of.mine && wasIn() === of.visit) go(of.name) }, []) // after a reload, straight back
  if (of.mine) return <div class="stack"><Button large wide busy={busy} onClick={() => go(of.name)}>{g.back(apart(of.name, lang))}</Button><ErrorPanel error={error} /></div>
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget) }}>
      <ul class="promise">{g.promise.map((line) => <li key={line}><Icon name="tick" />{line}</li>)}</ul>
      <Field label={g.name} hint={g.nameHint(apart(of.hostName, lang))} value={name} onInput={setName} required autocomplete="name" {...(asked && wrong !== undefined && { error: wrong })} />
      <Button type="submit" large wide busy={busy}>{g.go}</Button>
      <ErrorPanel error={error} />
    </form>
  )
}
