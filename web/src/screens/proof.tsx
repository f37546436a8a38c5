// What the ledger says of one thing, in a line that opens to the technical detail; and what is wrong with the history,
// loud, on every screen.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useChange, useEngine, useLoad, useWords, type WordsInUse } from '../app/context.tsx'
import type { LedgerAlarm, Proof } from '../engine/types.ts'
import { Button, Dialog, ErrorPanel, Icon, Notice } from '../parts/index.tsx'
import { apart } from './chart/bidi.ts'

/** The time of a proof, to the second, with the day unless it is that of what it is about. */
function moment(iso: string, of: string | undefined, { lang }: WordsInUse): string {
  const at = new Date(iso)
  const sameDay = of !== undefined && new Date(of).toDateString() === at.toDateString()
  return new Intl.DateTimeFormat(lang, { timeStyle: 'medium', ...(!sameDay && { dateStyle: 'medium' }) }).format(at)
}

/** The gravest of several: one broken proof is what a person must read. */
export function gravest(proofs: readonly Proof[]): Proof | undefined {
  const weight: Readonly<Record<Proof['state'], number>> = { broken: 5, missing: 4, unchecked: 3, pending: 2, agreed: 1, none: 0 }
  return [...proofs].sort((a, b) => weight[b.state] - weight[a.state])[0]
}

/** time is when what it is about happened. card: it is about a person's keys. */
export function ProofLine({ proof, time, card }: { proof: Proof; time?: string; card?: boolean }): JSX.Element {
  const engine = useEngine()
  const words = useWords()
  const { n, list, lang, w } = words
  const p = w.ledger.proof
  const [open, setOpen] = useState(false)
  switch (proof.state) {
    case 'none': return <p class="proof soft small">{p.none}</p>
    case 'unchecked': return <Unchecked since={proof.since} />
    case 'pending': return <p class="proof soft small"><Icon name="clock" /><span>{proof.late ? p.late : p.pending}</span></p>
    case 'missing': return <Notice kind="danger" title={card ? p.cardMissing : p.missing}><p>{p.missingText}</p></Notice>
    case 'broken':
      if (proof.fault === 'signers') return <Notice kind="danger" title={p.strangers}><p>{p.strangersText}</p></Notice>
      return <Notice kind="danger" title={card ? p.cardBroken : p.broken}><p>{card ? p.cardBrokenText : p.brokenText}</p></Notice>
  }
  const { detail } = proof
  const alone = proof.of === 1
  const clinic = apart((proof.clinic ?? engine.me?.clinic.name) || w.appName, lang)
  const at = moment(proof.time, time, words)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)} class={alone ? 'proof proof-alone small' : 'proof small'}>
      <summary><Icon name={alone ? 'record' : 'good'} /><span>{alone ? p.alone(clinic, at) : p.agreed(clinic, n(proof.by.length), n(proof.of), at)}</span></summary>
      <p class="soft">{alone ? p.aloneHow : p.how}</p>
      <dl class="proof-detail">
        <dt>{p.signers}</dt><dd>{list(proof.by.map((name) => apart(name, lang)))}{!proof.named && <span class="soft"> {p.unnamed}</span>}</dd>
        <dt>{p.time}</dt><dd>{moment(proof.time, undefined, words)}</dd>
        <dt>{p.block}</dt><dd>{p.blockOf(n(detail.height), apart(detail.chain, lang))}</dd>
        {detail.leaf !== undefined && detail.size !== undefined && <><dt>{p.place}</dt><dd>{p.placeOf(n(detail.leaf + 1), n(detail.size))}</dd></>}
        {detail.commitment && <><dt>{p.leaf}</dt><dd><bdi dir="ltr" class="mono">{detail.commitment}</bdi></dd></>}
        {detail.root && <><dt>{p.root}</dt><dd><bdi dir="ltr" class="mono">{detail.root}</bdi></dd></>}
        {engine.ledger?.begun && <><dt>{p.begun}</dt><dd>{moment(engine.ledger.begun, undefined, words)} <span class="soft">{p.begunText}</span></dd></>}
        {open && <ThisApp />}
      </dl>
    </details>
  )
}

