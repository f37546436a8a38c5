// The ledger, for officers: which organisations agree on this clinic's history, how far they are, what is wrong, and
// what is to be decided.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import type { LedgerStatus, LedgerVote } from '../engine/types.ts'
import { Button, Card, Dialog, Empty, ErrorPanel, Notice, Progress, Tag } from '../parts/index.tsx'
import { apart } from './chart/bidi.ts'

/** How often the page asks how far the organisations are, in ms. */
const every = 5000

export default function TheLedger(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const p = w.ledger.page
  const status = useLoad(() => engine.ledgerStatus(), ['ledger'])
  useEffect(() => {
    const timer = setInterval(status.again, every)
    return () => clearInterval(timer)
  }, [])
  const s = status.value
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{p.title}</h1><p class="soft">{p.lead}</p></div>
      <ErrorPanel error={s ? undefined : status.error} onRetry={status.again} />
      {!s && status.loading && <Progress label={w.loading} done={0} total={0} />}
      {s && <Standing s={s} />}
      {s?.chain && <><Card title={p.members}><Drawing s={s} /><Members s={s} /></Card><Card title={p.votes}><Votes votes={s.chain.votes ?? []} /></Card></>}
      {s?.chain && <Card title={p.releases}><Programs s={s} /></Card>}
      {s && <Card title={p.facts}><Facts s={s} /></Card>}
    </>
  )
}

/** Alarms that say nothing against the history. */
const harmless: readonly string[] = ['halted', 'clock']

const isBroken = (s: LedgerStatus): boolean => s.readOnly === true || s.record?.whole === false || s.alarms.some((a) => !harmless.includes(a.kind))

/** What waits no longer than this, in ms, is being agreed: that someone looks at this page is recorded too. */
const usual = 30_000

/** Whether the history is whole, in a sentence. */
function Standing({ s }: { s: LedgerStatus }): JSX.Element {
  const { w, n, date } = useWords()
  const p = w.ledger.page
  const wrong = s.alarms.filter((a) => !harmless.includes(a.kind))
  const clock = s.alarms.find((a) => a.kind === 'clock')
  const at = s.agreedAt ? date(s.agreedAt, 'datetime') : ''
  return (
    <div class="stack">
      {isBroken(s) && (
        <Notice kind="danger" title={p.wrong}>
          {wrong.map((a) => <div key={a.kind + a.since}><p class="strong">{p.alarms[a.kind] ?? a.kind} ({p.since(date(a.since, 'datetime'))})</p><p class="small" lang="en" dir="ltr">{a.text}</p></div>)}
          {wrong.length === 0 && s.record?.problems?.map((one) => <p key={one.kind + one.first} class="small" lang="en" dir="ltr">{one.text}</p>)}
          {s.readOnly && <p>{p.readOnly}</p>}
        </Notice>
      )}
      {clock && <Notice kind="warn" title={p.alarms[clock.kind] ?? clock.kind}><p class="small" lang="en" dir="ltr">{clock.text}</p></Notice>}
      {!s.chain ? <Notice kind="warn" title={p.none}><p>{p.noneText}</p></Notice>
        : s.chain.reason ? <Notice kind="warn" title={p.stopped(date(s.chain.halted ?? '', 'datetime'))}><p>{p.stoppedText}</p><p class="small" lang="en" dir="ltr">{s.chain.reason}</p></Notice>
        : s.chain.halted ? <Notice kind="warn" title={p.halted(date(s.chain.halted, 'datetime'))}><p>{p.haltedText}</p></Notice>
          : isBroken(s) ? null
            : s.waiting > 0 && Date.now() - Date.parse(s.since ?? '') > usual ? <Notice title={p.waiting(s.waiting)}><p>{p.waitingText}</p></Notice>
              : <Notice kind="good" title={p.whole}><p>{s.chain.members.length > 1 ? p.wholeText(at, n(s.chain.members.length)) : p.wholeAlone(at)}</p></Notice>}
    </div>
  )
}

