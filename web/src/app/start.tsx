// What is shown before there is a screen: that Ward is opening, that the clinic does not answer, and, to a browser that
// cannot open Ward at all, what can.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Button, CopyButton, Icon, Mark, Progress, type IconName } from '../parts/index.tsx'
import { en } from '../words/en.ts'
import { useWords } from './context.tsx'
import type { Lack } from './support.ts'

/** Before there are words in any language; index.html shows the same before there is a script. */
export function Wordless(): JSX.Element {
  return <main id="main"><div class="narrow door"><Mark /><h1>{en.appName}</h1></div></main>
}

const longAfter = 6000 // ms; then someone wonders whether anything happens at all

export function Starting(): JSX.Element {
  const { w } = useWords()
  const [long, setLong] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), longAfter)
    return () => clearTimeout(timer)
  }, [])
  return (
    <main id="main"><div class="narrow door">
      <Mark /><h1>{w.start.title}</h1>
      <Progress label={w.start.text} done={0} total={0} />
      <p class="soft" role="status">{long && w.start.long}</p>
    </div></main>
  )
}

export function Unreachable({ onRetry }: { onRetry: () => void }): JSX.Element {
  const { w } = useWords()
  return <main id="main"><div class="narrow door"><Mark /><h1 tabIndex={-1}>{w.problems.unavailable[0]}</h1><p role="status">{w.start.unreachable}</p><div><Button onClick={onRetry}>{w.tryAgain}</Button></div></div></main>
}

export function Unsupported({ lack }: { lack: Lack }): JSX.Element {
  const { w } = useWords()
  const s = w.start
  const ways: readonly (readonly [IconName, string])[] = lack === 'address' ? [['key', s.https]] : [['go', s.inApp], ['computer', s.update], ['device', s.other]]
  return (
    <main id="main"><div class="narrow door">
      <Mark />
      <div class="page-head"><h1 tabIndex={-1}>{s.cannot}</h1><p>{s.lacks[lack]}</p></div>
      <section class="card">
        <h2>{s.instead}</h2>
        <ul class="ways">{ways.map(([icon, text]) => <li key={icon}><Icon name={icon} /><span>{text}</span></li>)}</ul>
        {lack !== 'address' && <div><CopyButton text={location.href}>{s.copy}</CopyButton></div>}
      </section>
      <p class="soft">{s.ask}</p>
    </div></main>
  )
}
