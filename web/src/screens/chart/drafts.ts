// What someone has begun to write stays while they look something up on another page, reload, or sign out and in: the
// engine keeps it, sealed, until it is sent.

import { useState } from 'preact/hooks'
import { useEngine } from '../../app/context.tsx'

/** State that survives, under a name that begins with the chart's id and says which field it is. */
export function useDraft<T>(name: string, initial: T): readonly [draft: T, keep: (next: T) => void, forget: () => Promise<void>] {
  const engine = useEngine()
  const [draft, setDraft] = useState(() => (engine.draft(name) as T | undefined) ?? initial)
  const keep = (next: T): void => { void engine.keepDraft(name, next); setDraft(next) }
  const forget = async (): Promise<void> => {
    await engine.keepDraft(name, undefined)
    setDraft(initial)
  }
  return [draft, keep, forget]
}
