// After a visit. For the clinician: the note, the summary for the patient, what is to be done. For the patient: the
// summary on a calm page that prints, their to-dos, and what comes next. Both say how the connection was.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ScreenProps } from '../../app/app.tsx'
import { languages, useAct, useEngine, useLoad, useWords } from '../../app/context.tsx'
import { Button, Card, Choices, ErrorPanel, Field, Icon, Notice, Select, announce } from '../../parts/index.tsx'
import type { ID, OpenChart } from '../../engine/types.ts'
import { partTitles, readySentences, summaryTitle } from '../../fhir/aftervisit.ts'
import { codes, each, fields, text } from '../../fhir/read.ts'
import { spoken, type Lang } from '../../fhir/said.ts'
import { followUpOf, summaryOf, summaryParts, taskOf, type AfterVisitSummary, type By, type SummaryPart, type SummaryTexts, type Whose } from '../../fhir/visit.ts'
import { apart } from '../chart/bidi.ts'
import { useDraft } from '../chart/drafts.ts'
import { NoteEditor } from '../chart/notes.tsx'
import { useOpenChart } from '../chart/opened.ts'
import { summariesOf } from '../chart/summaries.ts'
import { Todos } from '../chart/todos.tsx'
import { usual } from '../chart/where.tsx'
import { useDay } from '../home.tsx'
import { RateConnection } from './rate.tsx'

/** Which visit, as its door and its appointment know it. */
export interface EndedVisit { readonly visit: ID; readonly chart: ID; readonly host: ID; readonly hostName: string; readonly patientName: string; readonly starts: string }

/** A visit's afterwards on a page of its own, to come back to: /visit/ID/after. */
export default function AfterScreen({ id }: Pick<ScreenProps, 'id'>): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const found = useLoad(() => engine.visitDoor(id).then((door) => door.look()), [], [id])
  const v = found.value
  return (
    <>
      <div class="page-head no-print"><h1 tabIndex={-1}>{w.visit.care.after.title}</h1>{v && <p class="soft">{date(v.starts, 'datetime')}{engine.me?.person !== v.patient && <> · <bdi>{v.patientName || w.unnamed}</bdi></>}</p>}</div>
      <ErrorPanel error={found.error} onRetry={found.again} />
      {v ? <AfterVisit key={id} visit={v} /> : found.loading && <p class="soft" role="status">{w.loading}</p>}
    </>
  )
}

/** What is left to do once a visit has ended, for whoever of its people looks. */
export function AfterVisit({ visit }: { visit: EndedVisit }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { chart, error, again } = useOpenChart(visit.chart)
  if (!chart) return error ? <ErrorPanel error={error} onRetry={again} /> : <p class="soft" role="status">{w.loading}</p>
  const clinician = !chart.mine && engine.me?.roles.includes('clinician') === true
  return clinician ? <ForClinician chart={chart} visit={visit} /> : <ForPatient chart={chart} visit={visit} />
}

function ForPatient({ chart, visit }: { chart: OpenChart; visit: EndedVisit }): JSX.Element {
  const { w, lang } = useWords()
  const c = w.visit.care.after
  const summary = summariesOf(chart).find((s) => s.visit === visit.visit)
  return (
    <div class="stack-wide care-after">
      {summary ? <PaperSummary summary={summary} /> : <Card title={c.pending}><p>{c.pendingText(apart(visit.hostName || w.chart.someone, lang))}</p></Card>}
      <div class="no-print stack-wide">
        <RateConnection chart={chart.chart} visit={visit.visit} />
        <Card title={w.visit.care.todos.title}><Todos chart={chart} whose="patient" /></Card>
        <NextVisit chart={chart.chart} but={visit.visit} />
      </div>
    </div>
  )
}

/** How far ahead the next appointment is looked for, in ms: as far as the server looks. */
const yearAhead = 366 * 86_400_000

/** The next appointment of a chart, if there is another. */
export function NextVisit({ chart, but }: { chart: ID; but: ID }): JSX.Element | null {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const coming = useLoad(() => engine.appointments(new Date().toISOString(), new Date(Date.now() + yearAhead).toISOString()), ['appointments'], [chart])
  const next = coming.value?.find((a) => a.chart === chart && a.id !== but && (a.state === 'booked' || a.state === 'open'))
  const day = useDay(next?.start ?? new Date().toISOString())
  if (!next) return null
  return <Card title={w.visit.care.after.next}><p><span class="when">{w.date.at(day, date(next.start, 'time'))}</span> · {w.calendar.withName(apart(next.withName || w.unnamed, lang))}</p></Card>
}

