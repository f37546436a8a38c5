// One row of a chart: a line to skim, its facts when opened, where it came from, what it said before, and what can be
// done about it.

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords, type WordsInUse } from '../../app/context.tsx'
import { Button, Dialog, ErrorPanel, Field, Notice, Tag, announce } from '../../parts/index.tsx'
import type { Item, OpenChart } from '../../engine/types.ts'
import { view, type View } from '../../fhir/view.ts'
import { LoadedProof } from '../proof.tsx'
import { apart } from './bidi.ts'
import type { Contents, Row, Thread } from './rows.ts'

export function EntryRow({ chart, row, contents }: { chart: OpenChart; row: Row; contents: Contents }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const [open, setOpen] = useState(false)
  const { now, withdrawn } = row.thread
  const v = contents.view(row)
  return (
    <li class={`tl-row tl-${row.kind}`}>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="tl-kind">{v.type}</span>
          <span class={withdrawn || v.error ? 'tl-title tl-void' : 'tl-title'} dir="auto">{v.title}</span>
          {v.brief !== '' && !withdrawn && <span class="tl-brief" dir="auto">{v.brief}</span>}
          <Marks row={row} view={v} states />
        </summary>
        {open && <div class="tl-body">
          {withdrawn && <Withdrawn thread={row.thread} />}
          {withdrawn ? <details class="chart-fold"><summary class="chart-target">{c.showWithdrawn}</summary><Facts view={v} /></details> : <Facts view={v} />}
          {now.kind === 'file' && <div><Button kind="plain" href={`/chart/${chart.chart}/files`}>{c.page.files}</Button></div>}
          <Origin item={now} />
          {now.state === 'stored' && <EntryProof chart={chart} item={now} />}
          <History thread={row.thread} contents={contents} />
          <Unsent item={now} />
          <Change chart={chart} thread={row.thread} />
        </div>}
      </details>
    </li>
  )
}

/** What a row must not be read without. Where Unsent stands beside it, that says more about states. */
export function Marks({ row, view: v, states }: { row: Pick<Row, 'thread' | 'part'>; view?: View; states?: boolean }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const { now, before, withdrawn } = row.thread
  return (
    <span class="tl-marks">
      {v?.alert && (v.alert === 'danger' || v.kind === 'result') && !withdrawn && <Tag kind={v.alert}>{v.alert === 'danger' ? c.dangerous : c.outOfRange}</Tag>}
      {v?.error && <Tag kind="danger">{c.inError}</Tag>}
      {withdrawn && <Tag kind="danger">{c.withdrawn}</Tag>}
      {before.length > 0 && !withdrawn && <Tag kind="plain">{c.amended}</Tag>}
      {row.part === 'restricted' && <Tag kind="warn">{c.compartment.restricted}</Tag>}
      {states && now.state === 'waiting' && <Tag kind="plain">{c.waiting}</Tag>}
      {states && now.state === 'sending' && <Tag kind="plain">{c.sending}</Tag>}
      {states && now.state === 'refused' && <Tag kind="danger">{c.refused}</Tag>}
    </span>
  )
}

export function Facts({ view: v }: { view: View }): JSX.Element {
  return (
    <>
      {v.text !== '' && <p class="chart-text" dir="auto">{v.text}</p>}
      {v.facts.length > 0 && <dl class="chart-facts">{v.facts.map((f, i) => <div key={i}><dt dir="auto">{f.label}</dt><dd dir="auto">{f.value}</dd></div>)}</dl>}
    </>
  )
}

/** What the ledger says of an entry. */
function EntryProof({ chart, item }: { chart: OpenChart; item: Item }): JSX.Element {
  const engine = useEngine()
  return <LoadedProof load={() => engine.entryProof(chart.chart, item.entry)} time={item.time} />
}

/** Who wrote something, for a sentence. */
const authorOf = ({ author }: Item, { w, lang }: WordsInUse): string => (author.name === '' ? w.chart.someone : apart(author.name, lang))

/** By whom and when it came into the chart. */
export function Origin({ item }: { item: Item }): JSX.Element | null {
  const engine = useEngine()
  const words = useWords()
  const { w, date } = words
  const c = w.chart
  if (item.state !== 'stored') return null
  const at = date(item.time, 'datetime')
  return (
    <p class="chart-small">
      {item.author.person === engine.me?.person ? c.writtenByYou(at) : c.writtenBy(authorOf(item, words), at)}
      {item.kind === 'record' && item.filename ? `, ${c.fromFile(item.filename)}` : ''}
    </p>
  )
}

