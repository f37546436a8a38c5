// What a patient is asked to answer before a visit, answered in place, so that nobody has to leave the waiting room.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { Button, Card, Icon, Notice } from '../../parts/index.tsx'
import type { ID, OpenChart } from '../../engine/types.ts'
import { questionnaire, type ShippedID } from '../../fhir/questionnaires.ts'
import { todosOf, type Todo } from '../../fhir/visit.ts'
import { Form } from './form.tsx'
import { useOpenChart } from './opened.ts'
import { saying } from './todos.tsx'

/** The questionnaires that a patient is asked to answer and has not, in a chart. */
export function useAsked(id: ID): { readonly chart: OpenChart | undefined; readonly asked: readonly Todo[] } {
  const { chart } = useOpenChart(id)
  return { chart, asked: chart ? todosOf(chart.items).filter((t) => t.kind === 'questionnaire' && !t.done) : [] }
}

export function BeforeVisit({ chart: id }: { chart: ID }): JSX.Element | null {
  const words = useWords()
  const { w, lang } = words
  const c = w.visit.care.before
  const { chart, asked } = useAsked(id)
  const [filling, setFilling] = useState<ShippedID | undefined>(undefined)
  const [thanks, setThanks] = useState(false)
  if (!chart || chart.writable.length === 0) return null
  if (filling) return <Form chart={chart} questionnaire={questionnaire(filling, lang)} onDone={(stored) => { setFilling(undefined); setThanks(stored) }} />
  if (asked.length === 0) return thanks ? <Notice kind="good"><p>{c.thanks}</p></Notice> : null
  return (
    <Card title={c.title}>
      <p class="soft">{c.text}</p>
      <ul class="list">{asked.map((t) => (
        <li key={t.entry} class="item"><Icon name="file" /><span class="main"><span class="title">{saying(t, words)}</span></span>
          <Button kind="plain" onClick={() => setFilling(t.questionnaire)} label={`${w.chart.formFill}: ${saying(t, words)}`}>{w.chart.formFill}</Button></li>
      ))}</ul>
    </Card>
  )
}
