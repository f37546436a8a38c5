// One result over time: its latest value in words, a small picture of how it went, and all values as a table. The
// picture adds nothing that the words and the table do not say.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useWords } from '../../app/context.tsx'
import { Tag } from '../../parts/index.tsx'
import type { Point, Series } from '../../fhir/summary.ts'
import { dateText, numberText, type Reader } from '../../fhir/view.ts'

const width = 240
const height = 64
const edge = 6

export function Trend({ series, reader }: { series: Series; reader: Reader }): JSX.Element {
  const { w } = useWords()
  const c = w.chart
  const [open, setOpen] = useState(false)
  const { latest, range, lines, unit, title } = series
  const most = Math.max(...lines.map((l) => l.points.length))
  return (
    <article class="chart-trend">
      <h3>{title}</h3>
      <p class="chart-latest">
        <strong dir="auto">{latest.said}</strong>
        {latest.alert && <Tag kind={latest.alert}>{latest.alert === 'danger' ? c.dangerous : c.outOfRange}</Tag>}
        <span class="chart-soft">{dateText(reader, latest.when)}</span>
      </p>
      {range.said !== '' && <p class="chart-small">{c.normalRange(range.said)}</p>}
      {most > 1 && <Picture series={series} reader={reader} />}
      {most > 1 && (
        <details class="chart-fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary class="chart-target">{c.asTable}</summary>
          {open && (
            <div class="chart-scroll" tabIndex={0} role="region" aria-label={title}>
              <table>
                <thead><tr><th scope="col">{c.date}</th>{lines.map((l) => <th scope="col" key={l.name}>{lines.length > 1 ? l.name : c.value}{unit !== '' && <> <span class="chart-soft">{c.unitIn(unit)}</span></>}</th>)}</tr></thead>
                <tbody>{tableOf(series).map(([when, values]) => <tr key={when}><th scope="row">{dateText(reader, when)}</th>{values.map((v, i) => <td key={i}>{v === undefined ? '' : numberText(reader, v)}</td>)}</tr>)}</tbody>
              </table>
            </div>
          )}
        </details>
      )}
    </article>
  )
}

/** Newest first; one row for each time, one column for each line. */
function tableOf({ lines }: Series): (readonly [string, readonly (number | undefined)[]])[] {
  const times = [...new Set(lines.flatMap((l) => l.points.map((p) => p.when)))].sort().reverse()
  return times.map((when) => [when, lines.map((l) => l.points.find((p) => p.when === when)?.value)] as const)
}

function Picture({ series, reader }: { series: Series; reader: Reader }): JSX.Element {
  const { w } = useWords()
  const { lines, range, title, unit } = series
  const points = lines.flatMap((l) => l.points)
  const times = points.map((p) => at(p)).filter((t) => !Number.isNaN(t))
  const values = points.map((p) => p.value)
  const [from, to] = [Math.min(...times), Math.max(...times)]
  const [lowest, highest] = [Math.min(...values), Math.max(...values)]
  const scale = [Math.min(lowest, range.low ?? lowest), Math.max(highest, range.high ?? highest)] as const
  const x = (p: Point): number => edge + (to === from ? 0.5 : (at(p) - from) / (to - from)) * (width - 2 * edge)
  const y = (v: number): number => height - edge - (scale[1] === scale[0] ? 0.5 : (v - scale[0]) / (scale[1] - scale[0])) * (height - 2 * edge)
  const say = (v: number): string => `${numberText(reader, v)}${unit === '' ? '' : ` ${unit}`}`
  const sorted = [...points].sort((a, b) => a.when.localeCompare(b.when))
  const label = w.chart.trend(title, points.length, dateText(reader, sorted[0]?.when), dateText(reader, sorted.at(-1)?.when), say(lowest), say(highest), series.latest.said)
  const [bandTop, bandBottom] = [y(range.high ?? scale[1]), y(range.low ?? scale[0])]
  return (
    <svg class="chart-picture" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      {(range.low !== undefined || range.high !== undefined) && <rect class="chart-band" x={0} y={bandTop} width={width} height={Math.max(0, bandBottom - bandTop)} />}
      {lines.map((l) => <polyline key={l.name} class="chart-line" points={l.points.map((p) => `${x(p).toFixed(1)},${y(p.value).toFixed(1)}`).join(' ')} />)}
      {/* A line of no length with round ends is a dot that stays round when the picture is stretched. */}
      {lines.flatMap((l) => l.points.slice(-1)).map((p, i) => <path key={i} class="chart-dot" d={`M${x(p).toFixed(1)} ${y(p.value).toFixed(1)}h0`} />)}
    </svg>
  )
}

const at = (p: Point): number => new Date(p.when).getTime()
