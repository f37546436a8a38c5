// Settings: how one is reminded of appointments, and an address for one's calendar. Both say what the server or others
// then know.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords } from '../../app/context.tsx'
import { useQuery } from '../../app/router.tsx'
import { ownZone } from '../../app/zone.ts'
import { canPush } from '../../engine/reminders.ts'
import { Button, Card, Check, CopyButton, ErrorPanel, Field, Notice, Progress, announce, toFirstError } from '../../parts/index.tsx'

const day = 1440
const hour = 60 // minutes

export function Remind(): JSX.Element {
  const engine = useEngine()
  const { w, lang, n } = useWords()
  const r = w.visit.booking.remind
  const { busy, error, act } = useAct()
  const kept = useLoad(() => engine.reminders(), [])
  const [leads, setLeads] = useState<readonly number[]>([day, hour])
  const [byEmail, setByEmail] = useState(false)
  const [email, setEmail] = useState('')
  const [tried, setTried] = useState(false)
  const [denied, setDenied] = useState(false)
  const asked = useQuery('to') === 'reminders'
  const place = useRef<HTMLDivElement>(null)
  const now = kept.value
  const on = now !== undefined && now.language !== ''
  useEffect(() => {
    if (!now || now.language === '') return
    setLeads(now.leads)
    setEmail(now.email)
    setByEmail(now.email !== '')
  }, [now])
  useEffect(() => {
    if (!asked || !now) return
    place.current?.focus({ preventScroll: true })
    place.current?.scrollIntoView()
  }, [asked, now !== undefined])
  if (!now) return <Card title={r.title}>{kept.error ? <ErrorPanel error={kept.error} onRetry={kept.again} /> : <Progress label={w.loading} done={0} total={0} />}</Card>
  const has = (lead: number) => (checked: boolean): void => setLeads([day, hour].filter((l) => (l === lead ? checked : leads.includes(l))))
  const badEmail = byEmail && !/^[^\s@]+@[^\s@]+$/.test(email.trim())
  const settings = { language: lang, timeZone: ownZone(), leads, email: byEmail ? email.trim() : '' }
  const save = (form: HTMLFormElement): void => {
    setTried(true)
    if (badEmail || leads.length === 0) {
      toFirstError(form)
      return
    }
    void act(() => engine.setReminders(settings)).then((ok) => {
      if (!ok) return
      announce(r.saved)
      kept.again()
    })
  }
  const show = (here: boolean): void => {
    void act(async () => {
      setDenied(false)
      if (here && !on) await engine.setReminders(settings)
      setDenied((await engine.showReminders(here)) === 'denied')
    }).then(() => kept.again())
  }
  const stop = (): void => {
    void act(() => engine.endReminders()).then((ok) => {
      if (!ok) return
      announce(r.stopped)
      setEmail('')
      setByEmail(false)
      kept.again()
    })
  }
  return (
    <div ref={place} class="asked-for" tabIndex={-1}><Card title={r.title}>
      <p class="soft">{r.lead} <bdi>{r.example}</bdi></p>
      <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); save(event.currentTarget) }}>
        <div class="stack-tight" role="group" aria-label={r.when}>
          <Check checked={leads.includes(day)} onInput={has(day)} {...(tried && leads.length === 0 && { error: r.needWhen })}>{r.ofDay}</Check>
          <Check checked={leads.includes(hour)} onInput={has(hour)}>{r.ofHour}</Check>
        </div>
        {now.mail ? <Check checked={byEmail} onInput={setByEmail}>{r.email}</Check> : <p class="soft small">{r.noMail}</p>}
        {byEmail && <><Field label={r.address} hint={r.addressHint} type="email" dir="ltr" autocomplete="email" value={email} onInput={setEmail} required {...(tried && badEmail && { error: r.badAddress })} /><Notice><p class="small">{r.kept}</p></Notice></>}
        <p class="soft small">{r.language}</p>
        <div class="row"><Button type="submit" busy={busy}>{r.save}</Button>{on && <Button kind="quiet" busy={busy} onClick={stop}>{r.stop}</Button>}</div>
        <h3>{r.push}</h3>
        {canPush() ? <><p class="soft small">{r.pushText}</p><div><Button kind="plain" icon="device" busy={busy} onClick={() => show(!now.here)}>{now.here ? r.pushOff : r.pushOn}</Button></div></> : <p class="soft small">{r.pushCannot}</p>}
        {now.browsers > 0 && <p class="soft small">{r.pushElse(n(now.browsers))}</p>}
        {denied && <Notice kind="warn"><p>{r.pushDenied}</p></Notice>}
        <ErrorPanel error={error} />
      </form>
    </Card></div>
  )
}

export function Feed(): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const f = w.visit.booking.feed
  const { busy, error, act } = useAct()
  const kept = useLoad(() => engine.reminders(), [])
  const [address, setAddress] = useState<string | undefined>(undefined)
  const on = kept.value?.feed === true
  const make = (): void => { void act(async () => setAddress(await engine.makeFeed(lang))).then(() => kept.again()) }
  const end = (): void => {
    void act(() => engine.endFeed()).then((ok) => {
      if (!ok) return
      setAddress(undefined)
      announce(f.ended)
      kept.again()
    })
  }
  return (
    <Card title={f.title}>
      <p class="soft">{f.lead}</p>
      <Notice kind="warn"><p>{f.warn}</p></Notice>
      {address ? <div class="stack-tight"><p class="label">{f.address}</p><p class="link-text">{address}</p><div><CopyButton text={address}>{w.copy}</CopyButton></div><p class="small soft">{f.once}</p></div> : on && <p>{f.isOn}</p>}
      <div class="row"><Button kind="plain" icon="calendar" busy={busy} onClick={make}>{on ? f.again : f.make}</Button>{on && <Button kind="quiet" busy={busy} onClick={end}>{f.end}</Button>}</div>
      <ErrorPanel error={kept.error ?? error} />
    </Card>
  )
}