// The drawing: the log as a line that grows towards the end; what is agreed is drawn through, what waits is dashed, and
// the organisations hold its head. No words in it, so that it may be turned round for who reads from the right.
const width = 640
const start = 24
const end = 616
const line = 44
const below = 132

function Drawing({ s }: { s: LedgerStatus }): JSX.Element {
  const { w, n } = useWords()
  const p = w.ledger.page
  const members = s.chain?.members ?? []
  const agreed = s.agreed?.size ?? 0
  const broken = isBroken(s)
  // The newest part of the log is what there is to see: as long as it is, what waits has at most a third of the line.
  const share = s.waiting === 0 ? 0 : Math.min(1 / 3, Math.max(1 / 12, s.waiting / Math.max(1, agreed + s.waiting)))
  const head = end - (end - start) * share
  const gap = (start + head) / 2
  const step = (end - start) / Math.max(1, members.length)
  const here = members.filter((m) => m.self || m.connected).length
  return (
    <svg class={broken ? 'ledger-drawing ledger-broken' : 'ledger-drawing'} viewBox={`0 0 ${width} ${below + 26}`} role="img" aria-label={`${broken ? `${p.drawingBroken} ` : ''}${p.drawing(n(agreed), n(s.waiting), n(here), n(members.length))}`}>
      {members.map((m, i) => {
        const x = start + step * (i + 0.5)
        const away = !m.self && !m.connected
        return (
          <g key={m.key} class={away ? 'ledger-away' : 'ledger-here'}>
            <path d={`M${head} ${line}C${head} ${line + 50} ${x} ${below - 60} ${x} ${below - 14}`} />
            <circle cx={x} cy={below} r={m.self ? 14 : 11} />
          </g>
        )
      })}
      {broken ? <><path class="ledger-log" d={`M${start} ${line}H${gap - 22}`} /><path class="ledger-gap" d={`M${gap - 10} ${line - 14}l20 28m0-28l-20 28`} /><path class="ledger-log" d={`M${gap + 22} ${line}H${head}`} /></> : <path class="ledger-log" d={`M${start} ${line}H${head}`} />}
      {s.waiting > 0 && <path class="ledger-waits" d={`M${head + 18} ${line}H${end}`} />}
      <circle class="ledger-head" cx={head} cy={line} r="12" />
      {!broken && <path class="ledger-tick" d={`M${head - 5} ${line}l4 4 7-8`} />}
    </svg>
  )
}

function Members({ s }: { s: LedgerStatus }): JSX.Element {
  const { w, n } = useWords()
  const p = w.ledger.page
  const members = s.chain?.members ?? []
  const faulty = new Set(s.chain?.faults?.map((f) => f.name))
  return (
    <>
      <ul class="list">
        {members.map((m) => (
          <li key={m.key}><div class="item">
            <span class="main"><span class="title"><bdi>{m.name || w.unnamed}</bdi>{m.self && ` (${p.self})`}</span><span class="soft small">{p.power(n(m.power))}{m.address && <> · <bdi dir="ltr">{m.address}</bdi></>}</span></span>
            {faulty.has(m.name) && <Tag kind="danger">{p.alarms['fault']}</Tag>}
            <Tag kind={m.self || m.connected ? 'good' : 'warn'}>{m.self || m.connected ? p.connected : p.away}</Tag>
          </div></li>
        ))}
      </ul>
      {members.length === 1 && <p class="soft">{p.alone}</p>}
    </>
  )
}

