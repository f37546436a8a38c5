// Notes: writing one, as free text or from a template, also beside a visit; amending and withdrawing.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Link, navigate } from '../../app/router.tsx'
import { Button, Card, Empty, ErrorPanel, Field, Select, announce } from '../../parts/index.tsx'
import type { ID, OpenChart } from '../../engine/types.ts'
import { view } from '../../fhir/view.ts'
import { visitOf } from '../../fhir/visit.ts'
import { SafetyFlag } from './crisis.tsx'
import { useDraft } from './drafts.ts'
import { Change, Facts, History, Marks, Origin, Unsent, Withdrawn } from './entry.tsx'
import type { PageProps } from './index.tsx'
import { useOpenChart } from './opened.ts'
import { threads, type Contents, type Thread } from './rows.ts'
import { ReadOnly, Where, usual } from './where.tsx'

const firstNotes = 20
const moreNotes = 50

export function Notes({ chart, contents }: PageProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const notes = contents.threads.filter((t) => t.now.kind === 'note').sort((a, b) => b.now.time.localeCompare(a.now.time))
  const [most, setMost] = useState(firstNotes)
  const [about, setAbout] = useState(location.hash.slice(1))
  const amending = notes.find((t) => t.now.entry === about)
  const done = (): void => {
    setAbout('')
    if (location.hash !== '') navigate(location.pathname, true)
  }
  const write = chart.writable.length === 0 ? <ReadOnly key="write" /> : <Write key={amending?.now.entry ?? 'write'} chart={chart} contents={contents} amending={amending} onDone={done} />
  const list = (
    <section class="chart-stack" key="list">
      <h2>{c.notesTitle}</h2>
      {notes.length === 0 && <Card><Empty title={c.noNotes}><p>{c.noNotesHint}</p></Empty></Card>}
      <ul class="chart-stack">
        {notes.slice(0, most).map((thread) => <li key={thread.now.entry}><Note chart={chart} contents={contents} thread={thread} onAmend={() => { setAbout(thread.now.entry); window.scrollTo(0, 0) }} /></li>)}
      </ul>
      {notes.length > most && <div><Button kind="plain" onClick={() => setMost(most + moreNotes)}>{c.showMore(Math.min(moreNotes, notes.length - most))}</Button></div>}
    </section>
  )
  // Clinicians come to write, patients to read.
  const writing = amending !== undefined || engine.me?.roles.includes('clinician') === true
  return <div class="chart-two">{writing ? [write, list] : [list, write]}</div>
}

/** What a note may be written from: parts under headings, or one text. */
export const templates = {
  soap: ['subjective', 'objective', 'assessment', 'plan'],
  followUp: ['since', 'now', 'plan'],
  phone: ['called', 'said', 'agreed'],
  free: ['text'],
} as const
type Template = keyof typeof templates
type Part = (typeof templates)[Template][number]
type Written = Readonly<Partial<Record<Part, string>>>

/** The note beside a visit: it opens the chart itself, keeps what is written, and fits a narrow panel. */
export function NoteEditor({ chart: id, visit, compact = false, onStored }: { chart: ID; visit?: ID; compact?: boolean; onStored?: () => void }): JSX.Element {
  const { w, lang } = useWords()
  const { chart, error, again } = useOpenChart(id)
  if (!chart) return error ? <ErrorPanel error={error} onRetry={again} /> : <p class="soft" role="status">{w.loading}</p>
  if (chart.writable.length === 0) return <ReadOnly />
  const written = visit === undefined ? [] : threads(chart.items).filter((t) => !t.withdrawn && t.now.kind === 'note' && t.now.resources.some((r) => visitOf(r) === visit))
  return (
    <div class={compact ? 'care-note care-note-compact' : 'care-note'}>
      {compact && <SafetyFlag chart={chart} />}
      {written.length > 0 && <p class="good">{w.visit.care.note.stored(written.length)} <Link href={`/chart/${id}/notes`}>{w.chart.page.notes}</Link></p>}
      <Write key={`${id}/${visit ?? ''}/${lang}`} chart={chart} compact={compact} amending={undefined} onDone={() => onStored?.()} {...(visit !== undefined && { visit })} />
    </div>
  )
}

