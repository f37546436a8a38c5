// Files: adding them with their progress, looking at those that a browser can show, and taking them out.

import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Dialog, Empty, ErrorPanel, Progress, announce } from '../../parts/index.tsx'
import type { Item, OpenChart, Problem } from '../../engine/types.ts'
import { Change, Marks, Origin, Unsent, Withdrawn } from './entry.tsx'
import type { PageProps } from './index.tsx'
import type { Thread } from './rows.ts'
import { ReadOnly, Where, usual } from './where.tsx'

const firstFiles = 30
const moreFiles = 100

export function Files({ chart, contents }: PageProps): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const [most, setMost] = useState(firstFiles)
  const files = contents.threads.filter((t) => t.now.kind === 'file').sort((a, b) => b.now.time.localeCompare(a.now.time))
  return (
    <div class="chart-two">
      {chart.writable.length === 0 ? <ReadOnly /> : <Add chart={chart} />}
      <section class="chart-stack">
        <h2>{c.filesTitle}</h2>
        {files.length === 0 && <Card><Empty title={c.noFiles}><p>{c.noFilesHint}</p></Empty></Card>}
        <ul class="chart-stack">{files.slice(0, most).map((thread) => <li key={thread.now.entry}><OneFile chart={chart} thread={thread} /></li>)}</ul>
        {files.length > most && <div><Button kind="plain" onClick={() => setMost(most + moreFiles)}>{c.showMore(Math.min(moreFiles, files.length - most))}</Button></div>}
      </section>
    </div>
  )
}

interface Upload { readonly key: number; readonly file: File; readonly step: string; readonly done: number; readonly total: number; readonly stop: AbortController; readonly error?: Problem }

function Add({ chart }: { chart: OpenChart }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const id = useId()
  const [part, setPart] = useState(usual(chart))
  const [uploads, setUploads] = useState<readonly Upload[]>([])
  const [over, setOver] = useState(false)
  const count = useRef(0)
  const update = (key: number, change: Partial<Upload> | undefined): void =>
    setUploads((all) => all.flatMap((u) => (u.key !== key ? [u] : change ? [{ ...u, ...change }] : [])))
  const start = (file: File): void => {
    const upload: Upload = { key: ++count.current, file, step: 'reading', done: 0, total: file.size, stop: new AbortController() }
    setUploads((all) => [...all, upload])
    engine.addFile(chart.chart, part, file, (step, done, total) => update(upload.key, { step, done, total }), upload.stop.signal).then(
      () => { update(upload.key, undefined); announce(c.fileStored(file.name)) },
      (error: Problem) => update(upload.key, upload.stop.signal.aborted ? undefined : { error }),
    )
  }
  return (
    <Card title={c.addFile}>
      <div class={over ? 'chart-drop chart-over' : 'chart-drop'} onDragOver={(event) => { event.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)}
        onDrop={(event) => { event.preventDefault(); setOver(false); for (const file of event.dataTransfer?.files ?? []) start(file) }}>
        <label class="chart-pick" for={id}>{c.addFile}</label>
        <input id={id} type="file" multiple onChange={(event) => { for (const file of event.currentTarget.files ?? []) start(file); event.currentTarget.value = '' }} />
        <p class="chart-small">{c.dropHere}</p>
      </div>
      <p class="chart-small">{c.addFileHint}</p>
      <Where chart={chart} name="file-part" value={part} onInput={setPart} />
      {uploads.map((u) => (
        <div class="chart-upload" key={u.key}>
          {u.error ? <><p dir="auto">{u.file.name}</p><ErrorPanel error={u.error} onRetry={() => { update(u.key, undefined); start(u.file) }} /></> : <Progress label={`${c.uploading(u.file.name)} · ${c.steps[u.step as keyof typeof c.steps] ?? ''}`} done={u.done} total={u.total} />}
          <div><Button kind="quiet" onClick={() => { u.stop.abort(); if (u.error) update(u.key, undefined) }}>{c.cancel}</Button></div>
        </div>
      ))}
    </Card>
  )
}

