// Questionnaires: choosing one, or asking the patient to answer it, and what was answered.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { navigate } from '../../app/router.tsx'
import { Button, Card, Empty, ErrorPanel, Notice, Tag, announce } from '../../parts/index.tsx'
import type { Item, OpenChart, Resource } from '../../engine/types.ts'
import { count, entryOf, isForm, questionsOf } from '../../fhir/form.ts'
import { concerns, isUnchecked, questionnaire, scoreOf, shipped, titleOf, type ShippedID } from '../../fhir/questionnaires.ts'
import { each, fields, text } from '../../fhir/read.ts'
import { view } from '../../fhir/view.ts'
import { questionnaireTask, todosOf } from '../../fhir/visit.ts'
import { HelpNow, SafetyFlag } from './crisis.tsx'
import { Change, Facts, Marks, Origin, Unsent, Withdrawn } from './entry.tsx'
import { Form } from './form.tsx'
import type { PageProps } from './index.tsx'
import type { Contents, Thread } from './rows.ts'
import { usual } from './where.tsx'

/** The one that the address names, as a link to what one is asked to answer does. */
const namedHere = (): ShippedID | undefined => shipped.find((id) => id === location.hash.slice(1))

export function Questionnaires({ chart, contents }: PageProps): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const c = w.chart
  const [answering, setAnswering] = useState(namedHere)
  const [filling, setFilling] = useState<Resource | undefined>(undefined)
  useEffect(() => {
    const moved = (): void => setAnswering(namedHere())
    window.addEventListener('hashchange', moved)
    return () => window.removeEventListener('hashchange', moved)
  }, [])
  if (answering || filling) {
    return <Form chart={chart} questionnaire={answering ? questionnaire(answering, lang) : filling as Resource} onDone={() => {
      setAnswering(undefined)
      setFilling(undefined)
      if (location.hash !== '') navigate(location.pathname, true)
    }} />
  }
  const imported = contents.current.filter(isForm)
  const given = contents.threads.filter((t) => t.now.kind === 'questionnaire').sort((a, b) => b.now.time.localeCompare(a.now.time))
  const asks = !chart.mine && engine.me?.roles.includes('clinician') === true
  return (
    <div class="chart-stack">
      <SafetyFlag chart={chart} />
      <HelpNow chart={chart} />
      <h2>{c.formsTitle}</h2>
      {chart.writable.length > 0 && <div class="chart-summary">
        {shipped.map((id) => <Offered key={id} chart={chart} id={id} asks={asks} onFill={() => setAnswering(id)} />)}
        {imported.map((q, i) => (
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

/** One to fill in, or, for a clinician, to ask the patient for. */
function Offered({ chart, id, asks, onFill }: { chart: OpenChart; id: ShippedID; asks: boolean; onFill: () => void }): JSX.Element {
  const engine = useEngine()
  const { w, lang, date } = useWords()
  const c = w.visit.care.ask
  const { act, busy, error } = useAct()
  const q = questionnaire(id, lang)
  const title = titleOf(id, lang)
  const asked = todosOf(chart.items).find((t) => t.questionnaire === id && !t.done)
  const ask = async (): Promise<void> => {
    const by = { chart: chart.chart, person: engine.me?.person ?? '', name: engine.me?.name ?? '', date: new Date().toISOString() }
    if (await act(() => engine.write(chart.chart, usual(chart), { kind: 'record', resource: questionnaireTask(by, id) }))) announce(c.isAsked(title))
  }
  return (
    <Card title={title} level={3}>
      <p>{text(q['description'])}</p>
      <p class="chart-small">{w.chart.fhir.questions(count(questionsOf(q)))}</p>
      {asks && isUnchecked(id, 'ar') && <p class="chart-small">{c.uncheckedAsk}</p>}
      {asked && <div><Tag kind="warn">{asks ? c.waiting(date(asked.asked, 'date')) : c.wanted}</Tag></div>}
      <div class="chart-actions">
        {asks && !asked && <Button busy={busy} onClick={() => { void ask() }} label={`${c.patient}: ${title}`}>{c.patient}</Button>}
        <Button kind={asks ? 'plain' : 'primary'} onClick={onFill} label={`${w.chart.formFill}: ${title}`}>{w.chart.formFill}</Button>
      </div>
      <ErrorPanel error={error} />
    </Card>
  )
}

function Answered({ chart, contents, thread }: { chart: OpenChart; contents: Contents; thread: Thread }): JSX.Element {
  const { w, n } = useWords()
  const c = w.chart
  const r = thread.now.resources[0]
  const v = r && view(r, contents.reader)
  const known = r && !thread.withdrawn ? scoreOf(r) : undefined
  const photos = r && !thread.withdrawn ? photosIn(r, chart) : []
  return (
    <Card title={v?.title ?? c.fhir.types.QuestionnaireResponse} level={3} actions={<Marks row={{ thread, part: thread.now.compartment }} />}>
      <Withdrawn thread={thread} />
      {known && <p><strong>{c.scoreOf(known.score, known.most)}</strong> <Tag kind={concerns(known.severity) ? 'warn' : 'plain'}>{c.fhir.bands[known.severity]}</Tag></p>}
      {known && <meter class="care-score" min={0} max={known.most} value={known.score} aria-label={`${v?.title ?? ''}: ${n(known.score)}`} />}
      {known?.unchecked && !chart.mine && <Notice kind="warn"><p>{w.visit.care.ask.unchecked}</p></Notice>}
      {known && <p class="chart-small">{c.formMeaning}</p>}
      {photos.length > 0 && <ul class="care-photos">{photos.map((item) => <li key={item.entry}><Stored chart={chart} item={item} /></li>)}</ul>}
      <Origin item={thread.now} />
      {v && <details class="chart-fold"><summary class="chart-target">{thread.withdrawn ? c.showWithdrawn : c.details}</summary><Facts view={v} /></details>}
      <Unsent item={thread.now} />
      <Change chart={chart} thread={thread} />
    </Card>
  )
}

/** The pictures of the chart that answers name. */
function photosIn(r: Resource, chart: OpenChart): readonly Item[] {
  const named = each(r['item']).flatMap((i) => each(i['answer']).map((a) => entryOf(fields(a['valueAttachment'])))).filter((entry) => entry !== '')
  return named.flatMap((entry) => chart.items.find((i) => i.entry === entry && i.kind === 'file' && i.retractedBy === undefined && i.type.startsWith('image/')) ?? [])
}

/** A picture of the chart, opened when it is wanted. */
function Stored({ chart, item }: { chart: OpenChart; item: Item }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { act, busy, error } = useAct()
  const [shown, setShown] = useState<Blob | undefined>(undefined)
  const picture = useRef<HTMLImageElement>(null)
  useEffect(() => {
    if (!shown) return
    const url = URL.createObjectURL(shown)
    if (picture.current) picture.current.src = url
    return () => URL.revokeObjectURL(url)
  }, [shown])
  const name = item.filename ?? w.chart.fhir.file
  if (shown) return <img ref={picture} class="care-photo care-photo-large" alt={w.chart.imageOf(name)} />
  return <><Button kind="plain" icon="look" busy={busy} onClick={() => { void act(async () => setShown(await engine.file(chart.chart, item.entry, () => undefined))) }} label={`${w.chart.preview}: ${name}`}>{w.chart.preview}</Button><ErrorPanel error={error} /></>
}
