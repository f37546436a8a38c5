// Erasing one's own chart, for good.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../../app/context.tsx'
import { navigate } from '../../app/router.tsx'
import { Button, Card, Check, Dialog, ErrorPanel, announce } from '../../parts/index.tsx'

export function Erase({ chart }: { chart: string }): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const c = w.chart
  const [asking, setAsking] = useState(false)
  const [sure, setSure] = useState(false)
  const { act, busy, error } = useAct()
  const erase = async (): Promise<void> => {
    if (!(await act(() => engine.eraseChart(chart)))) return
    announce(c.erased)
    navigate('/')
  }
  const close = (): void => { setAsking(false); setSure(false) }
  return (
    <Card title={c.eraseTitle}>
      <p class="chart-soft">{c.eraseText}</p>
      <div class="chart-actions"><Button kind="plain" href="/settings">{c.takeFirst}</Button><Button kind="quiet" onClick={() => setAsking(true)}>{c.eraseTitle}</Button></div>
      <Dialog open={asking} onClose={close} title={c.eraseTitle}>
        <p>{c.eraseText}</p>
        <Check checked={sure} onInput={setSure}>{c.eraseSure}</Check>
        <ErrorPanel error={error} />
        <div class="chart-actions"><Button kind="danger" busy={busy} disabled={!sure} onClick={() => { void erase() }}>{c.eraseNow}</Button><Button kind="plain" onClick={close}>{c.cancel}</Button></div>
      </Dialog>
    </Card>
  )
}
