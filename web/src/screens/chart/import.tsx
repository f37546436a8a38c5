// Bringing in records from elsewhere: one FHIR file, any kind of bundle.

import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, ErrorPanel, Notice, Progress, announce } from '../../parts/index.tsx'
import type { PageProps } from './index.tsx'
import { ReadOnly, Where, usual } from './where.tsx'

export function Import({ chart }: PageProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const id = useId()
  const [file, setFile] = useState<File | undefined>(undefined)
  const [part, setPart] = useState(usual(chart))
  const [missing, setMissing] = useState(false)
  const [progress, setProgress] = useState<{ step: string; done: number; total: number }>({ step: 'reading', done: 0, total: 0 })
  const [result, setResult] = useState<number | undefined>(undefined)
  const { act, busy, error, clear } = useAct()
  if (chart.writable.length === 0) return <ReadOnly />
  const start = async (): Promise<void> => {
    setMissing(!file)
    if (!file) return
    setProgress({ step: 'reading', done: 0, total: 0 })
    await act(async () => {
      const { resources } = await engine.importFHIR(chart.chart, part, file, (step, done, total) => setProgress({ step, done, total }))
      setResult(resources)
      announce(c.imported(resources))
    })
  }
  if (result !== undefined) {
    return (
      <Card>
        <Notice kind="good" title={c.imported(result)}><p>{c.importedHint}</p></Notice>
        <div class="chart-actions"><Button href={`/chart/${chart.chart}`}>{c.toSummary}</Button><Button kind="plain" onClick={() => { setResult(undefined); setFile(undefined) }}>{c.importAnother}</Button></div>
      </Card>
    )
  }
  return (
    <Card title={c.importTitle}>
      <p>{c.importText}</p>
      <form class="chart-form" onSubmit={(event) => { event.preventDefault(); void start() }}>
        <div class="field">
          <label for={id}>{c.chooseFile}</label>
          <input id={id} type="file" accept=".json,.ndjson,application/json,application/fhir+json,application/x-ndjson" aria-invalid={missing} {...(missing && { 'aria-describedby': `${id}-error` })} disabled={busy}
            onChange={(event) => { clear(); setMissing(false); setFile(event.currentTarget.files?.[0]) }} />
          {missing && <span class="error" id={`${id}-error`}>{c.importEmpty}</span>}
        </div>
        <Where chart={chart} name="import-part" value={part} onInput={setPart} />
        {busy && <Progress label={c.steps[progress.step as keyof typeof c.steps] ?? c.steps.reading} done={progress.done} total={progress.total} />}
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button type="submit" busy={busy}>{c.importStart}</Button></div>
      </form>
    </Card>
  )
}
