// Introducing oneself to someone one looks after (engine/introduction.ts).

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useEngine, useLoad, useWords } from '../app/context.tsx'
import { Button, CopyButton, Dialog, ErrorPanel } from '../parts/index.tsx'
import { QR } from '../parts/qr.tsx'

export function Introduce(): JSX.Element {
  const { w } = useWords()
  const [open, setOpen] = useState(false)
  return (
    <>
      <div><Button kind="plain" icon="scan" onClick={() => setOpen(true)}>{w.chart.carer.show}</Button></div>
      <Dialog open={open} onClose={() => setOpen(false)} title={w.chart.carer.show}>{open && <Shown />}</Dialog>
    </>
  )
}

function Shown(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const link = useLoad(() => engine.introduction(), [])
  if (!link.value) return <ErrorPanel error={link.error} onRetry={link.again} />
  return (
    <div class="stack">
      <p>{w.chart.carer.showText}</p>
      <div class="paper"><QR text={link.value} label={w.chart.carer.qr} /><p class="link-text" data-testid="introduction">{link.value}</p></div>
      <div><CopyButton text={link.value}>{w.copy}</CopyButton></div>
    </div>
  )
}
