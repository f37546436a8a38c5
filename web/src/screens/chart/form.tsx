// Answering any FHIR questionnaire: those that Ward brings, and those that came with imported records.

import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Check, ErrorPanel, Field, Notice, Progress, announce } from '../../parts/index.tsx'
import type { OpenChart, Resource } from '../../engine/types.ts'
import { asked, chosen, fileAnswer, isAnswered, missing, questionsOf, responseTo, type Answers, type Question } from '../../fhir/form.ts'
import { asksForHelp, withScore } from '../../fhir/questionnaires.ts'
import { text } from '../../fhir/read.ts'
import { CrisisHelp } from './crisis.tsx'
import { plainPhoto } from './photo.ts'
import { Where, usual } from './where.tsx'

export function Form({ chart, questionnaire, onDone, level = 2 }: { chart: OpenChart; questionnaire: Resource; onDone: (stored: boolean) => void; level?: 2 | 3 }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const all = questionsOf(questionnaire)
  const [answers, setAnswers] = useState<Answers>({})
  const [files, setFiles] = useState<Files>({})
  const [sending, setSending] = useState<{ name: string; step: string; done: number; total: number } | undefined>(undefined)
  const [tried, setTried] = useState(false)
  const [part, setPart] = useState(usual(chart))
  const { act, busy, error } = useAct()
  const form = useRef<HTMLFormElement>(null)
  const left = missing(all, answers)
  const empty = responseTo(questionnaire, answers, { chart: '', person: '', name: '', date: '' })['item'] === undefined
  const help = needsHelp(questionnaire['url'], all, answers)
  /** The photos go into the chart first; what is answered then names them. */
  const sendFiles = async (): Promise<Answers> => {
    const named: Record<string, readonly string[]> = {}
    for (const [linkId, picked] of Object.entries(files)) {
      const entries: string[] = []
      for (const original of picked) {
        const file = await plainPhoto(original)
        const entry = await engine.addFile(chart.chart, part, file, (step, done, total) => setSending({ name: file.name, step, done, total }))
        entries.push(fileAnswer(entry, file.type || 'application/octet-stream', file.name))
      }
      named[linkId] = entries
    }
    setSending(undefined)
    return { ...answers, ...named }
  }
  const store = async (): Promise<void> => {
    setTried(true)
    if (left.length > 0 || empty) {
      const first = form.current?.querySelector<HTMLElement>('[data-required] :is(input, textarea)')
      first?.focus()
      first?.scrollIntoView({ block: 'center' })
      return
    }
    const stored = await act(async () => {
      const whole = await sendFiles()
      const resource = withScore(responseTo(questionnaire, whole, { chart: chart.chart, person: engine.me?.person ?? '', name: engine.me?.name ?? '', date: new Date().toISOString() }))
      await engine.write(chart.chart, part, { kind: 'questionnaire', resource })
    })
    setSending(undefined)
    if (!stored) return
    announce(c.formStored)
    onDone(true)
  }
  const pick = (linkId: string, next: readonly File[]): void => {
    setFiles({ ...files, [linkId]: next })
    setAnswers({ ...answers, [linkId]: next.map((f) => f.name) })
  }
  return (
    <div class="chart-narrow"><Card title={text(questionnaire['title']) || c.fhir.types.Questionnaire} level={level}>
      {text(questionnaire['description']) !== '' && <p dir="auto">{text(questionnaire['description'])}</p>}
      <form ref={form} class="chart-form" noValidate onSubmit={(event) => { event.preventDefault(); void store() }}>
        <Questions items={all} all={all} answers={answers} files={files} help={help} tried={tried} onFiles={pick} onAnswer={(linkId, given) => setAnswers({ ...answers, [linkId]: given })} />
        <Where chart={chart} name="form-part" value={part} onInput={setPart} />
        {tried && (left.length > 0 || empty) && <Notice kind="warn"><p>{c.formMissing(Math.max(1, left.length))}</p></Notice>}
        {sending && <Progress label={`${c.uploading(sending.name)} · ${c.steps[sending.step as keyof typeof c.steps] ?? ''}`} done={sending.done} total={sending.total} />}
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button type="submit" busy={busy}>{c.formStore}</Button><Button kind="plain" onClick={() => onDone(false)}>{c.formBack}</Button></div>
      </form>
    </Card></div>
  )
}