/** A summary on a page of its own look: large, calm, in the language it was written in, and made to be printed. */
export function PaperSummary({ summary }: { summary: AfterVisitSummary }): JSX.Element {
  const { w, date, lang } = useWords()
  const c = w.visit.care.after
  const print = (): void => window.print()
  return (
    <article class="card care-paper">
      <header>
        <h2 lang={summary.lang} dir="auto">{summary.title}</h2>
        <p class="soft">{c.from(apart(summary.by, lang), date(summary.date, 'datetime'))}</p>
      </header>
      {summary.sections.map((s) => (
        <section key={s.part} class={s.part === 'help' ? 'care-paper-help' : undefined} lang={summary.lang}>
          <h3 dir="auto">{s.title}</h3>
          {s.lines.map((line, i) => <p key={i} dir="auto">{line}</p>)}
        </section>
      ))}
      <p class="small soft no-print">{c.question}</p>
      <div class="row no-print"><Button kind="plain" icon="print" onClick={print}>{w.print}</Button></div>
    </article>
  )
}

function ForClinician({ chart, visit }: { chart: OpenChart; visit: EndedVisit }): JSX.Element {
  const { w, date } = useWords()
  const c = w.visit.care.after
  const took = chart.items.flatMap((i) => i.resources).find((r) => r.resourceType === 'Encounter' && each(r['identifier']).some((x) => x['value'] === visit.visit))
  const { start, end } = fields(took?.['period'])
  return (
    <div class="stack-wide">
      {took && <p class="care-state soft"><Icon name="good" /><span>{c.recorded(date(text(start), 'time'), date(text(end), 'time'))}</span></p>}
      <div class="chart-two">
        <div class="chart-stack">
          <Card title={c.note}><NoteEditor chart={chart.chart} visit={visit.visit} compact /></Card>
          <RateConnection chart={chart.chart} visit={visit.visit} />
        </div>
        <div class="chart-stack">
          <WriteSummary key={visit.visit} chart={chart} visit={visit} />
          <Card title={w.visit.care.todos.ofPatient}><Todos chart={chart} whose="patient" visit={visit.visit} /></Card>
          <Card title={w.visit.care.todos.ofClinic}><Todos chart={chart} whose="clinic" visit={visit.visit} /></Card>
          {chart.writable.length > 0 && <AddTodo chart={chart} visit={visit.visit} />}
        </div>
      </div>
    </div>
  )
}

/** The language that the patient prefers, as their chart says; undefined if Ward has no words in it. */
export function patientLanguage(chart: OpenChart): Lang | undefined {
  const said = each(chart.patient?.['communication']).flatMap((l) => codes(l['language']))[0]?.slice(0, 2)
  return languages.find((l) => l.code === said)?.code
}

const blank: SummaryTexts = { talked: '', todo: '', medicines: '', help: '', next: '' }