/** Where a proof belongs that cannot be had: a clinic that shows none says nothing good by it. */
function Unchecked({ since }: { since?: string | undefined }): JSX.Element {
  const words = useWords()
  const p = words.w.ledger.proof
  return <p class="proof proof-unchecked small" role="status"><Icon name="warn" /><span>{since === undefined ? p.neverChecked : p.uncheckedSince(moment(since, new Date().toISOString(), words))}</span></p>
}

/** Which release the app says it is: to be asked only by who wants to know, as it reads all of the app. */
function ThisApp(): JSX.Element | null {
  const engine = useEngine()
  const { w, n } = useWords()
  const p = w.ledger.proof
  const { value } = useLoad(() => engine.appRelease(), [])
  if (!value) return null
  return (
    <>
      <dt>{p.app}</dt>
      <dd>
        {p.appIs[value.state](value.state === 'recorded' ? n(value.number) : '')}
        {value.sum && <bdi dir="ltr" class="mono">{value.sum}</bdi>}
        <span class="soft">{p.appHow}</span>
      </dd>
    </>
  )
}

/** A proof that is fetched when it is shown, and again when the ledger goes on. */
export function LoadedProof({ load, time, card }: { load: () => Promise<Proof>; time?: string; card?: boolean }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const proof = useLoad(load, ['ledger'])
  if (proof.value) return <ProofLine proof={proof.value} {...(time !== undefined && { time })} {...(card !== undefined && { card })} />
  return proof.error ? <Unchecked since={engine.ledger?.unchecked || undefined} /> : <p class="proof soft small" role="status">{w.ledger.proof.checking}</p>
}

/** Whether the clinic has a ledger, as far as is known yet. */
export function useLedger(): boolean {
  const engine = useEngine()
  const [has, setHas] = useState(engine.ledger?.organisations !== undefined)
  useChange((change) => { if (change.what === 'ledger') setHas(engine.ledger?.organisations !== undefined) })
  return has
}

const takesBack: readonly LedgerAlarm['kind'][] = ['forked', 'shorter', 'strangers', 'other-chain', 'other-log', 'silent', 'begun-again', 'salt', 'long-away', 'gone', 'stands-again', 'other-keys', 'other-people', 'hidden']

/** Loud on every screen, until it is explained. */
export function LedgerAlarms(): JSX.Element | null {
  const engine = useEngine()
  const { w, n, date, list, lang } = useWords()
  const { busy, error, act } = useAct()
  const [, shown] = useState(0)
  const [asking, setAsking] = useState(false)
  useChange((change) => { if (change.what === 'ledger' || change.what === 'me') shown((n) => n + 1) })
  const all = engine.ledger?.alarms ?? []
  const alarms = all.filter((a, i) => a.kind !== 'gone' || all.findIndex((b) => b.kind === 'gone') === i) // of many lines one is said
  if (alarms.length === 0) return null
  const l = w.ledger
  return (
    <div class="ledger-alarms no-print stack">
      {alarms.map((a, i) => {
        const [title, text] = l.alarm[a.kind]
        return (
          <Notice key={i} kind="danger" title={title}>
            <p>{text}{a.time && ` ${a.kind === 'gone' ? l.goneAt(date(a.time, 'datetime')) : a.kind === 'unchecked' ? l.uncheckedAt(date(a.time, 'datetime')) : l.wasAt(date(a.time, 'datetime'))}`}{a.size !== undefined && a.kind !== 'hidden' && ` ${l.lost(n(a.lost ?? 0), n(a.size))}`}</p>
            {a.organisations && <p>{l.signNow(list(a.organisations.map((name) => apart(name, lang))))}</p>}
          </Notice>
        )
      })}
      {alarms.some((a) => takesBack.includes(a.kind)) && <div><Button kind="plain" onClick={() => setAsking(true)}>{l.goOn}</Button></div>}
      <Dialog open={asking} onClose={() => setAsking(false)} title={l.goOnTitle}>
        <p>{l.goOnText}</p>
        <ErrorPanel error={error} />
        <div class="row"><Button kind="danger" busy={busy} onClick={() => { void act(() => engine.acceptLedger()).then((ok) => ok && setAsking(false)) }}>{l.goOn}</Button><Button kind="plain" onClick={() => setAsking(false)}>{w.cancel}</Button></div>
      </Dialog>
    </div>
  )
}
