// Notes: writing one, as free text or in the four parts that clinicians use, amending and withdrawing.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { navigate } from '../../app/router.tsx'
import { Button, Card, Choices, Empty, ErrorPanel, Field, announce } from '../../parts/index.tsx'
import type { OpenChart } from '../../engine/types.ts'
import { view } from '../../fhir/view.ts'
import { useDraft } from './drafts.ts'
import { Change, Facts, History, Marks, Origin, Unsent, Withdrawn } from './entry.tsx'
import type { PageProps } from './index.tsx'
import type { Contents, Thread } from './rows.ts'
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

const soap = ['subjective', 'objective', 'assessment', 'plan'] as const
type Soap = Record<(typeof soap)[number], string>
const blank: Soap = { subjective: '', objective: '', assessment: '', plan: '' }

function Write({ chart, contents, amending, onDone }: { chart: OpenChart; contents: Contents; amending: Thread | undefined; onDone: () => void }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const old = amending?.now.resources[0] && view(amending.now.resources[0], contents.reader)
  const clinician = engine.me?.roles.includes('clinician') === true
  const draft = `${chart.chart}/note/${amending?.now.entry ?? ''}`
  const [template, setTemplate] = useDraft<'free' | 'soap'>(`${draft}/template`, clinician && !amending ? 'soap' : 'free')
  const [title, setTitle, forgetTitle] = useDraft(`${draft}/title`, amending ? amending.now.title ?? old?.title ?? '' : '')
  const [free, setFree, forgetFree] = useDraft(`${draft}/free`, old?.text ?? '')
  const [parts, setParts, forgetParts] = useDraft<Soap>(`${draft}/parts`, blank)
  const [part, setPart] = useState(amending?.now.compartment ?? usual(chart))
  const [missing, setMissing] = useState(false)
  const { act, busy, error } = useAct()
  const body = template === 'free' ? free.trim() : soap.filter((s) => parts[s].trim() !== '').map((s) => `${c.soapParts[s]}\n${parts[s].trim()}`).join('\n\n')
  // Other pages of the chart keep what is written here; closing the window with it asks first.
  useEffect(() => {
    if (body === '' || body === old?.text) return
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [body])
  const store = async (): Promise<void> => {
    setMissing(body === '')
    if (body === '') return
    const stored = await act(() => engine.write(chart.chart, part, { kind: 'note', title: title.trim() || c.defaultTitle, text: body, ...(amending && { amends: amending.now.entry }) }))
    if (!stored) return
    forgetTitle()
    forgetFree()
    forgetParts()
    announce(engine.online ? c.noteStored : c.messageQueued)
    onDone()
  }
  return (
    <Card title={amending ? c.amendNote : c.newNote}>
      <form class="chart-form" onSubmit={(event) => { event.preventDefault(); void store() }}>
        {!amending && clinician && <Choices label={c.template} name="template" value={template} onInput={(v) => setTemplate(v === 'soap' ? 'soap' : 'free')} options={[{ value: 'soap', label: c.soap }, { value: 'free', label: c.freeText }]} />}
        <Field label={c.noteTitle} hint={c.noteTitleHint} value={title} onInput={setTitle} autocomplete="off" />
        {template === 'free'
          ? <Field label={c.noteText} value={free} onInput={setFree} multiline rows={10} autofocus={amending !== undefined} {...(missing && { error: c.noteEmpty })} />
          : soap.map((s, i) => <Field key={s} label={c.soapParts[s]} hint={c.soapHints[s]} value={parts[s]} onInput={(v) => setParts({ ...parts, [s]: v })} multiline rows={3} {...(missing && i === 0 && { error: c.noteEmpty })} />)}
        {!amending && <Where chart={chart} name="note-part" value={part} onInput={setPart} />}
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button type="submit" busy={busy}>{c.store}</Button>{amending && <Button kind="plain" onClick={onDone}>{c.cancel}</Button>}</div>
      </form>
    </Card>
  )
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
