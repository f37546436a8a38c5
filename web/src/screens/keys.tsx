// Keys in one's own name: what somebody else does with them cannot be missed.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useLoad, useWords } from '../app/context.tsx'
import { apart } from './chart/bidi.ts'
import type { ID } from '../engine/types.ts'
import { Button, Dialog, ErrorPanel, Notice, announce } from '../parts/index.tsx'

/** Loud on every screen: new keys that this device did not make, and a history that does not check. */
export function KeysAlarms(): JSX.Element | null {
  const engine = useEngine()
  const { w, date, lang } = useWords()
  const { busy, error, act } = useAct()
  const [asking, setAsking] = useState(false)
  const { value: state, again } = useLoad(() => engine.membership(), ['people', 'me'])
  const mine = state?.mine
  const { value: people } = useLoad(async () => (mine ? engine.people() : []), ['people'], [mine?.by])
  if (!state || (!mine && state.wrong.length === 0)) return null
  const k = w.keys
  const nameOf = (person: ID): string => apart(people?.find((p) => p.person === person)?.name || w.chart.someone, lang)
  const when = mine?.at ? date(mine.at, 'datetime') : ''
  const refuse = (): Promise<boolean> => act(async () => {
    if (!mine || !engine.me) return
    await engine.vetoMatter(engine.me.person, mine.what)
    announce(k.refused)
    again()
  })
  return (
    <div class="ledger-alarms no-print stack">
      {state.wrong.length > 0 && (
        <Notice kind="danger" title={k.wrongTitle}>
          <p>{k.wrongText}</p>
          <details><summary class="chart-target">{w.chart.troubleDetails}</summary><ul class="small" dir="ltr" lang="en">{state.wrong.map((one) => <li key={`${one.person ?? ''}${one.seq}`}>{one.kind} #{one.seq}: {one.why}</li>)}</ul></details>
        </Notice>
      )}
      {mine && mine.kind === 'replaced' && <Notice kind="danger" title={k.replacedTitle}><p>{k.replacedText(nameOf(mine.by), when)}</p></Notice>}
      {mine && mine.kind !== 'replaced' && (
        <Notice kind="danger" title={mine.kind === 'invited' ? k.invitedTitle : k.waitingTitle}>
          <p>{(mine.kind === 'invited' ? k.invitedText : k.waitingText)(nameOf(mine.by), when)}{mine.from && ` ${k.from(date(mine.from, 'datetime'))}`}</p>
          <p>{k.ifYou} <strong>{k.ifNotYou}</strong></p>
          <div><Button kind="danger" onClick={() => setAsking(true)}>{k.refuse}</Button></div>
        </Notice>
      )}
      <Dialog open={asking} onClose={() => setAsking(false)} title={k.refuseTitle}>
        <p>{k.refuseText}</p>
        <ErrorPanel error={error} />
        <div class="row"><Button kind="danger" busy={busy} onClick={() => { void refuse().then((ok) => ok && setAsking(false)) }}>{k.refuse}</Button><Button kind="plain" onClick={() => setAsking(false)}>{w.cancel}</Button></div>
      </Dialog>
    </div>
  )
}
