// New keys of one's own.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAct, useEngine, useWords } from '../app/context.tsx'
import { Button, Card, Dialog, ErrorPanel, Progress } from '../parts/index.tsx'
import { Code } from './join.tsx'

/** For who thinks that somebody has their keys. */
export function ChangeKeys(): JSX.Element {
  const engine = useEngine()
  const { w } = useWords()
  const { busy, error, act } = useAct()
  const [asking, setAsking] = useState(false)
  const [code, setCode] = useState<string | undefined>(undefined)
  const k = w.keys
  const close = (): void => {
    if (busy) return
    setAsking(false)
    setCode(undefined)
  }
  return (
    <Card title={k.changeTitle}>
      <p class="soft">{k.changeLead}</p>
      <div><Button kind="plain" icon="key" onClick={() => setAsking(true)}>{k.change}</Button></div>
      <Dialog open={asking} onClose={close} title={k.changeDialog}>
        {code ? <Code code={code} onDone={close} /> : (
          <div class="stack">
            <ul class="bullets">{k.changeText.map((line) => <li key={line}>{line}</li>)}</ul>
            {busy && <Progress label={k.changeBusy} done={0} total={0} />}
            <ErrorPanel error={error} />
            <div class="row"><Button kind="danger" busy={busy} onClick={() => { void act(async () => setCode((await engine.changeKeys()).code)) }}>{k.changeDialog}</Button><Button kind="plain" onClick={close}>{w.cancel}</Button></div>
          </div>
        )}
      </Dialog>
    </Card>
  )
}
