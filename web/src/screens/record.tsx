// The record, for the security and the data protection officer: sentences that can be narrowed down, and whether it is
// whole.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { matches } from '../app/text.ts'
import type { RecordEvent } from '../engine/types.ts'
import { Button, Card, Choices, Empty, ErrorPanel, Field, Notice, Progress, Select, Tag } from '../parts/index.tsx'

const kinds: Readonly<Record<string, readonly string[]>> = {
  reading: ['listLocks', 'listCharts', 'readLock', 'readKeys', 'readEntries', 'readMembers', 'findChart', 'readLooks', 'listPeople', 'listInvitations', 'readCards', 'readMembership', 'readRecord', 'breakGlass', 'listEmergencies'],
  writing: ['writeEntry', 'eraseChart', 'eraseSelf'],
  keys: ['grant', 'revoke', 'answerGrant', 'turnLock', 'createTeam', 'breakGlass', 'endEmergency', 'emergency-over'],
  people: ['invite', 'invited', 'joined', 'found', 'state', 'changed-roles', 'confirmed', 'completed', 'vetoed', 'renamed', 'ended', 'reinstated', 'changed-rules', 'asked-for-new-keys'],
  access: ['signed-in', 'recovered', 'opened-recovery', 'changed-recovery', 'changed-keys', 'added-passkey', 'removed-passkey', 'refused-proof', 'readSelf', 'writeSelf'],
}

export default function TheRecord(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [older, setOlder] = useState<readonly RecordEvent[]>([])
  const [more, setMore] = useState<boolean | undefined>(undefined)
  const [show, setShow] = useState('all')
  const [kind, setKind] = useState('')
  const [person, setPerson] = useState('')
  const [search, setSearch] = useState('')
  const newest = useLoad(() => engine.record(0), [])
  const all = [...(newest.value?.events ?? []), ...older]
  const people = [...new Map(all.filter((e) => e.person).map((e) => [e.person as string, e.name || (isGuest(e) ? w.visit.guests.aGuest : w.unnamed)])).entries()].sort((a, b) => a[1].localeCompare(b[1]))
  const found = all.filter((e) => (show === 'all' || e.decision === 'deny' || e.action === 'refused-proof')
    && (kind === '' || kinds[kind]?.includes(e.action)) && (person === '' || e.person === person)
    && (search === '' || matches(`${e.name ?? ''} ${w.record.actions[e.action] ?? e.action} ${e.policies.join(' ')}`, search)))
  const last = all.at(-1)
  const next = (seq: number): void => {
    void act(async () => {
      const page = await engine.record(seq)
      setOlder((before) => [...before, ...page.events])
      setMore(page.more)
    })
  }
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>{w.record.title}</h1><p class="soft">{w.record.lead}</p></div>
      <RecordState />
      <Card>
        <Choices compact label={w.record.decision} name="show" value={show} onInput={setShow} options={[{ value: 'all', label: w.record.all }, { value: 'deny', label: w.record.denied }]} />
        <div class="filters">
          <Field label={w.search} type="search" value={search} onInput={setSearch} />
          <Select label={w.record.personFilter} value={person} onInput={setPerson} options={[{ value: '', label: w.record.allPeople }, ...people.map(([value, label]) => ({ value, label }))]} />
          <Select label={w.record.kinds} value={kind} onInput={setKind} options={[{ value: '', label: w.record.kindsAll }, ...Object.keys(kinds).map((value) => ({ value, label: w.record.kindsOf[value] ?? value }))]} />
        </div>
        <p class="small soft" role="status">{w.record.count(found.length)}</p>
        <ErrorPanel error={newest.error ?? error} onRetry={newest.again} />
        {newest.value === undefined ? newest.loading && <Progress label={w.loading} done={0} total={0} /> : found.length === 0 ? <Empty icon="record" title={w.record.none} /> : <ul class="list">{found.map((e) => <li key={e.seq}><Event e={e} /></li>)}</ul>}
        {(more ?? newest.value?.more) && last && <div><Button kind="plain" busy={busy} onClick={() => next(last.seq)}>{w.record.older}</Button></div>}
      </Card>
    </>
  )
}

/** Guests have no name here: only those in the visit know it. */
const isGuest = (e: RecordEvent): boolean => (e.roles as readonly string[]).includes('guest')

/** One line of the record, as a sentence. */
export function Event({ e }: { e: RecordEvent }): JSX.Element {
  const { w, date } = useWords()
  const kind = e.decision === 'deny' ? 'danger' as const : e.decision === 'allow' ? 'good' as const : 'plain' as const
  const why = e.decision === 'deny' && e.policies.length === 0 ? [w.record.byDefault] : e.policies
  return (
    <div class="item record">
      <span class="main"><span><bdi class="strong">{e.person ? e.name || (isGuest(e) ? w.visit.guests.aGuest : w.unnamed) : w.record.visitor}</bdi> {w.record.actions[e.action] ?? e.action}</span><span class="soft">{[date(e.time, 'datetime'), ...why, ...(e.outcome ? [e.outcome] : [])].join(' · ')}</span></span>
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
  return state.value.whole
    ? <Notice kind="good" title={w.record.whole(n(state.value.events))}><p>{w.record.wholeText}</p></Notice>
    : <Notice kind="danger" title={w.record.broken(n(Math.max(0, state.value.problems?.[0]?.first ?? 0)))}><p>{w.record.brokenText}</p></Notice>
}
