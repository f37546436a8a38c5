// Answering any FHIR questionnaire: the clinic's own for new patients, and those that came with imported records.

import type { JSX } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Check, ErrorPanel, Field, Notice, announce } from '../../parts/index.tsx'
import type { OpenChart, Resource } from '../../engine/types.ts'
import { asked, chosen, isAnswered, missing, questionsOf, responseTo, type Answers, type Question } from '../../fhir/form.ts'
import { text } from '../../fhir/read.ts'
import { Where, usual } from './where.tsx'

export function Form({ chart, questionnaire, onDone }: { chart: OpenChart; questionnaire: Resource; onDone: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const all = questionsOf(questionnaire)
  const [answers, setAnswers] = useState<Answers>({})
  const [tried, setTried] = useState(false)
  const [part, setPart] = useState(usual(chart))
  const { act, busy, error } = useAct()
  const form = useRef<HTMLFormElement>(null)
  const left = missing(all, answers)
  const empty = responseTo(questionnaire, answers, { chart: '', person: '', name: '', date: '' })['item'] === undefined
  const store = async (): Promise<void> => {
    setTried(true)
    if (left.length > 0 || empty) {
      const first = form.current?.querySelector<HTMLElement>('[data-required] :is(input, textarea)')
      first?.focus()
      first?.scrollIntoView({ block: 'center' })
      return
    }
    const resource = responseTo(questionnaire, answers, { chart: chart.chart, person: engine.me?.person ?? '', name: engine.me?.name ?? '', date: new Date().toISOString() })
    if (await act(() => engine.write(chart.chart, part, { kind: 'questionnaire', resource }))) {
      announce(c.formStored)
      onDone()
    }
  }
  return (
    <div class="chart-narrow"><Card title={text(questionnaire['title']) || c.fhir.types.Questionnaire}>
      {text(questionnaire['description']) !== '' && <p dir="auto">{text(questionnaire['description'])}</p>}
      <form ref={form} class="chart-form" noValidate onSubmit={(event) => { event.preventDefault(); void store() }}>
        <Questions items={all} all={all} answers={answers} tried={tried} onAnswer={(linkId, given) => setAnswers({ ...answers, [linkId]: given })} />
        <Where chart={chart} name="form-part" value={part} onInput={setPart} />
        {tried && (left.length > 0 || empty) && <Notice kind="warn"><p>{c.formMissing(Math.max(1, left.length))}</p></Notice>}
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button type="submit" busy={busy}>{c.formStore}</Button><Button kind="plain" onClick={onDone}>{c.formBack}</Button></div>
      </form>
    </Card></div>
  )
}

interface Asking { readonly all: readonly Question[]; readonly answers: Answers; readonly tried: boolean; onAnswer(linkId: string, given: readonly string[]): void }

function Questions({ items, ...asking }: Asking & { items: readonly Question[] }): JSX.Element {
  return <>{items.filter((q) => asked(q, asking.answers, asking.all)).map((q) => <One key={q.linkId} q={q} {...asking} />)}</>
}

function One({ q, ...asking }: Asking & { q: Question }): JSX.Element {
  const { w } = useWords()
  const inner = q.items.length > 0 && <Questions items={q.items} {...asking} />
  if (q.ask === 'group') return <fieldset class="chart-set chart-group"><legend><h3 dir="auto">{q.text}</h3></legend>{inner}</fieldset>
  const wrong = asking.tried && q.required && !isAnswered(q, asking.answers)
  return (
    <div class="chart-stack" {...(q.required && !isAnswered(q, asking.answers) && { 'data-required': true })}>
      {q.ask === 'display' ? <p dir="auto">{q.text}</p> : q.ask === 'unknown' ? <p dir="auto"><strong>{q.text}</strong> <span class="chart-small">{w.chart.unknownQuestion}</span></p> : <Ask q={q} wrong={wrong} {...asking} />}
      {inner}
    </div>
  )
}

function Ask({ q, wrong, answers, onAnswer }: Asking & { q: Question; wrong: boolean }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const given = answers[q.linkId] ?? []
  if (q.ask === 'boolean') return <Options q={q} wrong={wrong} given={given} onAnswer={onAnswer} options={[['true', w.yes], ['false', w.no]]} />
  if (q.ask === 'choice') return <Options q={q} wrong={wrong} given={given} onAnswer={onAnswer} options={q.options.map((o, i) => [chosen(i), o.label] as const)} />
  const type = q.ask === 'date' ? 'date' : q.ask === 'time' ? 'time' : 'text'
  return (
    <Field label={q.text} type={type} multiline={q.ask === 'text'} rows={3} required={q.required} {...((q.ask === 'number' || q.ask === 'whole') && { inputMode: 'numeric' as const })}
      value={given[0] ?? ''} onInput={(value) => onAnswer(q.linkId, [value])} {...(wrong && { error: c.answerThis })} />
  )
}

function Options({ q, wrong, given, onAnswer, options }: {
  q: Question; wrong: boolean; given: readonly string[]; onAnswer: (linkId: string, given: readonly string[]) => void; options: readonly (readonly [value: string, label: string])[]
}): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const name = useId()
  const known = options.map(([value]) => value)
  const own = given.find((g) => !known.includes(g)) ?? ''
  const picked = given.filter((g) => known.includes(g))
  const keep = (next: readonly string[], words: string): void => onAnswer(q.linkId, words === '' ? next : q.many ? [...next, words] : [words])
  return (
    <div class="chart-stack">
      <fieldset class={q.many ? 'chart-set' : 'choices chart-question'}>
        <legend dir="auto">{q.text}</legend>
        {options.map(([value, label]) => (q.many
          ? <Check key={value} checked={picked.includes(value)} onInput={(on) => keep(on ? [...picked, value] : picked.filter((p) => p !== value), own)}>{label}</Check>
          : <label class="choice" key={value}><input type="radio" name={name} checked={picked.includes(value)} onInput={() => onAnswer(q.linkId, [value])} />{label}</label>))}
        {wrong && <p class="chart-error">{c.required}</p>}
      </fieldset>
      {q.open && <Field label={c.otherAnswer} value={own} onInput={(words) => keep(q.many || words === '' ? picked : [], words)} />}
    </div>
  )
}
