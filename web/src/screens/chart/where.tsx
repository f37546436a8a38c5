import type { JSX } from 'preact'
import { useWords } from '../../app/context.tsx'
import { Choices, Notice } from '../../parts/index.tsx'
import type { Compartment, OpenChart } from '../../engine/types.ts'

/** Which part of the chart something goes to, with what that means. Asked only if there is a choice. */
export function Where({ chart, name, value, onInput }: { chart: OpenChart; name: string; value: Compartment; onInput: (part: Compartment) => void }): JSX.Element | null {
  const { w } = useWords()
  const c = w.chart
  if (chart.writable.length === 0) return null
  return (
    <div class="chart-where">
      {chart.writable.length > 1 && <Choices label={c.whereQuestion} name={name} value={value} onInput={(v) => onInput(v as Compartment)} options={chart.writable.map((p) => ({ value: p, label: c.compartment[p] }))} />}
      {value === 'restricted' && <p class="chart-small">{c.compartmentHint.restricted}</p>}
    </div>
  )
}

/** The part that is meant when nobody chose. */
export const usual = (chart: OpenChart): Compartment => (chart.writable.includes('general') ? 'general' : chart.writable[0] ?? 'general')

export function ReadOnly(): JSX.Element {
  const { w } = useWords()
  return <Notice><p>{w.chart.notWritable}</p></Notice>
}
