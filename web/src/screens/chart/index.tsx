// A chart: whose it is, its pages, and loudly what did not check.

import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useChange, useEngine, useLoad, useWords } from '../../app/context.tsx'
import { Link } from '../../app/router.tsx'
import { Card, ErrorPanel, Notice, Progress, Tabs, Tag } from '../../parts/index.tsx'
import type { OpenChart, Problem } from '../../engine/types.ts'
import { humanName } from '../../fhir/values.ts'
import { text } from '../../fhir/read.ts'
import { apart } from './bidi.ts'
import { Emergencies, NotShared, Rest } from './emergency.tsx'
import { Files } from './files.tsx'
import { Import } from './import.tsx'
import { Looks } from './looks.tsx'
import { Messages } from './messages.tsx'
import { Notes } from './notes.tsx'
import { Questionnaires } from './questionnaires.tsx'
import { contentsOf, type Contents } from './rows.ts'
import { Share } from './share.tsx'
import { Summary } from './summary.tsx'
import { Timeline } from './timeline.tsx'
import { Visits } from './visits.tsx'

/** What each page of a chart gets. */
export interface PageProps { readonly chart: OpenChart; readonly contents: Contents }

const pages: Readonly<Record<string, (props: PageProps) => JSX.Element>> = {
  messages: Messages, notes: Notes, files: Files, import: Import, questionnaires: Questionnaires, visits: Visits, share: Share, looks: Looks,
}

export default function ChartScreen({ id, page }: { id: string; page: string }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const c = w.chart
  const [chart, setChart] = useState<OpenChart | undefined>(() => engine.opened(id))
  const [progress, setProgress] = useState<{ step: string; done: number; total: number }>({ step: 'opening', done: 0, total: 0 })
  const [error, setError] = useState<Problem | undefined>(undefined)
  const shown = useRef(id)
  shown.current = id
  const open = (): void => {
    setError(undefined)
    engine.open(id, (step, done, total) => { if (shown.current === id) setProgress({ step, done, total }) }).then(
      (opened) => {
        if (shown.current !== id) return
        setChart(opened)
        engine.markSeen(id)
      },
      (problem: Problem) => { if (shown.current === id) setError(problem) },
    )
  }
  useEffect(() => {
    setChart(engine.opened(id))
    open()
  }, [id])
  useChange((change) => {
    if (change.what !== 'chart' || change.chart !== id) return
    setChart(engine.opened(id))
    engine.markSeen(id)
  })
  const contents = useMemo(() => chart && contentsOf(chart, lang, c.fhir), [chart, lang])

  if (!chart || !contents) {
    return (
      <>
        <h1 tabIndex={-1}>{c.titleUnknown}</h1>
        {error ? <ErrorPanel error={error} onRetry={open} /> : <Card><Progress label={c.steps[progress.step as keyof typeof c.steps] ?? c.opening} done={progress.done} total={progress.total} /></Card>}
      </>
    )
  }
  if (chart.compartments.length === 0 && chart.troubles.length === 0) return <><NotShared chart={chart} /><ErrorPanel error={error} onRetry={open} /></>
  const Page = pages[page]
  return (
    <>
      <ChartHead chart={chart} page={page} />
      <ErrorPanel error={error} onRetry={open} />
      <Troubles chart={chart} />
      <Emergencies chart={chart} />
      {chart.due && <Notice kind="warn"><p>{c.due}</p></Notice>}
      {chart.loading && <Progress label={c.stillLoading} done={chart.loading.done} total={chart.loading.total} />}
      {Page ? <Page chart={chart} contents={contents} /> : <><Summary chart={chart} contents={contents} /><Timeline chart={chart} contents={contents} /></>}
      {page === 'share' && <Rest chart={chart} />}
    </>
  )
}

function ChartHead({ chart, page }: { chart: OpenChart; page: string }): JSX.Element {
  const engine = useEngine()
  const { w, lang, date } = useWords()
  const c = w.chart
  const name = apart(humanName(chart.patient?.['name']), lang)
  const born = text(chart.patient?.['birthDate'])
  const roles = engine.me?.roles ?? []
  // Who looked is for the patient, for those who look after them, and for officers, not for the clinic's staff.
  const maySeeLooks = chart.mine || roles.some((r) => r === 'patient' || r === 'proxy' || r === 'security' || r === 'privacy')
  const write = chart.writable.length > 0
  const names = ['', 'messages', 'notes', 'files', 'questionnaires', 'visits', ...(write ? ['import'] : []), 'share', ...(maySeeLooks ? ['looks'] : [])]
  const head = useRef<HTMLDivElement>(null)
  // On a phone the tabs scroll; the one that is shown must be seen.
  useEffect(() => head.current?.querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' }), [page])
  return (
    <div class="chart-head" ref={head}>
      <h1 tabIndex={-1}>{chart.mine ? c.titleMine : name === '' ? c.titleUnknown : c.titleOf(name)}</h1>
      <p class="chart-whose">
        {chart.mine && name !== '' && <span>{name}</span>}
        {born !== '' && <span>{c.born(date(born, 'date'))}</span>}
        <Readers chart={chart} />
        {!chart.mine && chart.compartments.includes('restricted') && <Tag kind="warn">{c.youSeeRestricted}</Tag>}
      </p>
      <Tabs label={c.pages} items={names.map((n) => ({ href: `/chart/${chart.chart}${n === '' ? '' : `/${n}`}`, label: c.page[(n || 'summary') as keyof typeof c.page], current: n === page }))} />
    </div>
  )
}

const firstReaders = 4

/** Who else can read the chart, besides in emergencies, in one line. */
function Readers({ chart }: { chart: OpenChart }): JSX.Element | null {
  const engine = useEngine()
  const { w, list, n, lang } = useWords()
  const c = w.chart
  const { value: members } = useLoad(() => engine.members(chart.chart), [], [chart.chart, chart.due])
  const live = (members ?? []).filter((m) => m.state === 'live' && m.purpose !== 'emergency' && m.person !== engine.me?.person)
  const names = [...new Set(live.map((m) => c.teamNames[m.name as keyof typeof c.teamNames] ?? (m.name === '' ? c.someone : apart(m.name, lang))))]
  if (names.length === 0) return null
  const more = names.length - firstReaders
  return <Link href={`/chart/${chart.chart}/share`}>{c.readersAre(list([...names.slice(0, firstReaders), ...(more > 0 ? [`+${n(more)}`] : [])]))}</Link>
}

/** What did not check: said plainly, with nothing of its contents. */
function Troubles({ chart }: { chart: OpenChart }): JSX.Element | null {
  const { w, lang } = useWords()
  const c = w.chart
  const lines = [...new Set(chart.troubles.map((t) => (t.authorName ? c.snapshotBy(apart(t.authorName, lang)) : c.trouble[t.code])))]
  if (chart.troubles.length === 0) return null
  return (
    <Notice kind="danger" title={c.troubleTitle(chart.troubles.length)}>
      <p>{c.troubleText}</p>
      <ul class="chart-troubles">{lines.map((line) => <li key={line}>{line}</li>)}</ul>
      <details>
        <summary class="chart-target">{c.troubleDetails}</summary>
        <ul class="chart-small" dir="ltr">{chart.troubles.map((t, i) => <li key={i}>{t.code}{t.seq === undefined ? '' : ` #${t.seq}`}: {t.detail} ({t.lock}{t.entry ? ` / ${t.entry}` : ''})</li>)}</ul>
      </details>
    </Notice>
  )
}
