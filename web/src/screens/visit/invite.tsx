// Inviting a guest to a visit: who it is, and a link to pass on.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useWords } from '../../app/context.tsx'
import { Button, Choices, CopyButton, ErrorPanel, Field, Notice } from '../../parts/index.tsx'
import { guestRoles, type GuestRole } from '../../seal/guests.ts'
import type { Door, Link } from '../../visit/door.ts'

/** Links that nobody used yet, and a new one. */
export function InviteGuest({ door, links, level = 3 }: { door: Door; links: readonly Link[]; level?: 2 | 3 }): JSX.Element {
  const { w } = useWords()
  const g = w.visit.guests
  const { act, busy, error } = useAct()
  const [as, setAs] = useState<GuestRole>('interpreter')
  const [link, setLink] = useState('')
  const [choosing, setChoosing] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const step = link !== '' ? 'link' : choosing ? 'choosing' : 'none'
  const before = useRef(step)
  useEffect(() => { // each step takes the button away that was pressed
    if (before.current !== step) heading.current?.focus()
    before.current = step
  }, [step])
  const open = links.filter((l) => l.state === 'open')
  const end = (): void => {
    setLink('')
    setChoosing(false)
  }
  return (
    <section class={level === 2 ? 'card' : 'stack-tight'}>
      {level === 2 ? <h2 tabIndex={-1} ref={heading}>{g.invite}</h2> : <h3 tabIndex={-1} ref={heading}>{g.invite}</h3>}
      {link === '' && !choosing && <><p class="soft small">{g.inviteText}</p><div><Button kind="plain" icon="people" onClick={() => setChoosing(true)}>{g.invite}</Button></div></>}
      {link === '' && choosing && (
        <div class="stack-tight">
          <Choices label={g.who} name="guest" value={as} onInput={(value) => setAs(value as GuestRole)} compact options={guestRoles.map((r) => ({ value: r, label: g.roles[r] }))} />
          <div class="row"><Button busy={busy} onClick={() => { void act(async () => setLink((await door.inviteGuest(as)).link)) }}>{g.make}</Button><Button kind="plain" onClick={end}>{w.cancel}</Button></div>
        </div>
      )}
      {link !== '' && (
        <div class="stack-tight">
          <p class="soft">{g.linkText}</p>
          <Field label={g.link} value={link} onInput={() => undefined} dir="ltr" />
          <div class="row">
            <CopyButton text={link}>{g.copy}</CopyButton>
            {'share' in navigator && <Button kind="plain" icon="go" onClick={() => { navigator.share({ title: g.shareText, url: link }).catch(() => undefined) /* who closed it chose */ }}>{g.share}</Button>}
            <Button onClick={end}>{g.done}</Button>
          </div>
        </div>
      )}
      {error?.code === 'conflict' ? <Notice kind="danger" title={g.full}><p>{door.isHost ? g.fullHost : g.fullOther}</p></Notice> : <ErrorPanel error={error} />}
      {open.length > 0 && <ul class="list">{open.map((l) => <li key={l.guest} class="item"><span class="main">{g.waits}</span><Button kind="quiet" onClick={() => { void act(() => door.withdrawGuest(l.guest)) }}>{g.close}</Button></li>)}</ul>}
    </section>
  )
}