type Shown = 'image' | 'audio' | 'video' | 'text' | 'pdf'

/** How a browser can show a file, by its type. SVG and HTML could bring scripts, so they are not. */
function shownAs(type: string): Shown | undefined {
  if (/^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(type)) return 'image'
  if (type.startsWith('audio/')) return 'audio'
  if (type.startsWith('video/')) return 'video'
  if (type === 'application/pdf') return 'pdf'
  return /^(text\/(plain|csv|markdown)|application\/(json|fhir\+json))\b/.test(type) ? 'text' : undefined
}

/** How much of a text is shown. */
const mostText = 200_000

function OneFile({ chart, thread }: { chart: OpenChart; thread: Thread }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const { now, withdrawn } = thread
  const name = now.filename ?? now.title ?? c.fhir.types.Binary
  const [progress, setProgress] = useState<{ step: string; done: number; total: number } | undefined>(undefined)
  const [error, setError] = useState<Problem | undefined>(undefined)
  const [opened, setOpened] = useState<Blob | undefined>(undefined)
  const fetch = async (then: (blob: Blob) => void): Promise<void> => {
    setError(undefined)
    setProgress({ step: 'fetching', done: 0, total: 0 })
    try {
      then(await engine.file(chart.chart, now.entry, (step, done, total) => setProgress({ step, done, total })))
    } catch (problem) {
      setError(problem as Problem)
    } finally {
      setProgress(undefined)
    }
  }
  return (
    <Card title={name} level={3} actions={<Marks row={{ thread, part: now.compartment }} />}>
      <p class="chart-small">{c.size(now.size)}</p>
      <Withdrawn thread={thread} />
      <Origin item={now} />
      <Unsent item={now} />
      {progress && <Progress label={c.steps[progress.step as keyof typeof c.steps] ?? c.steps.fetching} done={progress.done} total={progress.total} />}
      <ErrorPanel error={error} />
      <Change chart={chart} thread={thread}>
        {now.state === 'stored' && !withdrawn && shownAs(now.type) && <Button kind="plain" disabled={progress !== undefined} label={`${c.preview}: ${name}`} onClick={() => { void fetch(setOpened) }}>{c.preview}</Button>}
        {now.state === 'stored' && <Button kind="plain" disabled={progress !== undefined} label={`${c.download}: ${name}`} onClick={() => { void fetch((blob) => save(blob, name)) }}>{c.download}</Button>}
      </Change>
      <Dialog open={opened !== undefined} onClose={() => setOpened(undefined)} title={name}>{opened && <Preview blob={opened} item={now} name={name} />}</Dialog>
    </Card>
  )
}

function Preview({ blob, item, name }: { blob: Blob; item: Item; name: string }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const as = shownAs(item.type)
  const [text, setText] = useState<string | undefined>(undefined)
  const [address, setAddress] = useState('')
  useEffect(() => {
    if (as === 'text') {
      blob.slice(0, mostText).text().then(setText, () => setText(''))
      return
    }
    const made = URL.createObjectURL(new Blob([blob], { type: item.type }))
    setAddress(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])
  if (as === 'text') return <>{text !== undefined && <pre class="chart-pre" dir="auto" tabIndex={0}>{text}</pre>}{blob.size > mostText && <p class="chart-small">{c.cutText}</p>}</>
  if (address === '') return <></>
  // The page's content policy allows no frames, and a browser shows a PDF best in a tab of its own.
  if (as === 'pdf') return <div><a class="button button-primary" href={address} target="_blank" rel="noopener">{c.openTab}</a></div>
  if (as === 'image') return <img class="chart-media" src={address} alt={c.imageOf(name)} />
  if (as === 'audio') return <audio class="chart-media" src={address} controls />
  if (as === 'video') return <video class="chart-media" src={address} controls />
  return <p>{c.cannotPreview}</p>
}

/** How long a browser may take to begin saving. */
const saving = 60_000

function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), saving)
}
