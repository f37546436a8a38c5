// A chart that is not shared: who may open it all the same when a life depends on it, and what everyone concerned is
// told. Breaking the glass is meant to be easy to do and hard to do by mistake.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords } from '../../app/context.tsx'
import { Button, Card, Check, Choices, ErrorPanel, Field, Notice, Tag, announce, toFirstError } from '../../parts/index.tsx'
import { emergencyCodes, type Emergency, type EmergencyCode, type OpenChart } from '../../engine/types.ts'
import { apart } from './bidi.ts'

const isOn = (e: Emergency): boolean => Date.parse(e.until) > Date.now()

/** In place of a chart that this person cannot read. */
export function NotShared({ chart }: { chart: OpenChart }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { glass } = w.chart
  const people = useLoad(() => engine.people(), ['people'])
  const whose = people.value?.find((p) => p.person === chart.owner)
  return (
    <>
      <h1 tabIndex={-1}>{whose?.name ? w.chart.titleOf(whose.name) : w.chart.titleUnknown}</h1>
      <div class="chart-narrow chart-stack">
        <Card title={glass.notShared}><p>{glass.notSharedText}</p></Card>
        {engine.me?.roles.includes('clinician') === true && <Fold title={glass.offer}><BreakGlass chart={chart} /></Fold>}
      </div>
    </>
  )
}

/** For a clinician who reads a part of the chart: the rest of it. */
export function Rest({ chart }: { chart: OpenChart }): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  if (chart.mine || chart.compartments.includes('restricted') || engine.me?.roles.includes('clinician') !== true) return null
  return <Fold title={w.chart.glass.offerRest}><BreakGlass chart={chart} /></Fold>
}

function Fold({ title, children }: { title: string; children: JSX.Element }): JSX.Element {
  return <section class="card"><details><summary class="chart-target">{title}</summary>{children}</details></section>
}

function BreakGlass({ chart }: { chart: OpenChart }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { glass } = w.chart
  const [code, setCode] = useState<EmergencyCode>('unconscious')
  const [reason, setReason] = useState('')
  const [sure, setSure] = useState(false)
  const [tried, setTried] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const { act, busy, error } = useAct()
  const open = async (): Promise<void> => {
    setTried(true)
    if (reason.trim() === '' || !sure) {
      if (form.current) toFirstError(form.current)
      return
    }
    const text = `${glass.codes[code]}. ${reason.trim()}`
    if (await act(() => engine.breakGlass(chart.chart, code, glass.noteTitle, text))) announce(glass.opened)
  }
  return (
    <form class="chart-form" ref={form} noValidate onSubmit={(event) => { event.preventDefault(); void open() }}>
      <Notice kind="warn" title={glass.warning}><ul>{glass.whatHappens.map((line) => <li key={line}>{line}</li>)}</ul></Notice>
      <Choices label={glass.why} name="glass-code" value={code} onInput={(v) => setCode(v as EmergencyCode)} options={emergencyCodes.map((value) => ({ value, label: glass.codes[value] }))} />
      <Field label={glass.reason} hint={glass.reasonHint} value={reason} onInput={setReason} multiline rows={3} required {...(tried && reason.trim() === '' && { error: glass.reasonNeeded })} />
      <Check checked={sure} onInput={setSure} {...(tried && !sure && { error: glass.sureNeeded })}>{glass.sure}</Check>
      <ErrorPanel error={error} />
      <div class="chart-actions"><Button kind="danger" type="submit" icon="key" busy={busy}>{glass.open}</Button></div>
    </form>
  )
}

