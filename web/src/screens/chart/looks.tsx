// Who looked at the chart, in sentences. What was refused is marked.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Choices, Empty, ErrorPanel, Progress, Tag } from '../../parts/index.tsx'
import type { Look } from '../../engine/types.ts'
import { dayOf } from '../../fhir/view.ts'
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
  const load = (before?: string): void => {
    void act(async () => {
      const page = await engine.looks(chart.chart, before)
      setLooks((known) => (before === undefined ? page.looks : [...(known ?? []), ...page.looks]))
      setMore(page.more)
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
          <ul class="chart-looks">{list.map((look) => <OneLook key={look.id} look={look} />)}</ul>
        </div>
      ))}
      <ErrorPanel error={error} onRetry={() => load(looks?.at(-1)?.id)} />
      {more && <div><Button kind="plain" busy={busy} onClick={() => load(looks?.at(-1)?.id)}>{c.olderLooks}</Button></div>}
    </Card></div>
  )
}

function OneLook({ look }: { look: Look }): JSX.Element {
  const engine = useEngine()
  const { w, date, list, lang } = useWords()
  const c = w.chart
  const who = look.person === engine.me?.person ? c.you : look.name === '' ? c.someone : apart(look.name, lang)
  const say = (look.allowed ? c.look : c.triedLook)[look.action as keyof typeof c.look] ?? c.otherLook
  return (
    <li class={look.allowed ? 'chart-look' : 'chart-look chart-refused'}>
      <time class="when" dateTime={look.time}>{date(look.time, 'time')}</time>
      <span class="chart-grow">
        <span>{say(who)}</span>
        <span class="chart-small">{[look.person === engine.me?.person ? '' : list(look.roles.map((r) => w.roles[r])), look.count > 1 ? `${c.timesLook(look.count)} ${c.withinHour}` : ''].filter((t) => t !== '').join(' · ')}</span>
      </span>
      {!look.allowed && <Tag kind="danger">{c.refusedLook}</Tag>}
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
