// What visits left: what is to be done, the summaries that the patient takes away, and consent to visits by video.

import type { JSX } from 'preact'
import { useEngine, useWords } from '../../app/context.tsx'
import { Card, Empty } from '../../parts/index.tsx'
import { ConsentState } from '../visit/consent.tsx'
import { AddTodo, PaperSummary } from '../visit/after.tsx'
import type { PageProps } from './index.tsx'
import { summariesOf } from './summaries.ts'
import { Todos } from './todos.tsx'

export function Visits({ chart }: PageProps): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const c = w.visit.care
  const clinician = !chart.mine && engine.me?.roles.includes('clinician') === true
  const [newest, ...older] = summariesOf(chart)
  return (
    <div class="chart-two">
      <section class="chart-stack">
        <h2>{c.after.summaries}</h2>
        {newest ? <PaperSummary summary={newest} /> : <Card><Empty icon="file" title={c.after.none}><p>{c.after.noneText}</p></Empty></Card>}
        {older.map((s) => <details key={s.entry} class="chart-fold card"><summary class="chart-target">{date(s.date, 'date')} · {s.by}</summary><PaperSummary summary={s} /></details>)}
      </section>
      <section class="chart-stack">
        <Card title={clinician ? c.todos.ofPatient : c.todos.title}><Todos chart={chart} whose="patient" /></Card>
        {!chart.mine && <Card title={c.todos.ofClinic}><Todos chart={chart} whose="clinic" /></Card>}
        {clinician && chart.writable.length > 0 && <AddTodo chart={chart} />}
        <ConsentState chart={chart} />
      </section>
    </div>
  )
}