/** A short form for the summary. Its titles and ready sentences come in the patient's language, not in the clinician's. */
export function WriteSummary({ chart, visit }: { chart: OpenChart; visit: EndedVisit }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const c = w.visit.care.after
  const before = summariesOf(chart).find((s) => s.visit === visit.visit)
  const name = `${chart.chart}/summary/${visit.visit}`
  const [texts, setTexts, forget] = useDraft<SummaryTexts>(`${name}/texts`, blank)
  const [writing, setWriting] = useDraft<Lang>(`${name}/lang`, patientLanguage(chart) ?? spoken(lang))
  const [again, setAgain] = useState(false)
  const [missing, setMissing] = useState(false)
  const { act, busy, error } = useAct()
  if (before && !again) {
    return (
      <div class="chart-stack">
        <Notice kind="good"><p>{c.sent}</p></Notice>
        <PaperSummary summary={before} />
        {chart.writable.length > 0 && <div><Button kind="plain" onClick={() => { setTexts({ ...blank, ...Object.fromEntries(before.sections.map((s) => [s.part, s.lines.join('\n')])) }); setWriting(spoken(before.lang)); setAgain(true) }}>{c.change}</Button></div>}
      </div>
    )
  }
  const empty = summaryParts.every((p) => texts[p].trim() === '')
  const store = async (): Promise<void> => {
    setMissing(empty)
    if (empty) return
    const by = { chart: chart.chart, visit: visit.visit, person: engine.me?.person ?? '', name: engine.me?.name ?? '', date: new Date().toISOString(), lang: writing }
    const resource = summaryOf(by, summaryTitle(writing), partTitles(writing), texts)
    if (!(await act(() => engine.write(chart.chart, usual(chart), { kind: 'record', resource, ...(before && { amends: before.entry }) }, [`${name}/texts`])))) return
    await forget()
    setAgain(false)
    announce(c.sent)
  }
  const put = (part: SummaryPart, sentence: string): void => setTexts({ ...texts, [part]: [texts[part].trim(), sentence].filter((t) => t !== '').join('\n') })
  const labels = partTitles(lang)
  const own = languages.find((l) => l.code === writing)
  return (
    <Card title={c.write}>
      <p class="soft">{c.writeLead}</p>
      <form class="chart-form" onSubmit={(event) => { event.preventDefault(); void store() }}>
        <Select label={c.language} {...(patientLanguage(chart) === writing && { hint: c.languageTheirs })} value={writing} onInput={(v) => setWriting(spoken(v))} options={languages.map((l) => ({ value: l.code, label: l.name }))} />
        {writing !== spoken(lang) && <Notice><p>{c.languageOther(own?.name ?? '')}</p></Notice>}
        {summaryParts.map((p, i) => {
          const ready = readySentences(p, lang, writing).filter((s) => !texts[p].includes(s.put))
          return (
            <div key={p} class="stack-tight">
              <Field label={labels[p]} hint={c.hints[p]} value={texts[p]} onInput={(v) => setTexts({ ...texts, [p]: v })} multiline rows={2} {...(missing && i === 0 && { error: w.chart.noteEmpty })} />
              {ready.length > 0 && <details class="chart-fold"><summary class="chart-target">{c.ready}</summary><ul class="care-ready">{ready.map((s) => <li key={s.put}><button type="button" class="care-sentence" onClick={() => put(p, s.put)}><Icon name="tick" /><span>{s.shown}</span></button></li>)}</ul></details>}
            </div>
          )
        })}
        <p class="chart-small">{w.visit.care.note.kept}</p>
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button type="submit" busy={busy}>{c.send}</Button>{again && <Button kind="plain" onClick={() => { void forget(); setAgain(false) }}>{w.cancel}</Button>}</div>
      </form>
    </Card>
  )
}

/** Something to do, for the patient or for the clinic, or being seen again. */
export function AddTodo({ chart, visit }: { chart: OpenChart; visit?: ID }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.visit.care.todos
  const [kind, setKind] = useState<Whose | 'follow-up'>('patient')
  const [what, setWhat] = useState('')
  const [due, setDue] = useState('')
  const [missing, setMissing] = useState(false)
  const { act, busy, error } = useAct()
  const add = async (): Promise<void> => {
    const needs = kind === 'follow-up' ? due === '' : what.trim() === ''
    setMissing(needs)
    if (needs) return
    const by: By = { chart: chart.chart, person: engine.me?.person ?? '', name: engine.me?.name ?? '', date: new Date().toISOString(), ...(visit !== undefined && { visit }) }
    const resource = kind === 'follow-up' ? followUpOf(by, what.trim(), due) : taskOf(by, what.trim(), kind, due)
    if (!(await act(() => engine.write(chart.chart, usual(chart), { kind: 'record', resource })))) return
    setWhat('')
    setDue('')
    announce(c.added)
  }
  return (
    <Card title={c.add}>
      <form class="chart-form" onSubmit={(event) => { event.preventDefault(); void add() }}>
        <Choices compact label={c.whose} name={`todo-${visit ?? ''}`} value={kind} onInput={(v) => { setKind(v as typeof kind); setMissing(false) }} options={(['patient', 'clinic', 'follow-up'] as const).map((k) => ({ value: k, label: c.kinds[k] }))} />
        <Field label={kind === 'follow-up' ? c.reason : c.what} value={what} onInput={setWhat} autocomplete="off" dir="auto" {...(missing && kind !== 'follow-up' && { error: c.needed })} />
        <Field label={kind === 'follow-up' ? c.when : c.until} type="date" value={due} onInput={setDue} {...(missing && kind === 'follow-up' && { error: c.neededDay })} />
        <ErrorPanel error={error} />
        <div><Button type="submit" kind="plain" busy={busy}>{c.add}</Button></div>
      </form>
    </Card>
  )
}
