// What someone has begun to write stays while they look something up on another page of the chart. It is kept in
// memory only, and goes when they sign out or close the page.

import { useState } from 'preact/hooks'
import { useEngine } from '../../app/context.tsx'
import type { Engine } from '../../engine/types.ts'

type Drafts = Map<string, unknown>

const kept = new WeakMap<Engine, Drafts>()

function draftsOf(engine: Engine): Drafts {
  const known = kept.get(engine)
  if (known) return known
  const drafts: Drafts = new Map()
  kept.set(engine, drafts)
  engine.watch((change) => { if (change.what === 'ended') drafts.clear() })
  return drafts
}

/** State that survives moving between pages, under a name that says of which chart and field it is. */
export function useDraft<T>(name: string, initial: T): readonly [draft: T, keep: (next: T) => void, forget: () => void] {
  const drafts = draftsOf(useEngine())
  const [draft, setDraft] = useState(drafts.has(name) ? drafts.get(name) as T : initial)
  const keep = (next: T): void => { drafts.set(name, next); setDraft(next) }
  const forget = (): void => { drafts.delete(name); setDraft(initial) }
  return [draft, keep, forget]
}