function Votes({ votes }: { votes: readonly LedgerVote[] }): JSX.Element {
  const engine = useEngine()
  const { w, n, list, lang } = useWords()
  const p = w.ledger.page
  const { busy, error, act } = useAct()
  const [asking, setAsking] = useState<LedgerVote | undefined>(undefined)
  if (votes.length === 0) return <Empty icon="good" title={p.votesNone} />
  const named = (v: LedgerVote): string => {
    if (v.kind === 'upgrade') return n(v.height ?? 0)
    return v.releases ? p.signedBy(n(v.releases.needed), n(v.releases.keys.length)) : apart(v.member?.name ?? '', lang)
  }
  const about = (v: LedgerVote): string => (p.vote[v.kind] ?? ((name: string) => name))(named(v))
  return (
    <>
      <ul class="list">
        {votes.map((v) => (
          <li key={v.subject}><div class="item">
            <span class="main"><span class="title">{about(v)}</span><span class="soft small">{v.yes.length > 0 ? p.yes(list(v.yes.map((name) => apart(name, lang)))) : p.yesNone} · {p.needed(n(v.power), n(v.needed))}</span></span>
            {v.mine ? <Button kind="plain" busy={busy} onClick={() => { void act(() => engine.castLedgerVote(v.subject, false)) }}>{p.voteNo}</Button> : <Button onClick={() => setAsking(v)}>{p.voteYes}</Button>}
          </div></li>
        ))}
      </ul>
      <ErrorPanel error={asking ? undefined : error} />
      <Dialog open={asking !== undefined} onClose={() => setAsking(undefined)} title={p.voteTitle(asking ? about(asking) : '')}>
        <p>{p.voteText}</p>
        {asking?.releases?.keys.map((key) => <p key={key}><bdi dir="ltr" class="mono">{key}</bdi></p>)}
        {asking?.member?.address && <p><bdi dir="ltr">{asking.member.address}</bdi></p>}
        <ErrorPanel error={error} />
        <div class="row"><Button busy={busy} onClick={() => { if (asking) void act(() => engine.castLedgerVote(asking.subject, true)).then((ok) => ok && setAsking(undefined)) }}>{p.voteYes}</Button><Button kind="plain" onClick={() => setAsking(undefined)}>{w.cancel}</Button></div>
      </Dialog>
    </>
  )
}

/** Which server and app run here, and whether the organisations recorded them. */
function Programs({ s }: { s: LedgerStatus }): JSX.Element {
  const { w, n } = useWords()
  const p = w.ledger.page
  const keys = s.chain?.releaseKeys
  const newest = (kind: string): number => s.chain?.releases?.find((r) => r.kind === kind)?.number ?? 0
  return (
    <>
      <p class="soft">{keys ? p.signedBy(n(keys.needed), n(keys.keys.length)) : `${p.noKeys} ${p.releasesLead}`}</p>
      <ul class="list">
        {(s.running ?? []).map((r) => (
          <li key={r.kind}><div class="item">
            <span class="main"><span class="title">{p.program[r.kind]}</span><bdi dir="ltr" class="mono soft small">{r.sum}</bdi></span>
            {r.number > 0 && r.number < newest(r.kind) && <Tag kind="warn">{p.newest(n(newest(r.kind)))}</Tag>}
            {keys && <Tag kind={r.number > 0 ? 'good' : 'warn'}>{r.number > 0 ? p.release(n(r.number)) : p.unrecorded}</Tag>}
          </div></li>
        ))}
      </ul>
    </>
  )
}

function Facts({ s }: { s: LedgerStatus }): JSX.Element {
  const { w, n, date } = useWords()
  const p = w.ledger.page
  return (
    <dl class="proof-detail">
      <dt>{p.log}</dt><dd>{n(s.log.size)}</dd>
      {s.agreed && <><dt>{p.agreed}</dt><dd>{n(s.agreed.size)}</dd></>}
      {s.agreedAt && <><dt>{p.agreedAt}</dt><dd>{date(s.agreedAt, 'datetime')}</dd></>}
      <dt>{p.behind}</dt><dd>{n(s.waiting)}{s.since && ` (${p.since(date(s.since, 'datetime'))})`}</dd>
      <dt>{p.links}</dt><dd>{n(s.links)}</dd>
      {s.chain && <><dt>{p.height}</dt><dd>{n(s.chain.height)}</dd><dt>{p.chain}</dt><dd><bdi dir="ltr" class="mono">{s.chain.chain}</bdi></dd></>}
      {s.agreed && <><dt>{p.root}</dt><dd><bdi dir="ltr" class="mono">{s.agreed.root}</bdi></dd></>}
    </dl>
  )
}