function Write({ chart, contents, amending, visit, compact = false, onDone }: { chart: OpenChart; contents?: Contents; amending: Thread | undefined; visit?: ID; compact?: boolean; onDone: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const words = w.visit.care.note
  const old = contents && amending?.now.resources[0] && view(amending.now.resources[0], contents.reader)
  const clinician = engine.me?.roles.includes('clinician') === true
  const draft = `${chart.chart}/note/${amending?.now.entry ?? visit ?? ''}`
  const [template, setTemplate] = useDraft<Template>(`${draft}/template`, clinician && !amending ? 'soap' : 'free')
  const [title, setTitle, forgetTitle] = useDraft(`${draft}/title`, amending ? amending.now.title ?? old?.title ?? '' : '')
  const [parts, setParts, forgetParts] = useDraft<Written>(`${draft}/parts`, { text: old?.text ?? '' })
  const [part, setPart] = useState(amending?.now.compartment ?? usual(chart))
  const [missing, setMissing] = useState(false)
  const { act, busy, error } = useAct()
  const asked: readonly Part[] = templates[template]
  const filled = asked.filter((p) => (parts[p] ?? '').trim() !== '')
  const body = filled.map((p) => (p === 'text' ? '' : `${words.parts[p]}\n`) + (parts[p] ?? '').trim()).join('\n\n')
  const store = async (): Promise<void> => {
    setMissing(body === '')
    if (body === '') return
    const usualTitle = visit !== undefined && template !== 'phone' ? words.visitTitle : words.titles[template]
    const stored = await act(() => engine.write(chart.chart, part, { kind: 'note', title: title.trim() || usualTitle, text: body, ...(amending && { amends: amending.now.entry }), ...(visit !== undefined && { visit }) }, [`${draft}/title`, `${draft}/parts`]))
    if (!stored) return
    await Promise.all([forgetTitle(), forgetParts()])
    announce(engine.online ? c.noteStored : c.messageQueued)
    onDone()
  }
  const field = (p: Part, i: number): JSX.Element => (
    <Field key={p} label={p === 'text' ? c.noteText : words.parts[p]} {...(p !== 'text' && !compact && { hint: words.hints[p] })} value={parts[p] ?? ''} onInput={(v) => setParts({ ...parts, [p]: v })} multiline
      rows={p === 'text' ? 10 : 3} autofocus={amending !== undefined && i === 0} {...(missing && i === 0 && { error: c.noteEmpty })} />
  )
  const form = (
    <form class="chart-form" onSubmit={(event) => { event.preventDefault(); void store() }}>
      {!amending && clinician && <Select label={c.template} value={template} onInput={(v) => setTemplate(v as Template)} options={(Object.keys(templates) as Template[]).map((t) => ({ value: t, label: words.templates[t] }))} />}
      {!compact && <Field label={c.noteTitle} hint={c.noteTitleHint} value={title} onInput={setTitle} autocomplete="off" />}
      {asked.map(field)}
      {!amending && <Where chart={chart} name={`note-part-${visit ?? ''}`} value={part} onInput={setPart} />}
      <p class="chart-small">{words.kept}</p>
      <ErrorPanel error={error} />
      <div class="chart-actions"><Button type="submit" busy={busy}>{c.store}</Button>{amending && <Button kind="plain" onClick={onDone}>{c.cancel}</Button>}</div>
    </form>
  )
  return compact ? form : <Card title={amending ? c.amendNote : c.newNote}>{form}</Card>
}

function Note({ chart, contents, thread, onAmend }: { chart: OpenChart; contents: Contents; thread: Thread; onAmend: () => void }): JSX.Element {
  const { w } = useWords()
  const { now, withdrawn } = thread
  const views = now.resources.map((r) => view(r, contents.reader))
  return (
    <Card title={views[0]?.title ?? now.title ?? w.chart.defaultTitle} level={3} actions={<Marks row={{ thread, part: now.compartment }} />}>
      {withdrawn && <Withdrawn thread={thread} />}
      {withdrawn
        ? <details class="chart-fold"><summary class="chart-target">{w.chart.showWithdrawn}</summary>{views.map((v, i) => <Facts key={i} view={v} />)}</details>
        : views.map((v, i) => <p key={i} class="chart-text" dir="auto">{v.text}</p>)}
      <Origin item={now} />
      <History thread={thread} contents={contents} />
      <Unsent item={now} />
      <Change chart={chart} thread={thread} onAmend={onAmend} />
    </Card>
  )
}
