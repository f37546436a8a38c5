// Who looked at the chart, in sentences. What was refused is marked.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAct, useChange, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Choices, Empty, ErrorPanel, Progress, Tag } from '../../parts/index.tsx'
import type { Look, Proof } from '../../engine/types.ts'
import { dayOf } from '../../fhir/view.ts'
import { gravest, ProofLine } from '../proof.tsx'
import { apart } from './bidi.ts'
import type { PageProps } from './index.tsx'

export function Looks({ chart }: PageProps): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const c = w.chart
  const [looks, setLooks] = useState<readonly Look[] | undefined>(undefined)
  const [more, setMore] = useState(false)
  const [wanted, setWanted] = useState<'all' | 'allowed' | 'refused'>('all')
  const { act, busy, error } = useAct()
  // Fetched for what is shown and not agreed yet; again when the ledger goes on.
  const [proofs, setProofs] = useState<ReadonlyMap<string, Proof>>(new Map())
  const prove = (list: readonly Look[]): void => {
    const events = list.flatMap((l) => l.events)
    const unchecked = events.map((): Proof => ({ state: 'unchecked', ...(engine.ledger?.unchecked && { since: engine.ledger.unchecked }) }))
    void engine.lookProofs(chart.chart, events).catch(() => unchecked).then((found) => setProofs((known) => new Map([...known, ...found.map((p, i) => [events[i] as string, p] as const)])))
  }
  useEffect(() => {
    const waiting = looks?.filter((l) => l.events.some((e) => ['pending', 'unchecked'].includes(proofs.get(e)?.state ?? ''))) ?? []
    if (waiting.length === 0) return
    const timer = setTimeout(() => prove(waiting), waiting.some((l) => l.events.some((e) => proofs.get(e)?.state === 'pending')) ? again : againUnchecked)
    return () => clearTimeout(timer)
  }, [proofs])
  useChange((change) => { if (change.what === 'ledger' && looks) prove(looks) })
  const load = (before?: string): void => {
    void act(async () => {
      const page = await engine.looks(chart.chart, before)
      setLooks((known) => (before === undefined ? page.looks : [...(known ?? []), ...page.looks]))
      setMore(page.more)
      prove(page.looks)
    })
  }
  useEffect(() => load(), [chart.chart])
  const shown = (looks ?? []).filter((l) => wanted === 'all' || l.allowed === (wanted === 'allowed'))
  return (
    <div class="chart-narrow"><Card title={c.looksTitle}>
      <p class="chart-soft">{c.looksText}</p>
      {!looks && !error && <Progress label={w.loading} done={0} total={0} />}
      {looks?.length === 0 && !more && <Empty title={c.noLooks} />}
      {looks !== undefined && looks.length > 0 && <Choices label={c.looksShow} name="looks" value={wanted} onInput={(v) => setWanted(v as typeof wanted)} options={[{ value: 'all', label: c.all }, { value: 'allowed', label: c.looksAllowed }, { value: 'refused', label: c.looksRefused }]} />}
      {looks !== undefined && looks.length > 0 && shown.length === 0 && <p role="status">{c.nothingFound}</p>}
      {days(shown).map(([day, list]) => (
        <div class="tl-day" key={day}>
          <h3 class="tl-date">{date(day, 'date')}</h3>
          <ul class="chart-looks">{visits(list).map((visit) => <OneVisit key={visit.key} visit={visit} proofs={proofs} />)}</ul>
        </div>
      ))}
      <ErrorPanel error={error} onRetry={() => load(looks?.at(-1)?.id)} />
      {more && <div><Button kind="plain" busy={busy} onClick={() => load(looks?.at(-1)?.id)}>{c.olderLooks}</Button></div>}
    </Card></div>
  )
}

/** When to ask again for what is about to be agreed, in ms; and for what could not be checked. */
const again = 1500
const againUnchecked = 15_000

/** What one person did within an hour, newest first. Opening a chart takes steps, which are told but not first. */
interface Visit { readonly key: string; readonly last: Look; readonly acts: readonly Look[]; readonly steps: readonly Look[] }

const isStep = (look: Look): boolean => look.allowed && ['found', 'members', 'turned'].includes(look.action)

function visits(looks: readonly Look[]): Visit[] {
  const byHour = new Map<string, Look[]>()
  for (const look of looks) {
    const key = `${look.person} ${look.time.slice(0, 13)}`
    const all = byHour.get(key) ?? []
    const same = all.findIndex((l) => l.action === look.action && l.allowed === look.allowed)
    const known = all[same]
    if (known) all[same] = { ...known, count: known.count + look.count, events: [...known.events, ...look.events] }
    else all.push(look)
    byHour.set(key, all)
  }
  return [...byHour].flatMap(([key, all]) => {
    const acts = all.filter((l) => !isStep(l))
    return all[0] ? [{ key, last: all[0], acts: acts.length > 0 ? acts : all, steps: acts.length > 0 ? all.filter(isStep) : [] }] : []
  })
}

function OneVisit({ visit, proofs }: { visit: Visit; proofs: ReadonlyMap<string, Proof> }): JSX.Element {
  const engine = useEngine()
  const { w, date, list, lang } = useWords()
  const c = w.chart
  const { last, acts, steps } = visit
  const proof = gravest([...acts, ...steps].flatMap((l) => l.events).flatMap((e) => proofs.get(e) ?? []))
  const self = last.person === engine.me?.person
  const who = self ? c.you : last.name === '' ? c.someone : apart(last.name, lang)
  const sentence = (look: Look): string => {
    const say = (look.allowed ? c.look[look.action as keyof typeof c.look] : c.triedLook[look.action as keyof typeof c.triedLook]) ?? c.otherLook
    // One opening is many requests: their number would say nothing.
    return look.count > 1 && look.action !== 'opened' ? `${say(who)} (${c.timesLook(look.count)})` : say(who)
  }
  return (
    <li class={acts.some((l) => !l.allowed) ? 'chart-look chart-refused' : 'chart-look'}>
      <time class="when" dateTime={last.time}>{date(last.time, 'time')}</time>
      <div class="chart-grow">
        {acts.map((look) => <p key={`${look.action} ${String(look.allowed)}`}>{sentence(look)} {!look.allowed && <Tag kind="danger">{c.refusedLook}</Tag>}</p>)}
        {!self && <p class="chart-small">{list(last.roles.map((r) => w.roles[r]))}</p>}
        {steps.length > 0 && <details><summary class="chart-small">{c.looksSteps(steps.reduce((n, l) => n + l.count, 0))}</summary>{steps.map((look) => <p key={look.action} class="chart-small">{sentence(look)}</p>)}</details>}
        {proof && proof.state !== 'none' && <ProofLine proof={proof} time={last.time} />}
      </div>
    </li>
  )
}

function days(looks: readonly Look[]): (readonly [string, readonly Look[]])[] {
  const groups: [string, Look[]][] = []
  for (const look of looks) {
    const day = dayOf(look.time)
    const last = groups.at(-1)
    if (last && last[0] === day) last[1].push(look)
    else groups.push([day, [look]])
  }
  return groups
}
