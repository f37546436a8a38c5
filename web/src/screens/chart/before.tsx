// What a patient is asked to answer before a visit, answered in place, so that nobody has to leave the waiting room.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { Button, Card, Icon, Notice } from '../../parts/index.tsx'
import type { ID } from '../../engine/types.ts'
import { questionnaire, type ShippedID } from '../../fhir/questionnaires.ts'
import { todosOf } from '../../fhir/visit.ts'
import { HelpNow } from './crisis.tsx'
import { Form } from './form.tsx'
import { useOpenChart } from './opened.ts'
import { saying } from './todos.tsx'

export function BeforeVisit({ chart: id }: { chart: ID }): JSX.Element | null {
  const words = useWords()
  const { w, lang } = words
  const c = w.visit.care.before
  const { chart } = useOpenChart(id)
  const [filling, setFilling] = useState<ShippedID | undefined>(undefined)
  const [thanks, setThanks] = useState(false)
  if (!chart || chart.writable.length === 0) return null
  if (filling) return <Form chart={chart} questionnaire={questionnaire(filling, lang)} onDone={(stored) => { setFilling(undefined); setThanks(stored) }} />
  const asked = todosOf(chart.items).filter((t) => t.kind === 'questionnaire' && !t.done)
  if (asked.length === 0) return thanks ? <><HelpNow chart={chart} /><Notice kind="good"><p>{c.thanks}</p></Notice></> : null
  return (
    <>
      {thanks && <HelpNow chart={chart} />}
      <Card title={c.title}>
        <p class="soft">{c.text}</p>
        <ul class="list">{asked.map((t) => (
          <li key={t.entry} class="item"><Icon name="file" /><span class="main"><span class="title">{saying(t, words)}</span></span>
            <Button kind="plain" onClick={() => setFilling(t.questionnaire)} label={`${w.chart.formFill}: ${saying(t, words)}`}>{w.chart.formFill}</Button></li>
        ))}</ul>
      </Card>
    </>
  )
}
