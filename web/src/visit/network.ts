// How good the way to the clinic's server is, measured on that server and no other: how long an answer takes, how much
// that wavers, and how much comes through. A visit takes this same way.

export interface Network { readonly roundTrip: number; readonly waver: number; readonly megabits: number | undefined } // ms, ms, Mbit/s
export type NetworkGrade = 'good' | 'weak' | 'poor'

const probes = 6        // the first opens the connection and is not counted
const loads = 2         // files fetched at once, so that one pause does not decide
const timeout = 15_000  // ms; a network that takes longer carries no visit

/** What a visit needs, in ms and Mbit/s: WebRTC's sound gets along with 50 kbit/s, a small picture with 500, a good one with 2 Mbit. */
const limits = { roundTrip: { weak: 250, poor: 600 }, waver: { weak: 60, poor: 200 }, megabits: { weak: 2, poor: 0.5 } } as const

export function gradeOf({ roundTrip, waver, megabits }: Network): NetworkGrade {
  if (roundTrip > limits.roundTrip.poor || waver > limits.waver.poor || (megabits !== undefined && megabits < limits.megabits.poor)) return 'poor'
  if (roundTrip > limits.roundTrip.weak || waver > limits.waver.weak || (megabits !== undefined && megabits < limits.megabits.weak)) return 'weak'
  return 'good'
}

/** The middle of some times, and how far they lie around it at most. */
export function spread(times: readonly number[]): { readonly middle: number; readonly around: number } {
  const sorted = [...times].sort((a, b) => a - b)
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0
  return { middle, around: Math.max(0, ...sorted.map((t) => Math.abs(t - middle)).sort((a, b) => a - b).slice(0, -1)) } // one stray does not count
}

export async function measureNetwork(signal: AbortSignal): Promise<Network> {
  const both = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
  const times: number[] = []
  for (let i = 0; i < probes; i++) {
    const start = performance.now()
    const response = await fetch('/api/ready', { cache: 'no-store', signal: both })
    await response.arrayBuffer()
    if (i > 0) times.push(performance.now() - start)
  }
  const { middle, around } = spread(times)
  return { roundTrip: middle, waver: around, megabits: await throughput(both) }
}

/** Fetches the largest file of the app anew, and counts the bytes that came over the network. */
async function throughput(signal: AbortSignal): Promise<number | undefined> {
  const files = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
  const largest = files.filter((f) => new URL(f.name).pathname.startsWith('/assets/') && new URL(f.name).origin === location.origin).sort((a, b) => b.encodedBodySize - a.encodedBodySize)[0]
  if (!largest) return undefined
  const urls = Array.from({ length: loads }, (_, i) => `${largest.name.split('?')[0]}?check=${i}-${Date.now()}`)
  const start = performance.now()
  await Promise.all(urls.map((url) => fetch(url, { cache: 'no-store', signal }).then((r) => r.arrayBuffer())))
  const seconds = (performance.now() - start) / 1000
  const bytes = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).filter((f) => urls.includes(f.name)).reduce((sum, f) => sum + f.encodedBodySize, 0)
  return bytes > 0 && seconds > 0 ? (bytes * 8) / seconds / 1e6 : undefined
}
