// Questionnaires: choosing one, answering it, and what was answered.

import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Empty, ErrorPanel, Notice, Tag, announce } from '../../parts/index.tsx'
import type { OpenChart, Resource } from '../../engine/types.ts'
import { count, isForm, questionsOf } from '../../fhir/form.ts'
import { intake } from '../../fhir/intake.ts'
import { crisisItem, instrument, instruments, readResponse, severityOf, toResponse, type Instrument, type InstrumentID } from '../../fhir/questionnaires.ts'
import { text } from '../../fhir/read.ts'
import { view } from '../../fhir/view.ts'
import { Change, Facts, Marks, Origin, Unsent, Withdrawn } from './entry.tsx'
import { Form } from './form.tsx'
import type { PageProps } from './index.tsx'
import type { Contents, Thread } from './rows.ts'
import { Where, usual } from './where.tsx'

export function Questionnaires({ chart, contents }: PageProps): JSX.Element {
  const { w, lang } = useWords()
  const c = w.chart
  const [answering, setAnswering] = useState<InstrumentID | undefined>(undefined)
  const [filling, setFilling] = useState<Resource | undefined>(undefined)
  const [crisis, setCrisis] = useState(false)
  if (answering) return <Fill chart={chart} q={instrument(answering, lang)} onDone={(asksForHelp) => { setAnswering(undefined); setCrisis(asksForHelp) }} />
  if (filling) return <Form chart={chart} questionnaire={filling} onDone={() => setFilling(undefined)} />
  const forms = [intake(lang), ...contents.current.filter(isForm)]
  const given = contents.threads.filter((t) => t.now.kind === 'questionnaire').sort((a, b) => b.now.time.localeCompare(a.now.time))
  return (
    <div class="chart-stack">
      {crisis && <Crisis />}
      <h2>{c.formsTitle}</h2>
      {chart.writable.length > 0 && <div class="chart-summary">
        {instruments.map((id) => instrument(id, lang)).map((q) => (
          <Card key={q.id} title={q.title} level={3}>
            <p>{q.about}</p>
            <p class="chart-small">{c.formLength(q.items.length)}</p>
            <div><Button onClick={() => setAnswering(q.id)} label={`${c.formFill}: ${q.title}`}>{c.formFill}</Button></div>
          </Card>
        ))}
        {forms.map((q, i) => (
          <Card key={i} title={text(q['title']) || c.fhir.types.Questionnaire} level={3}>
            {text(q['description']) !== '' && <p dir="auto">{text(q['description'])}</p>}
            <p class="chart-small">{c.fhir.questions(count(questionsOf(q)))}</p>
            <div><Button onClick={() => setFilling(q)} label={`${c.formFill}: ${text(q['title'])}`}>{c.formFill}</Button></div>
          </Card>
        ))}
      </div>}
      <h2>{c.answered}</h2>
      {given.length === 0 && <Card><Empty title={c.noForms}><p>{c.noFormsHint}</p></Empty></Card>}
      {given.map((thread) => <Answered key={thread.now.entry} chart={chart} contents={contents} thread={thread} />)}
    </div>
  )
}

const Crisis = (): JSX.Element => {
  const { w } = useWords()
  return <Notice kind="danger" title={w.chart.crisisTitle}><p>{w.chart.crisisText}</p></Notice>
}

function Fill({ chart, q, onDone }: { chart: OpenChart; q: Instrument; onDone: (crisis: boolean) => void }): JSX.Element {
  const engine = useEngine()
  const { w, n } = useWords()
  const c = w.chart
  const [answers, setAnswers] = useState<readonly (number | undefined)[]>(q.items.map(() => undefined))
  const [missing, setMissing] = useState(false)
  const [part, setPart] = useState(usual(chart))
  const form = useRef<HTMLFormElement>(null)
  const { act, busy, error } = useAct()
  const left = answers.filter((a) => a === undefined).length
  const crisis = q.id === 'phq-9' && (answers[crisisItem] ?? 0) > 0
  const store = async (): Promise<void> => {
    setMissing(left > 0)
    if (left > 0) {
      form.current?.querySelector<HTMLInputElement>('fieldset[data-open] input')?.focus()
      return
    }
    const given = answers.map((a) => a ?? 0)
    const resource = toResponse(q, given, { chart: chart.chart, person: engine.me?.person ?? '', name: engine.me?.name ?? '', date: new Date().toISOString() })
    if (await act(() => engine.write(chart.chart, part, { kind: 'questionnaire', resource }))) {
      announce(c.formStored)
      onDone(crisis)
    }
  }
  return (
    <div class="chart-narrow"><Card title={q.title}>
      <p>{q.lead}</p>
      <form ref={form} class="chart-form" onSubmit={(event) => { event.preventDefault(); void store() }}>
        {q.items.map((item, i) => (
          <fieldset class="choices chart-question" key={item.linkId} {...(answers[i] === undefined && { 'data-open': true })}>
            <legend>{n(i + 1)}. {item.text}</legend>
            {q.options.map((option, value) => (
              <label class="choice" key={option}>
                <input type="radio" name={item.linkId} checked={answers[i] === value} onInput={() => setAnswers(answers.map((a, at) => (at === i ? value : a)))} />{option}
              </label>
            ))}
            {missing && answers[i] === undefined && <p class="chart-error">{c.required}</p>}
          </fieldset>
        ))}
        {crisis && <Crisis />}
        <Where chart={chart} name="form-part" value={part} onInput={setPart} />
        {missing && left > 0 && <Notice kind="warn"><p>{c.formMissing(left)}</p></Notice>}
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button type="submit" busy={busy}>{c.formStore}</Button><Button kind="plain" onClick={() => onDone(false)}>{c.formBack}</Button></div>
      </form>
    </Card></div>
  )
}

function Answered({ chart, contents, thread }: { chart: OpenChart; contents: Contents; thread: Thread }): JSX.Element {
  const { w, lang } = useWords()
  const c = w.chart
  const r = thread.now.resources[0]
  const v = r && view(r, contents.reader)
  const known = r && readResponse(r)
  return (
    <Card title={v?.title ?? c.fhir.types.QuestionnaireResponse} level={3} actions={<Marks row={{ thread, part: thread.now.compartment }} />}>
      <Withdrawn thread={thread} />
      {!thread.withdrawn && known && <p><strong>{c.scoreOf(known.score, instrument(known.id, lang).most)}</strong> <Tag kind={severityOf(known.id, known.score) === 'minimal' ? 'good' : severityOf(known.id, known.score) === 'mild' ? 'plain' : 'warn'}>{c.severity[severityOf(known.id, known.score)]}</Tag></p>}
      {!thread.withdrawn && known && <p class="chart-small">{c.formMeaning}</p>}
      <Origin item={thread.now} />
      {v && <details class="chart-fold"><summary class="chart-target">{thread.withdrawn ? c.showWithdrawn : c.details}</summary><Facts view={v} /></details>}
      <Unsent item={thread.now} />
      <Change chart={chart} thread={thread} />
    </Card>
  )
}
