// The visit that goes on in this window. It outlives the screen that began it, so that someone may look something up
// while they talk. Only the type of the call is needed here: its code comes with the screen of visits.

import { useEffect, useState } from 'preact/hooks'
import type { Call } from './call.ts'

let call: Call | undefined
const watchers = new Set<() => void>()

export const currentCall = (): Call | undefined => call

export function setCurrentCall(next: Call | undefined): void {
  call = next
  for (const on of [...watchers]) on()
}

export function useCurrentCall(): Call | undefined {
  const [now, setNow] = useState(call)
  useEffect(() => {
    const on = (): void => setNow(call)
    on()
    watchers.add(on)
    return () => { watchers.delete(on) }
  }, [])
  return now
}

const insideName = 'ward-visit' // which visit this window is in, so that a reload leads back

export function wasIn(): string {
  try {
    return sessionStorage.getItem(insideName) ?? ''
  } catch {
    return '' // storage is closed
  }
}

export function noteInside(visit: string): void {
  try {
    if (visit === '') sessionStorage.removeItem(insideName)
    else sessionStorage.setItem(insideName, visit)
  } catch {
    // a reload leads to the lobby
  }
}
