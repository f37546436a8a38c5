// The thread between the patient and the care team.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Empty, ErrorPanel, Face, Field, Tag, announce } from '../../parts/index.tsx'
import type { Item } from '../../engine/types.ts'
import { messageText } from '../../fhir/documents.ts'
import { each, fields, text } from '../../fhir/read.ts'
import { dayOf } from '../../fhir/view.ts'
import { shownText } from '../../seal/names.ts'
import { useDraft } from './drafts.ts'
import { Change, Marks, Unsent, Withdrawn } from './entry.tsx'
import type { PageProps } from './index.tsx'
import type { Thread } from './rows.ts'
import { ReadOnly, Where, usual } from './where.tsx'

const firstMessages = 30
const moreMessages = 100

const said = (item: Item): string => shownText(item.resources.map(messageText).join('\n'))

export function Messages({ chart, contents }: PageProps): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const c = w.chart
  const all = contents.threads.filter((t) => t.now.kind === 'message').sort((a, b) => a.now.time.localeCompare(b.now.time))
  const [most, setMost] = useState(firstMessages)
  const [draft, setDraft, forgetDraft] = useDraft(`${chart.chart}/message`, '')
  const [part, setPart] = useState(usual(chart))
  const [answers, setAnswers, forgetAnswers] = useDraft(`${chart.chart}/message-to`, '')
  const answering = answers === '' ? undefined : all.find((t) => t.now.entry === answers)?.now
  const { act, busy, error } = useAct()
  const end = useRef<HTMLDivElement>(null)
  const shown = all.slice(-most)
  // A thread is read from its end.
  useEffect(() => { if (all.length > 3) end.current?.scrollIntoView({ block: 'nearest' }) }, [all.length])
  const send = async (): Promise<void> => {
    const body = draft.trim()
    if (body === '') return
    if (await act(() => engine.write(chart.chart, answering?.compartment ?? part, { kind: 'message', text: body, ...(answering && { inReplyTo: answering.entry }) }, [`${chart.chart}/message`, `${chart.chart}/message-to`]))) {
      await Promise.all([forgetDraft(), forgetAnswers()])
      announce(engine.online ? c.messageSent : c.messageQueued)
    }
  }
  let day = ''
  return (
    <section class="card msg">
      <header><h2>{c.messagesTitle}</h2></header>
      {all.length === 0 && <Empty title={c.noMessages}><p>{c.noMessagesHint}</p></Empty>}
      {shown.length < all.length && <div><Button kind="plain" onClick={() => setMost(most + moreMessages)}>{c.olderMessages}</Button></div>}
      <ol class="msg-list">
        {shown.map((thread) => {
          const newDay = dayOf(thread.now.time) !== day
          day = dayOf(thread.now.time)
          return [
            newDay && <li key={day} class="msg-day"><h3>{date(thread.now.time, 'date')}</h3></li>,
            <Message key={thread.now.entry} thread={thread} all={all} chart={chart} contents={contents} onReply={chart.writable.includes(thread.now.compartment) ? () => { setAnswers(thread.now.entry); document.querySelector<HTMLTextAreaElement>('.msg-write textarea')?.focus() } : undefined} />,
          ]
        })}
      </ol>
      <div ref={end} />
      {chart.writable.length === 0 ? <ReadOnly /> : (
        <form class="msg-write" onSubmit={(event) => { event.preventDefault(); void send() }}>
          {answering && <p class="msg-quote"><span dir="auto">{c.replyingTo(short(said(answering)))}</span> <Button kind="quiet" onClick={() => { void forgetAnswers() }}>{c.cancel}</Button></p>}
          <Field label={c.write} value={draft} onInput={setDraft} multiline rows={3} hint={c.emergency} />
          {!answering && <Where chart={chart} name="message-part" value={part} onInput={setPart} />}
          <ErrorPanel error={error} />
          <div class="chart-actions"><Button type="submit" busy={busy} disabled={draft.trim() === ''}>{c.send}</Button></div>
        </form>
      )}
    </section>
  )
}

const quoted = 80
const short = (s: string): string => (s.length > quoted ? `${s.slice(0, quoted)}…` : s)

function Message({ thread, all, chart, onReply }: PageProps & { thread: Thread; all: readonly Thread[]; onReply: (() => void) | undefined }): JSX.Element {
  const engine = useEngine()
  const { w, date } = useWords()
  const c = w.chart
  const { now, withdrawn } = thread
  const mine = now.author.person === engine.me?.person
  const about = each(now.resources[0]?.['inResponseTo']).map((r) => text(fields(r['identifier'])['value']))[0]
  const before = about === undefined ? undefined : all.find((t) => t.now.entry === about)?.now
  return (
    <li class={mine ? 'msg-one msg-mine' : 'msg-one'}>
      {!mine && <Face name={now.author.name} />}
      <article class="msg-bubble">
        <header>
          <strong dir="auto">{mine ? c.you : now.author.name || c.someone}</strong>
          {!mine && now.author.roles.includes('clinician') && <Tag kind="plain">{w.roles.clinician}</Tag>}
          <time class="chart-small" dateTime={now.time}>{date(now.time, 'time')}</time>
        </header>
        {before && <blockquote class="msg-quote" dir="auto">{short(said(before))}</blockquote>}
        {withdrawn ? <Withdrawn thread={thread} /> : <p class="chart-text" dir="auto">{said(now)}</p>}
        <Marks row={{ thread, part: now.compartment }} />
        <Unsent item={now} />
        {/* Other people's messages are withdrawn in the timeline, by those who may: here it would be on every one. */}
        {mine && <Change chart={chart} thread={thread} />}
        {!mine && onReply && !withdrawn && now.state === 'stored' && <div class="chart-actions"><Button kind="quiet" onClick={onReply}>{c.replyTo}</Button></div>}
      </article>
    </li>
  )
}
