// The summaries that visits left in a chart.

import type { OpenChart } from '../../engine/types.ts'
import { readSummary, type AfterVisitSummary } from '../../fhir/visit.ts'
import { threads } from './rows.ts'

/** Newest first. What was withdrawn is not among them. */
export const summariesOf = (chart: OpenChart): AfterVisitSummary[] =>
  threads(chart.items).filter((t) => !t.withdrawn && t.now.state !== 'refused').flatMap((t) => t.now.resources.flatMap((r) => readSummary(t.now.entry, r) ?? [])).sort((a, b) => b.date.localeCompare(a.date))
