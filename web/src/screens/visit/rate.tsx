// How the connection was, in one touch, or two. It goes into the chart, sealed like everything else; no count of it is
// kept anywhere.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { Button, Card, Check, ErrorPanel, announce } from '../../parts/index.tsx'
import type { ID } from '../../engine/types.ts'
import { bestRating, faults, ratingOf, ratingsOf, type Fault } from '../../fhir/visit.ts'
import { useOpenChart } from '../chart/opened.ts'
import { usual } from '../chart/where.tsx'

/** From here down something went wrong, and it helps to know what. */
const goodEnough = 4

const values = Array.from({ length: bestRating }, (_, i) => i + 1)

export function RateConnection({ chart: id, visit, onDone }: { chart: ID; visit: ID; onDone?: () => void }): JSX.Element | null {
  const engine = useEngine()
  const { w, n } = useWords()
  const c = w.visit.care.rate
  const { chart } = useOpenChart(id)
  const { act, busy, error } = useAct()
  const [stars, setStars] = useState(0)
  const [wrong, setWrong] = useState<readonly Fault[]>([])
  const [state, setState] = useState<'asking' | 'thanks' | 'skipped'>('asking')
  const me = engine.me
  if (!chart || !me || chart.writable.length === 0 || state === 'skipped') return null
  if (state === 'thanks' || ratingsOf(chart.items).some((r) => r.visit === visit && r.person === me.person)) return state === 'thanks' ? <p class="soft" role="status">{c.thanks}</p> : null
  const finish = (how: 'thanks' | 'skipped'): void => {
    setState(how)
    onDone?.()
  }
  const send = async (given: number, faulty: readonly Fault[]): Promise<void> => {
    const by = { chart: id, visit, person: me.person, name: me.name, date: new Date().toISOString() }
    if (!(await act(() => engine.write(id, usual(chart), { kind: 'record', resource: ratingOf(by, given, faulty) })))) return
    announce(c.thanks)
    finish('thanks')
  }
  return (
    <Card title={c.title}>
      <fieldset class="care-rate"><legend class="sr">{c.title}</legend>
        {values.map((value) => (
          <label key={value} class={value <= stars ? 'care-star care-star-on' : 'care-star'}>
            <input type="radio" name={`rate-${visit}`} checked={value === stars} onInput={() => setStars(value)} />
            <span aria-hidden="true">★</span><span class="sr">{c.of(n(value), n(bestRating))}: {c.names[value - 1]}</span>
          </label>
        ))}
      </fieldset>
      <p class="soft" aria-hidden="true">{stars === 0 ? c.hint : c.names[stars - 1]}</p>
      {stars > 0 && stars < goodEnough && (
        <fieldset class="chart-set"><legend>{c.what}</legend>{faults.map((f) => <Check key={f} checked={wrong.includes(f)} onInput={(on) => setWrong(on ? [...wrong, f] : wrong.filter((x) => x !== f))}>{c.faults[f]}</Check>)}</fieldset>
      )}
      <ErrorPanel error={error} />
      <div class="row">
        {stars > 0 && <Button busy={busy} onClick={() => { void send(stars, stars < goodEnough ? wrong : []) }}>{c.send}</Button>}
        <Button kind="quiet" onClick={() => finish('skipped')}>{c.skip}</Button>
      </div>
    </Card>
  )
}
