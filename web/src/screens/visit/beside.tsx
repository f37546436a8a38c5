// The chart beside a visit: what could hurt if it were missed, and what is known, while one talks. Only for who may read it.

import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { useChange, useEngine, useWords } from '../../app/context.tsx'
import { Progress } from '../../parts/index.tsx'
import { contentsOf } from '../chart/rows.ts'
import { Summary } from '../chart/summary.tsx'
import { Timeline } from '../chart/timeline.tsx'

export function Beside({ id }: { id: string }): JSX.Element {
  const engine = useEngine()
  const { w, lang } = useWords()
  const [chart, setChart] = useState(() => engine.opened(id))
  useChange((change) => { if (change.what === 'chart' && change.chart === id) setChart(engine.opened(id)) })
  const contents = useMemo(() => chart && contentsOf(chart, lang, w.chart.fhir), [chart, lang])
  if (!chart || !contents) return <Progress label={w.chart.opening} done={0} total={0} />
  return <div class="beside"><Summary chart={chart} contents={contents} /><Timeline chart={chart} contents={contents} /></div>
}
