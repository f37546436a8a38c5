// When someone answers that they thought of death or of hurting themselves: for them, calm words and what helps now; for
// whoever treats them, a plain sign that stays until someone has spoken with them.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Dialog, ErrorPanel, Notice, announce } from '../../parts/index.tsx'
import type { OpenChart } from '../../engine/types.ts'
import { crisisAnswer, crisisIn } from '../../fhir/questionnaires.ts'
import { concernOf, standingOf } from '../../fhir/visit.ts'
import { apart } from './bidi.ts'

/** For the person who answered. It takes no focus and sounds no alarm: they should be able to go on, or to call. */
export function CrisisHelp({ level = 3 }: { level?: 2 | 3 }): JSX.Element {
  const { w } = useWords()
  const c = w.visit.care.crisis
  const H = level === 2 ? 'h2' as const : 'h3' as const
  return (
    <section class="care-help" aria-live="polite">
      <H>{c.title}</H>
      <p>{c.text}</p>
      <ul>{c.steps.map((step) => <li key={step}>{step}</li>)}</ul>
      <p class="small soft">{c.read}</p>
    </section>
  )
}

/** Help for the patient whose newest answer asks for it, until someone has spoken with them. */
export function HelpNow({ chart }: { chart: OpenChart }): JSX.Element | null {
  const concern = concernOf(chart.items, crisisIn)
  return chart.mine && concern && concern.calmer === undefined && !concern.seen ? <CrisisHelp level={2} /> : null
}

/** For whoever treats the patient; the patient does not see it. */
export function SafetyFlag({ chart }: { chart: OpenChart }): JSX.Element | null {
  const engine = useEngine()
  const { w, lang, date } = useWords()
  const c = w.visit.care.crisis
  const { act, busy, error } = useAct()
  const [asking, setAsking] = useState(false)
  const concern = concernOf(chart.items, crisisIn)
  const me = engine.me
  if (!concern || chart.mine || !me?.roles.includes('clinician')) return null
  const when = date(concern.time, 'datetime')
  if (concern.seen) return <Notice kind="info" title={c.flagSeen(apart(concern.seen.by || w.chart.someone, lang), date(concern.seen.time, 'datetime'))}><p class="small">{c.flagAnswer(crisisAnswer(concern.answer, lang), when)}</p></Notice>
  const seen = async (): Promise<void> => {
    const by = { chart: chart.chart, person: me.person, name: me.name, date: new Date().toISOString() }
    if (await act(() => engine.write(chart.chart, concern.compartment, { kind: 'record', resource: standingOf(by, concern.entry, c.seenNote, 'completed') }))) {
      setAsking(false)
      announce(c.seenDone)
    }
  }
  return (
    <Notice kind="danger" title={c.flag}>
      <p>{c.flagAnswer(crisisAnswer(concern.answer, lang), when)}</p>
      {concern.calmer !== undefined && <p>{c.flagCalmer(date(concern.calmer, 'datetime'))}</p>}
      <p>{c.flagDo}</p>
      <div class="row"><Button kind="plain" onClick={() => setAsking(true)}>{c.seen}</Button><Button kind="quiet" href={`/chart/${chart.chart}/questionnaires`}>{c.answers}</Button></div>
      <Dialog open={asking} onClose={() => setAsking(false)} title={c.seen}>
        <p>{c.seenText}</p>
        <ErrorPanel error={error} />
        <div class="row"><Button busy={busy} onClick={() => { void seen() }}>{c.seenYes}</Button><Button kind="plain" onClick={() => setAsking(false)}>{w.cancel}</Button></div>
      </Dialog>
    </Notice>
  )
}
