// Sound first: where the way from someone is too narrow for their sound and their pictures, their pictures wait. It is
// found out by what becomes of their sound here, whoever's way it is that is narrow: a browser that nobody watches any
// more is told to send no pictures. The media server could pause pictures too, but it takes late answers of a busy
// browser for a narrow way, misses one that loses, and brings pictures back only after minutes (docs/decisions/0008).

/** What came of someone's sound since the connection began, as WebRTC counts it. */
export interface Heard { readonly at: number; readonly packets: number; readonly lost: number; readonly samples: number; readonly made: number } // ms; made: samples that the browser made up for what was missing

/** Which pictures of theirs to ask for. */
export type Pictures = 'all' | 'small' | 'none'

/** How long the sound must suffer, in ms; less while it is tried whether small pictures fit. */
const judged = { all: 3000, small: 1800, none: 3000 }
/** How many packets tell something: in a pause of speech few are sent. */
const enough = 40
/** What is lost and made up while it suffers. Both must be: a busy browser makes up what came too late for it, and with its
 * redundancy sound goes through one packet of ten being lost by chance. A way that is too narrow loses more. */
const suffers = { lost: 0.15, made: 0.08 }
/** How long pictures wait before they are tried again, small, in ms: so long nobody need see a frozen one. */
const rest = 10_000
/** How long the sound must stay whole beside small pictures before larger ones are tried, in ms. */
const steady = 8000

/** Judges the sound of one person. */
export class SoundFirst {
  private level: Pictures = 'all'
  private since = 0
  private heard: Heard[] = []

  get pictures(): Pictures { return this.level }

  /** What was counted now, or nothing if there is no sound of theirs; about once a second. */
  hear(now: number, heard?: Heard): Pictures {
    const last = this.heard.at(-1)
    if (!heard || (last && (heard.packets < last.packets || heard.samples < last.samples))) this.heard = [] // another track
    if (heard) this.heard.push(heard)
    while ((this.heard[1]?.at ?? Infinity) <= now - judged[this.level]) this.heard.shift()
    if (this.level !== 'none' && this.isSuffering()) this.enter('none', now)
    else if (this.level === 'none' && now - this.since >= rest) this.enter('small', now)
    else if (this.level === 'small' && now - this.since >= steady) this.enter('all', now)
    return this.level
  }

  private enter(level: Pictures, now: number): void {
    this.level = level
    this.since = now
    this.heard = this.heard.slice(-1) // what was before says nothing of what is now
  }

  private isSuffering(): boolean {
    const [first, last] = [this.heard[0], this.heard.at(-1)]
    if (!first || !last || last.at - first.at < judged[this.level]) return false
    const [packets, lost] = [last.packets - first.packets, Math.max(0, last.lost - first.lost)]
    if (packets + lost < enough) return false
    return lost / (packets + lost) > suffers.lost && (last.made - first.made) / Math.max(1, last.samples - first.samples) > suffers.made
  }
}

/** What WebRTC's statistics of a track of sound say. */
export function heardIn(report: RTCStatsReport, at: number): Heard | undefined {
  for (const s of (report as ReadonlyMap<string, Record<string, unknown>>).values()) {
    if (s.type !== 'inbound-rtp' || s.kind !== 'audio') continue
    const count = (name: string): number => (typeof s[name] === 'number' ? s[name] : 0)
    return { at, packets: count('packetsReceived'), lost: count('packetsLost'), samples: count('totalSamplesReceived'), made: count('concealedSamples') - count('silentConcealedSamples') }
  }
  return undefined
}
