// Everything in the chart by date, newest first: found by kind, part and words, and painted page by page.

import type { JSX } from 'preact'
import { useEffect, useId, useMemo, useState } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { Button, Empty, Field, Select } from '../../parts/index.tsx'
import type { Compartment } from '../../engine/types.ts'
import { dateText, dayOf, type Kind } from '../../fhir/view.ts'
import { EntryRow } from './entry.tsx'
import type { PageProps } from './index.tsx'
import { fold, type Row } from './rows.ts'

const firstPage = 30
const nextPage = 100

/** Indexing for search, in milliseconds: after the first paint, and never long enough to be felt. */
const indexDelay = 400
const indexSlice = 8
const indexPause = 16

type Wanted = Kind | 'all' | 'no-bills'

export function Timeline({ chart, contents }: PageProps): JSX.Element {
  const { w, n } = useWords()
  const c = w.chart
  const [search, setSearch] = useState('')
  const [kind, setKind] = useState<Wanted>('no-bills')
  const [part, setPart] = useState<Compartment | 'all'>('all')
  const [pages, setPages] = useState(0)
  const title = useId()
  const kinds = useMemo(() => [...new Set(contents.rows.map((r) => r.kind))], [contents])
  const bills = useMemo(() => contents.rows.filter((r) => r.kind === 'bill').length, [contents])
  const found = useMemo(() => {
    const wanted = fold(search).split(/\s+/).filter((word) => word !== '')
    return contents.rows.filter((row) =>
      (kind === 'all' || (kind === 'no-bills' ? row.kind !== 'bill' : row.kind === kind)) && (part === 'all' || row.part === part)
      && (wanted.length === 0 || wanted.every((word) => contents.searchable(row).includes(word))))
  }, [contents, search, kind, part])
  // The index is made while nothing else happens, so that the first letter typed finds at once.
  useEffect(() => {
    let next = 0
    let turn = 0
    const work = (): void => {
      const until = performance.now() + indexSlice
      while (next < contents.rows.length && performance.now() < until) contents.searchable(contents.rows[next++] as Row)
      if (next < contents.rows.length) turn = window.setTimeout(work, indexPause)
    }
    turn = window.setTimeout(work, indexDelay)
    return () => clearTimeout(turn)
  }, [contents])
  const shown = found.slice(0, firstPage + pages * nextPage)
  const reset = (): void => { setSearch(''); setKind('no-bills'); setPart('all'); setPages(0) }
  if (contents.rows.length === 0) return <Empty title={c.nothingYet}><p>{c.nothingYetHint}</p></Empty>
  return (
    <section class="card tl" aria-labelledby={title}>
      <header><h2 id={title}>{c.timeline}</h2></header>
      <form class="tl-filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field label={c.search} type="search" value={search} onInput={(v) => { setSearch(v); setPages(0) }} autocomplete="off" />
        <Select label={c.filterKind} value={kind} onInput={(v) => { setKind(v as Wanted); setPages(0) }} options={[
          ...(bills > 0 ? [{ value: 'no-bills', label: c.withoutBills }] : []), { value: bills > 0 ? 'all' : 'no-bills', label: c.all },
          ...(Object.keys(c.kinds) as Kind[]).filter((k) => kinds.includes(k)).map((k) => ({ value: k, label: c.kinds[k] })),
        ]} />
        {chart.compartments.length > 1 && (
          <Select label={c.filterPart} value={part} onInput={(v) => { setPart(v as Compartment | 'all'); setPages(0) }} options={[{ value: 'all', label: c.all }, ...chart.compartments.map((p) => ({ value: p, label: c.compartment[p] }))]} />
        )}
      </form>
      <p class="chart-soft" role="status">
        {c.found(found.length)}
        {kind === 'no-bills' && bills > 0 && <> · {c.billsHidden(bills)} <button type="button" class="chart-link" onClick={() => { setKind('bill'); setPages(0) }}>{c.showBills}</button></>}
        {(search !== '' || kind !== 'no-bills' || part !== 'all') && <> <button type="button" class="chart-link" onClick={reset}>{c.clear}</button></>}
      </p>
      {found.length === 0 && <Empty title={c.nothingFound}><p>{c.nothingFoundHint}</p></Empty>}
      {days(shown).map(([day, rows]) => (
        <div class="tl-day" key={day}>
          <h3 class="tl-date">{day === '' ? c.undated : dateText(contents.reader, day)}</h3>
          <ul class="tl-rows">{rows.map((row) => <EntryRow key={row.key} chart={chart} row={row} contents={contents} />)}</ul>
        </div>
      ))}
      {shown.length < found.length && <div class="tl-more"><Button kind="plain" onClick={() => setPages(pages + 1)}>{c.showMore(Math.min(nextPage, found.length - shown.length))}<span class="chart-soft"> / {n(found.length)}</span></Button></div>}
    </section>
  )
}

function days(rows: readonly Row[]): (readonly [string, readonly Row[]])[] {
  const groups: [string, Row[]][] = []
  for (const row of rows) {
    const day = dayOf(row.when)
    const last = groups.at(-1)
    if (last && last[0] === day) last[1].push(row)
    else groups.push([day, [row]])
  }
  return groups
}
