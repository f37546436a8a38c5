// Where a carer's introduction leads: to the sharing page of one's own chart, which takes it from the address.

import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { ScreenProps } from '../app/app.tsx'
import { useEngine, useWords } from '../app/context.tsx'
import { navigate } from '../app/router.tsx'
import { Empty } from '../parts/index.tsx'

export default function ShareWith(_: ScreenProps): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const own = engine.me?.charts[0]
  useEffect(() => { if (own) navigate(`/chart/${own}/share${location.hash}`, true) }, [own])
  return <><h1 tabIndex={-1}>{w.chart.shareTitle}</h1>{!own && <Empty icon="chart" title={w.chart.carer.noChart} />}</>
}