export function Withdrawn({ thread }: { thread: Thread }): JSX.Element | null {
  const words = useWords()
  const { w, date } = words
  const c = w.chart
  if (!thread.withdrawn) return null
  const { item, reason } = thread.withdrawn
  return <Notice kind="warn" title={c.withdrawnBy(authorOf(item, words), date(item.time, 'datetime'))}>{reason !== '' && <p dir="auto">{c.withdrawnReason(reason)}</p>}</Notice>
}

/** What it said before it was amended. */
export function History({ thread, contents }: { thread: Thread; contents: Contents }): JSX.Element | null {
  const words = useWords()
  const { w, date } = words
  const c = w.chart
  if (thread.before.length === 0) return null
  return (
    <details class="chart-fold">
      <summary class="chart-target">{c.history(thread.before.length)}</summary>
      <ol class="chart-history">
        {thread.before.map((item) => (
          <li key={item.entry}>
            <p class="chart-small">{c.version(authorOf(item, words), date(item.time, 'datetime'))}</p>
            {item.resources.map((r, i) => <Facts key={i} view={view(r, contents.reader)} />)}
          </li>
        ))}
      </ol>
    </details>
  )
}

/** For what the clinic does not have yet: why, and what to do. */
export function Unsent({ item }: { item: Item }): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const { act, busy, error } = useAct()
  const [asking, setAsking] = useState(false)
  if (item.state === 'stored') return null
  const refused = item.state === 'refused'
  const why = refused && item.problem ? w.problems[item.problem] : undefined
  return (
    <Notice kind={refused ? 'danger' : 'info'} title={refused ? c.refused : item.state === 'sending' ? c.sending : c.waiting}>
      <p>{refused ? c.refusedHint : c.waitingHint}</p>
      {why && <p>{why[0]} {why[1]}</p>}
      <div class="chart-actions">
        {item.state !== 'sending' && <Button kind="plain" busy={busy} onClick={() => { void act(() => engine.tryAgain(item.entry)) }}>{c.tryAgain}</Button>}
        {item.state !== 'sending' && <Button kind="quiet" onClick={() => setAsking(true)}>{c.discard}</Button>}
      </div>
      <ErrorPanel error={error} />
      <Dialog open={asking} onClose={() => setAsking(false)} title={c.discardTitle}>
        <p>{c.discardText}</p>
        <div class="chart-actions">
          <Button kind="danger" busy={busy} onClick={() => { void act(() => engine.discard(item.entry)).then((done) => { if (done) { setAsking(false); announce(c.discarded) } }) }}>{c.discard}</Button>
          <Button kind="plain" onClick={() => setAsking(false)}>{c.cancel}</Button>
        </div>
      </Dialog>
    </Notice>
  )
}

/** Amending one's own note and withdrawing: for the author, and for clinicians. */
export function Change({ chart, thread, children, onAmend }: { chart: OpenChart; thread: Thread; children?: ComponentChildren; onAmend?: () => void }): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const [asking, setAsking] = useState(false)
  const [reason, setReason] = useState('')
  const { act, busy, error } = useAct()
  const { now } = thread
  const me = engine.me
  const mine = now.author.person === me?.person || me?.roles.includes('clinician') === true
  const possible = mine && !thread.withdrawn && now.state === 'stored' && chart.writable.includes(now.compartment) && now.kind !== 'person' && now.kind !== 'consent' && now.kind !== 'appointment'
  if (!possible && !children) return null
  const withdraw = async (): Promise<void> => {
    if (await act(() => engine.write(chart.chart, now.compartment, { kind: 'retraction', retracts: now.entry, of: now.kind, reason: reason.trim() }))) {
      setAsking(false)
      announce(c.withdrawDone)
    }
  }
  return (
    <div class="chart-actions">
      {children}
      {possible && now.kind === 'note' && <Button kind="plain" {...(onAmend ? { onClick: onAmend } : { href: `/chart/${chart.chart}/notes#${now.entry}` })}>{c.amend}</Button>}
      {possible && <Button kind="quiet" onClick={() => setAsking(true)}>{c.withdraw}</Button>}
      <Dialog open={asking} onClose={() => setAsking(false)} title={c.withdrawTitle}>
        <p>{c.withdrawText}</p>
        <form class="chart-form" onSubmit={(event) => { event.preventDefault(); void withdraw() }}>
          <Field label={c.reason} value={reason} onInput={setReason} required />
          <ErrorPanel error={error} />
          <div class="chart-actions"><Button kind="danger" type="submit" busy={busy}>{c.withdraw}</Button><Button kind="plain" onClick={() => setAsking(false)}>{c.cancel}</Button></div>
        </form>
      </Dialog>
    </div>
  )
}
