// What is written in a visit: to everyone here at once, with the group; and by who may write to the chart, into it.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Empty, ErrorPanel, Field, Icon, Tag } from '../../parts/index.tsx'
import { shownText } from '../../seal/names.ts'
import type { Call, Line, View } from '../../visit/call.ts'
import type { Caller } from '../../visit/door.ts'
import { apart } from '../chart/bidi.ts'
import { Doubtful, useNameOf } from './tile.tsx'

export function Chat({ call, view }: { call: Call; view: View }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.call
  const engine = useEngine()
  const [draft, setDraft] = useState('')
  const { act, busy, error } = useAct()
  const list = useRef<HTMLOListElement>(null)
  const chart = view.visit?.chart ?? ''
  const mayKeep = engine.me !== undefined && engine.opened(chart)?.writable.includes('general') === true
  useEffect(() => { list.current?.lastElementChild?.scrollIntoView({ block: 'nearest' }) }, [view.chat.length])
  const send = (): void => {
    const text = draft.trim()
    if (text === '') return
    setDraft('')
    void act(async () => {
      await call.say({ text }).catch((error: unknown) => {
        setDraft((written) => written || text) // to send again
        throw error
      })
      if (mayKeep) await engine.write(chart, 'general', { kind: 'message', text })
    })
  }
  const attach = (file: File): void => {
    void act(async () => {
      const entry = await engine.addFile(chart, 'general', file, () => undefined)
      await call.say({ entry, name: file.name })
    })
  }
  return (
    <div class="room-chat">
      {view.chat.length === 0 ? <Empty icon="message" title={c.chatNone}><p>{mayKeep ? c.chatHint : c.chatGuest}</p></Empty> : <ol ref={list} class="room-lines">{view.chat.map((l) => <Said key={l.id} line={l} from={view.visit?.callers.find((p) => p.member === l.from)} chart={mayKeep ? chart : ''} />)}</ol>}
      <form class="room-write" onSubmit={(event) => { event.preventDefault(); send() }}>
        <Field label={c.write} value={draft} onInput={setDraft} autocomplete="off" dir="auto" />
        <div class="row">
          <Button type="submit" busy={busy}>{c.send}</Button>
          {mayKeep && <label class="button button-plain file-button"><Icon name="file" />{c.addFile}<input type="file" class="sr" onInput={(event) => { const file = event.currentTarget.files?.[0]; event.currentTarget.value = ''; if (file) attach(file) }} /></label>}
        </div>
        <ErrorPanel error={error} />
      </form>
    </div>
  )
}

function Said({ line, from, chart }: { line: Line; from: Caller | undefined; chart: string }): JSX.Element {
  const { w, lang, date } = useWords()
  const c = w.visit.call
  const name = useNameOf()({ name: line.name, guest: from?.guest })
  const file = line.file && c.fileAdded(apart(line.file.name, lang))
  return (
    <li class={line.mine ? 'room-line room-line-mine' : 'room-line'}>
      <span class="soft small"><bdi>{line.mine ? c.you : line.name === '' ? c.someone : name}</bdi> · {date(line.time, 'time')}{line.state === 'failed' && <> · <Tag kind="danger">{c.notSent}</Tag></>}{!line.mine && <> <Doubtful of={{ guest: from?.guest }} /></>}</span>
      {file ? <p>{chart ? <a href={`/chart/${chart}/files`} target="_blank" rel="noreferrer">{file}</a> : file}</p> : <p dir="auto">{shownText(line.text)}</p>}
    </li>
  )
}