type Files = Readonly<Record<string, readonly File[]>>

/** The question whose answer shows that someone may need help now; '' if none does. */
function needsHelp(url: unknown, all: readonly Question[], answers: Answers): string {
  return all.find((q) => (answers[q.linkId] ?? []).some((given) => asksForHelp(url, q.linkId, q.options[Number(given.slice(1))]?.value)))?.linkId ?? ''
}

interface Asking {
  readonly all: readonly Question[]; readonly answers: Answers; readonly files: Files; readonly help: string; readonly tried: boolean
  onAnswer(linkId: string, given: readonly string[]): void
  onFiles(linkId: string, files: readonly File[]): void
}

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
      {asking.help === q.linkId && <CrisisHelp />}
      {inner}
    </div>
  )
}

function Ask({ q, wrong, answers, files, onAnswer, onFiles }: Asking & { q: Question; wrong: boolean }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const given = answers[q.linkId] ?? []
  if (q.ask === 'boolean') return <Options q={q} wrong={wrong} given={given} onAnswer={onAnswer} options={[['true', w.yes], ['false', w.no]]} />
  if (q.ask === 'choice') return <Options q={q} wrong={wrong} given={given} onAnswer={onAnswer} options={q.options.map((o, i) => [chosen(i), o.label] as const)} />
  if (q.ask === 'file') return <Photos q={q} wrong={wrong} files={files[q.linkId] ?? []} onFiles={(next) => onFiles(q.linkId, next)} />
  const type = q.ask === 'date' ? 'date' : q.ask === 'time' ? 'time' : 'text'
  return (
    <Field label={q.text} type={type} multiline={q.ask === 'text'} rows={3} required={q.required} {...((q.ask === 'number' || q.ask === 'whole') && { inputMode: 'numeric' as const })}
      value={given[0] ?? ''} onInput={(value) => onAnswer(q.linkId, [value])} {...(wrong && { error: c.answerThis })} />
  )
}

/** Photos to take or to choose, each shown before it is sent. */
function Photos({ q, wrong, files, onFiles }: { q: Question; wrong: boolean; files: readonly File[]; onFiles: (files: readonly File[]) => void }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.photos
  const id = useId()
  return (
    <div class="chart-stack">
      <p class="strong" id={`${id}-of`} dir="auto">{q.text}</p>
      {files.length > 0 && <ul class="care-photos">{files.map((file, at) => <li key={`${at} ${file.name}`}><Photo file={file} /><Button kind="quiet" onClick={() => onFiles(files.filter((_, i) => i !== at))} label={`${c.remove}: ${file.name}`}>{c.remove}</Button></li>)}</ul>}
      <div class="chart-drop care-pick">
        <label class="chart-pick" for={id}>{files.length === 0 ? c.add : c.more}</label>
        <input id={id} type="file" accept="image/*" multiple={q.many} aria-describedby={`${id}-of`} aria-invalid={wrong} onChange={(event) => { const picked = [...event.currentTarget.files ?? []]; onFiles(q.many ? [...files, ...picked] : picked.slice(0, 1)); event.currentTarget.value = '' }} />
        <p class="chart-small">{c.hint}</p>
      </div>
      {wrong && <p class="chart-error">{c.needed}</p>}
    </div>
  )
}

function Photo({ file }: { file: File }): JSX.Element {
  const { w } = useWords()
  const picture = useRef<HTMLImageElement>(null)
  useEffect(() => {
    const url = URL.createObjectURL(file)
    if (picture.current) picture.current.src = url
    return () => URL.revokeObjectURL(url)
  }, [file])
  return <img ref={picture} class="care-photo" alt={w.chart.imageOf(file.name)} />
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
