// The record, for the security and the data protection officer.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import type { RecordEvent } from '../engine/types.ts'
import { Button, Card, Choices, Empty, ErrorPanel, Field, Notice, Progress, Tag } from '../parts/index.tsx'
import { matches } from './home.tsx'

export default function TheRecord(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [older, setOlder] = useState<readonly RecordEvent[]>([])
  const [more, setMore] = useState(true)
  const [show, setShow] = useState('all')
  const [search, setSearch] = useState('')
  const newest = useLoad(() => engine.record(0), [])
  const all = [...(newest.value?.events ?? []), ...older]
  const found = all.filter((e) => (show === 'all' || e.decision === 'deny' || e.action === 'refused-proof') && (search === '' || matches(`${e.name ?? ''} ${w.record.actions[e.action] ?? e.action} ${e.policies.join(' ')}`, search)))
  const last = all.at(-1)
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.record.title}</h1><p class="soft">{w.record.lead}</p></div>
      <RecordState />
      <Card>
        <Choices label={w.record.decision} name="show" value={show} onInput={setShow} options={[{ value: 'all', label: w.record.all }, { value: 'deny', label: w.record.denied }]} />
        <Field label={w.search} type="search" value={search} onInput={setSearch} />
        <ErrorPanel error={newest.error ?? error} onRetry={newest.again} />
        {newest.value === undefined ? <Progress label={w.loading} done={0} total={0} /> : found.length === 0 ? <Empty title={w.record.none} /> : <ul class="list">{found.slice(0, 400).map((e) => <li key={e.seq}><Row e={e} /></li>)}</ul>}
        {more && last && last.seq > 1 && <div><Button kind="plain" busy={busy} onClick={() => { void act(async () => { const page = await engine.record(last.seq); setOlder([...older, ...page.events]); setMore(page.more) }) }}>{w.record.older}</Button></div>}
      </Card>
    </>
  )
}

function Row({ e }: { e: RecordEvent }): JSX.Element {
  const { w, date } = useWords()
  const kind = e.decision === 'deny' ? 'danger' as const : e.decision === 'allow' ? 'good' as const : 'plain' as const
  return (
    <div class="item record">
      <span class="main"><span><span class="strong">{e.person ? e.name || w.unnamed : w.record.visitor}</span> {w.record.actions[e.action] ?? e.action}</span><span class="soft">{date(e.time, 'datetime')}{e.policies.length > 0 ? ` · ${e.policies.join(', ')}` : ''}{e.outcome ? ` · ${e.outcome}` : ''}</span></span>
      <Tag kind={kind}>{w.record[e.decision]}</Tag>
    </div>
  )
}

/** Reads the whole record and says whether it fits together. */
export function RecordState(): JSX.Element {
  const engine = useEngine()
  const { w, n } = useWords()
  const state = useLoad(() => engine.recordState(), [])
  if (state.error) return <ErrorPanel error={state.error} onRetry={state.again} />
  if (!state.value) return <Progress label={w.record.check} done={0} total={0} />
  return state.value.whole ? <Notice kind="good" title={w.record.whole(n(state.value.events))} /> : <Notice kind="danger" title={w.record.broken(n(state.value.broken ?? 0))} />
}
