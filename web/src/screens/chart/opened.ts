// A chart for a screen that is about something else, such as a visit: opened when it is needed, and kept up to date.

import { useEffect, useState } from 'preact/hooks'
import { useChange, useEngine } from '../../app/context.tsx'
import type { ID, OpenChart, Problem } from '../../engine/types.ts'

export interface Opened { readonly chart: OpenChart | undefined; readonly error: Problem | undefined; again(): void }

export function useOpenChart(id: ID): Opened {
  const engine = useEngine()
  const [chart, setChart] = useState(engine.opened(id))
  const [error, setError] = useState<Problem | undefined>(undefined)
  const again = (): void => {
    setError(undefined)
    engine.open(id, () => undefined).then(setChart, setError)
  }
  useEffect(() => {
    setChart(engine.opened(id))
    again()
  }, [id])
  useChange((change) => { if (change.what === 'chart' && change.chart === id) setChart(engine.opened(id)) })
  return { chart: chart?.chart === id ? chart : undefined, error, again }
}
