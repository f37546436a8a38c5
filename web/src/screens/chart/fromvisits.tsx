// On the patient's home: what is to be done, and the newest summary of a visit. Nothing while there is neither.

import type { JSX } from 'preact'
import { useWords } from '../../app/context.tsx'
import { Button, Card } from '../../parts/index.tsx'
import type { ID } from '../../engine/types.ts'
import { todosOf } from '../../fhir/visit.ts'
import { apart } from './bidi.ts'
import { useOpenChart } from './opened.ts'
import { summariesOf } from './summaries.ts'
import { Todos } from './todos.tsx'

export function FromVisits({ chart: id }: { chart: ID }): JSX.Element | null {
  const { w, date, lang } = useWords()
  const c = w.visit.care
  const { chart } = useOpenChart(id)
  if (!chart) return null
  const [newest] = summariesOf(chart)
  return (
    <>
      {todosOf(chart.items).some((t) => t.whose === 'patient' && !t.done) && <Card title={c.todos.title}><Todos chart={chart} whose="patient" /></Card>}
      {newest && (
        <Card title={c.after.newest}>
          <p class="soft">{c.after.from(apart(newest.by, lang), date(newest.date, 'date'))}</p>
          <div><Button kind="plain" icon="file" href={`/chart/${id}/visits`}>{c.after.read}</Button></div>
        </Card>
      )}
    </>
  )
}