/** On the chart: that it is open in an emergency, to whoever reads it; that it was, to the patient until they have seen it. */
export function Emergencies({ chart }: { chart: OpenChart }): JSX.Element | null {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const { glass } = w.chart
  const [, again] = useState(0)
  const { act, busy, error } = useAct()
  const me = engine.me?.person
  const on = chart.emergencies.filter(isOn)
  const mine = on.find((e) => e.person === me)
  const told = chart.emergencies.filter((e) => e.person !== me && (isOn(e) || (chart.mine && !e.seen)))
  useEffect(() => {
    const ends = Math.min(...on.map((e) => Date.parse(e.until)))
    if (!Number.isFinite(ends)) return undefined
    const timer = setTimeout(() => again((n) => n + 1), ends - Date.now() + 1000)
    return () => clearTimeout(timer)
  }, [chart.emergencies])
  if (!mine && told.length === 0) return null
  return (
    <>
      {mine && (
        <Notice kind="warn" title={glass.mine(date(mine.until, 'time'))}>
          <p>{glass.mineText}</p>
          <ErrorPanel error={error} />
          <div><Button kind="plain" busy={busy} onClick={() => { void act(() => engine.endEmergency(chart.chart)).then((ok) => ok && announce(glass.ended)) }}>{glass.end}</Button></div>
        </Notice>
      )}
      {told.length > 0 && (
        <Notice kind="warn" title={chart.mine ? glass.yours : glass.theirs}>
          {told.map((e) => <p key={e.began}>{glass.by(apart(e.name || w.chart.someone, lang), date(e.began, 'datetime'))} {isOn(e) ? glass.until(date(e.until, 'time')) : glass.over}</p>)}
          <p>{glass.reasonIsInChart}</p>
          {chart.mine && <div class="row"><Button kind="plain" icon="eye" href={`/chart/${chart.chart}/looks`}>{w.chart.page.looks}</Button><Button kind="quiet" onClick={() => engine.markEmergenciesSeen(chart.chart)}>{glass.seen}</Button></div>}
        </Notice>
      )}
    </>
  )
}

/** At home: charts of one's own, or of those one cares for, that were opened in an emergency and not seen yet. */
export function EmergencyNews({ charts }: { charts: readonly { readonly chart: string; readonly owner: string; readonly name: string; readonly emergencies: readonly Emergency[] }[] }): JSX.Element {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const { glass } = w.chart
  return (
    <>{charts.flatMap((c) => {
      const told = c.emergencies.filter((e) => !e.seen)
      if (told.length === 0) return []
      return [
        <Notice key={c.chart} kind="warn" title={c.owner === engine.me?.person ? glass.yours : glass.of(apart(c.name || w.unnamed, lang))}>
          {told.map((e) => <p key={e.began}>{glass.by(apart(e.name || w.chart.someone, lang), date(e.began, 'datetime'))} {isOn(e) ? glass.until(date(e.until, 'time')) : glass.over}</p>)}
          <p>{glass.reasonIsInChart}</p>
          <div class="row"><Button kind="plain" icon="chart" href={`/chart/${c.chart}/notes`}>{glass.read}</Button><Button kind="plain" icon="eye" href={`/chart/${c.chart}/looks`}>{w.chart.page.looks}</Button><Button kind="quiet" onClick={() => engine.markEmergenciesSeen(c.chart)}>{glass.seen}</Button></div>
        </Notice>,
      ]
    })}</>
  )
}

/** For officers: every chart that was opened so lately. Why is in the chart, which they cannot read. */
export function AllEmergencies(): JSX.Element | null {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const { glass } = w.chart
  const all = useLoad(() => engine.emergencies(), ['charts', 'people'])
  if (all.error) return <ErrorPanel error={all.error} onRetry={all.again} />
  if (!all.value) return null
  return (
    <Card title={glass.all}>
      {all.value.length === 0 ? <p class="soft">{glass.none}</p> : (
        <ul class="list">{all.value.map((e) => (
          <li key={`${e.chart} ${e.person} ${e.began}`} class="item">
            <span class="main"><span>{glass.line(apart(e.name || w.unnamed, lang), apart(e.ownerName || w.unnamed, lang))}</span><span class="soft small">{glass.codes[e.code]} · {date(e.began, 'datetime')}</span></span>
            {isOn(e) ? <Tag kind="warn">{glass.until(date(e.until, 'time'))}</Tag> : <Tag kind="plain">{glass.over}</Tag>}
          </li>
        ))}</ul>
      )}
    </Card>
  )
}
