// From the entries of a chart to the rows that screens show. An entry and its amendments are one thread, of which the
// newest counts; retractions mark it. An imported entry holds many resources, each a row of its own.

import type { Compartment, Item, OpenChart, Resource } from '../../engine/types.ts'
import { versionsOf } from '../../engine/versions.ts'
import { fields, first, text } from '../../fhir/read.ts'
import { finder, inError, kindOf, searchText, view, whenOf, type Kind, type Reader, type View } from '../../fhir/view.ts'

/** An entry as it counts now, and what it was before. */
export interface Thread {
  readonly now: Item
  readonly before: readonly Item[]     // newest first
  readonly withdrawn?: { readonly item: Item; readonly reason: string }
}

export function threads(items: readonly Item[]): Thread[] {
  return versionsOf(items).map(({ versions, withdrawn }): Thread => {
    const before = [...versions].reverse()
    const now = before.shift() as Item
    return { now, before, ...(withdrawn && { withdrawn: { item: withdrawn, reason: reasonOf(withdrawn) } }) }
  })
}

const reasonOf = (retraction: Item): string => text(fields(retraction.resources[0]?.['statusReason'])['text'])

export interface Row {
  readonly key: string
  readonly thread: Thread
  readonly kind: Kind
  readonly when: string                // as FHIR writes dates
  readonly resource?: Resource
  readonly part: Compartment
}

const kindOfItem = (item: Item): Kind =>
  item.kind === 'file' ? 'file' : item.kind === 'note' ? 'note' : item.kind === 'message' ? 'message' : item.kind === 'questionnaire' ? 'form' : item.kind === 'appointment' ? 'appointment' : item.kind === 'person' ? 'person' : 'other'

/** The rows of a chart, newest first. */
export function rowsOf(all: readonly Thread[]): Row[] {
  return all.flatMap((thread): Row[] => {
    const { now } = thread
    if (now.resources.length === 0) return [{ key: now.entry, thread, kind: kindOfItem(now), when: now.time, part: now.compartment }]
    return now.resources.map((resource, i) => ({
      key: `${now.entry}/${i}`, thread, resource, part: now.compartment, kind: now.kind === 'record' ? kindOf(resource) : kindOfItem(now) === 'other' ? kindOf(resource) : kindOfItem(now),
      when: now.kind === 'record' || now.kind === 'appointment' ? first(whenOf(resource), kindOf(resource) === 'person' ? '' : now.time) : now.time,
    }))
  }).sort((a, b) => (a.when < b.when ? 1 : a.when > b.when ? -1 : 0))
}

/** Everything that the pages of a chart show, made once for each state of it. */
export interface Contents {
  readonly threads: readonly Thread[]
  readonly rows: readonly Row[]
  readonly current: readonly Resource[] // resources that count: not withdrawn, not refused, not said to be wrong
  readonly reader: Reader
  view(row: Row): View
  /** Lower-case text to search in, made when it is first asked for. */
  searchable(row: Row): string
}

export function contentsOf(chart: OpenChart, lang: string, say: Reader['say']): Contents {
  const all = threads(chart.items)
  const rows = rowsOf(all)
  const live = all.filter((t) => !t.withdrawn && t.now.state !== 'refused').flatMap((t) => t.now.resources)
  const reader: Reader = { lang, say, find: finder(live) }
  const views = new Map<string, View>()
  const texts = new Map<string, string>()
  const viewOf = (row: Row): View => {
    const known = views.get(row.key)
    if (known) return known
    const { now } = row.thread
    const made: View = row.resource
      ? view(row.resource, reader)
      : { type: say.file, kind: row.kind, title: first(now.title ?? '', now.filename ?? '', say.types.Basic), brief: '', when: row.when, error: false, facts: [], text: '' }
    views.set(row.key, made)
    return made
  }
  return {
    threads: all, rows, reader, current: live.filter((r) => !inError(r)), view: viewOf,
    searchable: (row) => {
      const known = texts.get(row.key)
      if (known !== undefined) return known
      const made = fold(`${searchText(viewOf(row))}\n${row.thread.now.author.name}\n${row.thread.now.filename ?? ''}\n${row.when}`)
      texts.set(row.key, made)
      return made
    },
  }
}

/** Text without case and accents, so that 'animo' finds 'Ánimo'. */
export const fold = (s: string): string => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
