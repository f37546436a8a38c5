// A screen that nobody is at closes itself, after the quiet time that the clinic allows the person's roles, with a
// warning a minute before. Someone who is only typing is there: the server is told so, before it forgets them.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Me } from '../engine/types.ts'
import { Button, Dialog } from '../parts/index.tsx'
import { useEngine, useWords } from './context.tsx'

const warningSeconds = 60   // WCAG 2.2.1 wants twenty at least
const signs = ['pointerdown', 'keydown', 'wheel', 'touchmove'] as const
const sharedName = 'ward-active' // other windows of this browser are the same person at the same desk
const noteEvery = 5000      // ms; a sign of life is written down no oftener

export function Idle({ me, onExpire }: { me: Me; onExpire: () => void }): JSX.Element {
  const engine = useEngine()
  const { w, n } = useWords()
  const [left, setLeft] = useState<number | undefined>(undefined)
  const stay = (): void => {
    note(Date.now())
    setLeft(undefined)
    engine.sessions().catch(() => undefined) // any request tells the server that someone is here
  }
  useEffect(() => {
    const limit = me.idleSeconds * 1000
    let told = Date.now()
    note(told)
    const alive = (): void => {
      if (Date.now() - lastSign() > limit - warningSeconds * 1000) return // the warning wants an answer of its own
      if (Date.now() - lastSign() > noteEvery) note(Date.now())
    }
    const look = (): void => {
      const now = Date.now()
      const quiet = now - lastSign()
      if (quiet >= limit) {
        onExpire()
        return
      }
      setLeft(quiet > limit - warningSeconds * 1000 ? Math.ceil((limit - quiet) / 1000) : undefined)
      if (lastSign() > told && now - told > limit / 3) {
        told = now
        engine.sessions().catch(() => undefined)
      }
    }
    const clock = setInterval(look, 1000)
    for (const sign of signs) document.addEventListener(sign, alive, { passive: true })
    document.addEventListener('visibilitychange', look) // a laptop that slept
    return () => {
      clearInterval(clock)
      for (const sign of signs) document.removeEventListener(sign, alive)
      document.removeEventListener('visibilitychange', look)
    }
  }, [me.person, me.idleSeconds])
  return (
    <Dialog open={left !== undefined} onClose={stay} title={w.idle.title}>
      <p>{w.idle.text}</p>
      <p class="strong">{w.idle.left(n(left ?? 0))}</p>
      <div class="row"><Button onClick={stay}>{w.idle.stay}</Button><Button kind="plain" onClick={() => { void engine.signOut(false) }}>{w.nav.signOut}</Button></div>
    </Dialog>
  )
}

/** Someone in a visit is there, though they touch nothing. */
export const present = (): void => note(Date.now())

let last = Date.now() // where storage is closed

function note(time: number): void {
  last = time
  try {
    localStorage.setItem(sharedName, String(time))
  } catch {
    // this window counts alone
  }
}

function lastSign(): number {
  try {
    return Math.max(last, Number(localStorage.getItem(sharedName) ?? 0))
  } catch {
    return last
  }
}
