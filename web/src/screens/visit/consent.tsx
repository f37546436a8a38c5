// Consent to visits by video: asked of the patient, or of who acts for them, before the first visit and again when its
// words change. Saying no is as easy as saying yes, and leads to the clinic, not to a wall.

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Dialog, ErrorPanel, Icon, Notice, announce } from '../../parts/index.tsx'
import type { ID, OpenChart, ProblemCode } from '../../engine/types.ts'
import { telehealthConsent, telehealthStanding, telehealthWords } from '../../fhir/telehealth.ts'
import { useOpenChart } from '../chart/opened.ts'
import { usual } from '../chart/where.tsx'

/** Who is asked: the patient, and who acts for them. Staff and guests are not. */
const isAsked = (chart: OpenChart, roles: readonly string[]): boolean => chart.mine || (roles.includes('proxy') && !roles.includes('clinician'))

/** What says nothing of whose chart it is, and passes. */
const passing: readonly ProblemCode[] = ['offline', 'unavailable', 'too_many']

/** Shows what is inside once consent is given, and asks for it until then. For everyone else it shows what is inside. */
export function TelehealthConsent({ chart: id, children }: { chart: ID; children?: ComponentChildren }): JSX.Element | null {
  const engine = useEngine()
  const { w } = useWords()
  const { chart, error, again } = useOpenChart(id)
  if (!chart && !error) return <p class="soft" role="status">{w.loading}</p>
  if (!chart && error && passing.includes(error.code)) return <ErrorPanel error={error} onRetry={again} />
  // Who still cannot open the chart is not its patient.
  const ask = chart && isAsked(chart, engine.me?.roles ?? []) && chart.writable.length > 0 && telehealthStanding(chart.items, chart.owner).state !== 'given'
  return ask ? <Ask chart={chart} /> : <>{children}</>
}

function useAnswer(chart: OpenChart): { readonly busy: boolean; readonly error: ReturnType<typeof useAct>['error']; answer(given: boolean): Promise<boolean> } {
  const engine = useEngine()
  const { lang } = useWords()
  const { act, busy, error } = useAct()
  const answer = (given: boolean): Promise<boolean> => {
    const before = telehealthStanding(chart.items, chart.owner).item
    const mine = before !== undefined && before.state === 'stored' && before.author.person === engine.me?.person // one's own word is amended, another's stands
    const resource = telehealthConsent(chart.chart, engine.me?.person ?? '', engine.me?.name ?? '', new Date().toISOString(), lang, given)
    return act(() => engine.write(chart.chart, before?.compartment ?? usual(chart), { kind: 'consent', resource, ...(mine && { amends: before.entry }) }))
  }
  return { busy, error, answer }
}

function Ask({ chart }: { chart: OpenChart }): JSX.Element {
  const { w, lang } = useWords()
  const c = w.visit.care.consent
  const { busy, error, answer } = useAnswer(chart)
  const [no, setNo] = useState(false)
  const { state } = telehealthStanding(chart.items, chart.owner)
  const agree = async (): Promise<void> => {
    if (!(await answer(true))) return
    announce(c.given)
    document.querySelector<HTMLElement>('main h1')?.focus() // the question is gone, and with it the button
  }
  return (
    <Card title={c.title}>
      {state === 'older' && <Notice><p>{c.changed}</p></Notice>}
      <div class="stack-tight">{telehealthWords(lang).map((p) => <p key={p}>{p}</p>)}</div>
      <ErrorPanel error={error} />
      <div class="row">
        <Button busy={busy} onClick={() => { void agree() }}>{c.agree}</Button>
        <Button kind="plain" onClick={() => setNo(true)}>{c.refuse}</Button>
      </div>
      <p class="small soft">{c.once}</p>
      <Dialog open={no} onClose={() => setNo(false)} title={c.refusedTitle}>
        <p>{c.refusedText}</p>
        <div class="row"><Button icon="message" href={`/chart/${chart.chart}/messages`}>{c.write}</Button><Button kind="plain" onClick={() => setNo(false)}>{w.back}</Button></div>
      </Dialog>
    </Card>
  )
}

/** How it stands, for the chart's page of visits, with a way to take it back. */
export function ConsentState({ chart }: { chart: OpenChart }): JSX.Element {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const c = w.visit.care.consent
  const { busy, error, answer } = useAnswer(chart)
  const [asking, setAsking] = useState(false)
  const { state, item } = telehealthStanding(chart.items, chart.owner)
  const mayAnswer = isAsked(chart, engine.me?.roles ?? []) && chart.writable.length > 0
  return (
    <Card title={c.page}>
      <p class="care-state">{state === 'given' && <Icon name="good" />}<span>{c.states[state](item ? date(item.time, 'date') : '')}</span></p>
      {state === 'given' && <details class="chart-fold"><summary class="chart-target">{c.read}</summary><div class="stack-tight">{telehealthWords(lang).map((p) => <p key={p}>{p}</p>)}</div></details>}
      {mayAnswer && state === 'given' && <div><Button kind="quiet" onClick={() => setAsking(true)}>{c.withdraw}</Button></div>}
      <Dialog open={asking} onClose={() => setAsking(false)} title={c.withdraw}>
        <p>{c.withdrawText}</p>
        <ErrorPanel error={error} />
        <div class="row"><Button kind="danger" busy={busy} onClick={() => { void answer(false).then((ok) => { if (ok) { setAsking(false); announce(c.withdrawn) } }) }}>{c.withdraw}</Button><Button kind="plain" onClick={() => setAsking(false)}>{w.cancel}</Button></div>
      </Dialog>
    </Card>
  )
}
