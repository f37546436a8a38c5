// What is to be done: questionnaires to answer, tasks, and being seen again; for the patient and for the clinic.

import type { JSX } from 'preact'
import { useAct, useEngine, useWords, type WordsInUse } from '../../app/context.tsx'
import { Button, ErrorPanel, Tag, announce } from '../../parts/index.tsx'
import type { ID, OpenChart } from '../../engine/types.ts'
import { titleOf } from '../../fhir/questionnaires.ts'
import { standingOf, todosOf, type Todo, type Whose } from '../../fhir/visit.ts'
import { apart } from './bidi.ts'

/** What it is, in the language of whoever reads it. */
export const saying = (t: Todo, { w, lang }: WordsInUse): string =>
  t.questionnaire ? titleOf(t.questionnaire, lang) : t.kind === 'follow-up' ? (t.what === '' ? w.visit.care.todos.followUp : `${w.visit.care.todos.followUp}: ${t.what}`) : t.what

const doneShown = 5

/** What is to be done, by whom it is wanted of; what was done folds away. */
export function Todos({ chart, whose, visit }: { chart: OpenChart; whose: Whose; visit?: ID }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.todos
  const all = todosOf(chart.items).filter((t) => t.whose === whose && (visit === undefined || t.visit === visit))
  const open = all.filter((t) => !t.done)
  const done = all.filter((t) => t.done).reverse().slice(0, doneShown)
  return (
    <div class="chart-stack">
      {open.length === 0 && <p class="soft">{c.none}</p>}
      {open.length > 0 && <ul class="list">{open.map((t) => <li key={t.entry}><One chart={chart} todo={t} /></li>)}</ul>}
      {done.length > 0 && <details class="chart-fold"><summary class="chart-target">{c.done(done.length)}</summary><ul class="list">{done.map((t) => <li key={t.entry}><One chart={chart} todo={t} /></li>)}</ul></details>}
    </div>
  )
}

function One({ chart, todo }: { chart: OpenChart; todo: Todo }): JSX.Element {
  const engine = useEngine()
  const words = useWords()
  const { w, lang, date } = words
  const c = w.visit.care.todos
  const { act, busy, error } = useAct()
  const what = saying(todo, words)
  const me = engine.me
  const late = todo.due !== '' && !todo.done && todo.due < new Date().toISOString().slice(0, 10)
  const set = async (status: 'completed' | 'requested' | 'cancelled'): Promise<void> => {
    const by = { chart: chart.chart, person: me?.person ?? '', name: me?.name ?? '', date: new Date().toISOString(), ...(todo.visit !== '' && { visit: todo.visit }) }
    if (await act(() => engine.write(chart.chart, todo.compartment, { kind: 'record', resource: standingOf(by, todo.entry, what, status) }))) announce(status === 'completed' ? c.isDone : status === 'cancelled' ? c.isGone : c.isOpen)
  }
  const clinician = me?.roles.includes('clinician') === true
  const writable = chart.writable.includes(todo.compartment)
  return (
    <div class="item">
      <span class="main">
        <span class={todo.done ? 'title tl-void' : 'title'} dir="auto">{what}</span>
        <span class="soft small">{todo.done ? c.doneBy(apart(todo.done.by || w.chart.someone, lang), date(todo.done.time, 'date')) : [c.askedBy(apart(todo.by || w.chart.someone, lang)), todo.due === '' ? '' : todo.kind === 'follow-up' ? c.about(date(todo.due, 'date')) : c.due(date(todo.due, 'date'))].filter((t) => t !== '').join(' · ')}</span>
      </span>
      {late && <Tag kind="warn">{c.late}</Tag>}
      {writable && (todo.kind === 'questionnaire'
        ? !todo.done && !clinician && <Button kind="plain" icon="go" href={`/chart/${chart.chart}/questionnaires#${todo.questionnaire ?? ''}`} label={`${w.chart.formFill}: ${what}`}>{w.chart.formFill}</Button>
        : !todo.done ? <Button kind="plain" icon="tick" busy={busy} onClick={() => { void set('completed') }} label={`${c.markDone}: ${what}`}>{c.markDone}</Button> : <Button kind="quiet" busy={busy} onClick={() => { void set('requested') }} label={`${c.reopen}: ${what}`}>{c.reopen}</Button>)}
      {writable && clinician && !todo.done && <Button kind="quiet" busy={busy} onClick={() => { void set('cancelled') }} label={`${c.takeBack}: ${what}`}>{c.takeBack}</Button>}
      <ErrorPanel error={error} />
    </div>
  )
}
