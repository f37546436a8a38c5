// Before something that is hard to undo, or that lets someone see more, the server wants to know that it is still the person
// who signed in. This says what is asked and why, while the device asks.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Touch as Asked } from '../engine/types.ts'
import { Button, Dialog, ErrorPanel, Progress } from '../parts/index.tsx'
import { useChange, useEngine, useWords } from './context.tsx'

export function Touch(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const [asked, setAsked] = useState<Asked | undefined>(engine.touch)
  useChange((change) => { if (change.what === 'touch') setAsked(engine.touch) })
  return (
    <Dialog open={asked !== undefined} onClose={() => engine.touch?.refuse()} title={w.touch.title}>
      <p>{w.touch.text}</p>
      {asked?.waiting && <Progress label={w.touch.waiting} done={0} total={0} />}
      {!asked?.waiting && <ErrorPanel error={asked?.failed} />}
      <div class="row">
        <Button disabled={asked?.waiting === true} onClick={() => asked?.give()}>{w.touch.give}</Button>
        <Button kind="plain" onClick={() => asked?.refuse()}>{w.touch.refuse}</Button>
      </div>
    </Dialog>
  )
}
