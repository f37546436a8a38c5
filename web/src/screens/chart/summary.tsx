// The chart at a glance. What could hurt if it were missed comes first.

import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { Button, Card, Notice, Tag } from '../../parts/index.tsx'
import { dateText } from '../../fhir/view.ts'
import { summarise, type Seen, type Series } from '../../fhir/summary.ts'
import { SafetyFlag } from './crisis.tsx'
import type { PageProps } from './index.tsx'
import type { Contents } from './rows.ts'
import { Trend } from './trend.tsx'

const firstResults = 6
const firstShots = 6
const firstItems = 12

export function Summary({ chart, contents }: PageProps): JSX.Element | null {
  const { w } = useWords()
  const c = w.chart
  const s = useMemo(() => summarise(contents.current, contents.reader), [contents])
  // What the benchmark waits for: the summary is on the screen.
  useEffect(() => { requestAnimationFrame(() => { performance.mark('ward:chart-readable') }) }, [])
  if (contents.rows.length === 0) return null
  return (
    <div class="chart-summary">
      <div class="chart-results care-flag"><SafetyFlag chart={chart} /></div>
      {s.flags.length > 0 && <div class="chart-results"><Notice kind="warn" title={c.flags}><ul class="chart-troubles">{s.flags.map(({ view: v }, i) => <li key={i} dir="auto">{v.title}</li>)}</ul></Notice></div>}
      <Card title={c.allergies}>{s.allergies.length === 0 ? <p class="chart-soft">{c.noAllergies}</p> : <Things seen={s.allergies} contents={contents} />}</Card>
      <Card title={c.problems}>
        {s.problems.length === 0 ? <p class="chart-soft">{c.noProblems}</p> : <Things seen={s.problems} contents={contents} />}
        {s.past.length > 0 && <details class="chart-fold"><summary class="chart-target">{c.pastProblems(s.past.length)}</summary><Things seen={s.past} contents={contents} /></details>}
      </Card>
      <Card title={c.medicines}>{s.medicines.length === 0 ? <p class="chart-soft">{c.noMedicines}</p> : <Things seen={s.medicines} contents={contents} />}</Card>
      <Immunizations shots={s.immunizations} contents={contents} />
      <Results results={s.results} contents={contents} />
    </div>
  )
}

function Things({ seen, contents }: { seen: readonly Seen[]; contents: Contents }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const [all, setAll] = useState(false)
  const shown = all ? seen : seen.slice(0, firstItems)
  return (
    <>
      <ul class="chart-things">
        {shown.map(({ view: v }, i) => (
          <li key={i}>
            <span class="chart-thing" dir="auto">{v.title}{v.alert === 'danger' && <> <Tag kind="danger">{c.dangerous}</Tag></>}</span>
            <span class="chart-soft">{[v.kind === 'problem' ? '' : v.brief, v.when === '' ? '' : c.sinceDate(dateText(contents.reader, v.when))].filter((t) => t !== '').join(' · ')}</span>
          </li>
        ))}
      </ul>
      {!all && seen.length > shown.length && <div><Button kind="quiet" onClick={() => setAll(true)}>{c.moreImmunizations(seen.length - shown.length)}</Button></div>}
    </>
  )
}

function Results({ results, contents }: { results: readonly Series[]; contents: Contents }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const [all, setAll] = useState(false)
  const shown = all ? results : results.slice(0, firstResults)
  return (
    <section class="card chart-results">
      <header><h2>{c.results}</h2></header>
      {results.length === 0 && <p class="chart-soft">{c.noResults}</p>}
      <div class="chart-series">{shown.map((s) => <Trend key={s.key} series={s} reader={contents.reader} />)}</div>
      {shown.length < results.length && <div><Button kind="plain" onClick={() => setAll(true)}>{c.moreResults(results.length - shown.length)}</Button></div>}
    </section>
  )
}

function Immunizations({ shots, contents }: { shots: readonly { title: string; times: readonly string[] }[]; contents: Contents }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const [all, setAll] = useState(false)
  const shown = all ? shots : shots.slice(0, firstShots)
  return (
    <Card title={c.immunizations}>
      {shots.length === 0 && <p class="chart-soft">{c.noImmunizations}</p>}
      <ul class="chart-things">
        {shown.map((s) => (
          <li key={s.title}>
            <span class="chart-thing" dir="auto">{s.title}</span>
            <span class="chart-soft">{[s.times.length > 1 ? c.times(s.times.length) : '', s.times[0] ? (s.times.length > 1 ? c.lastOn(dateText(contents.reader, s.times[0])) : dateText(contents.reader, s.times[0])) : ''].filter((t) => t !== '').join(' · ')}</span>
          </li>
        ))}
      </ul>
      {shown.length < shots.length && <div><Button kind="quiet" onClick={() => setAll(true)}>{c.moreImmunizations(shots.length - shown.length)}</Button></div>}
    </Card>
  )
}
