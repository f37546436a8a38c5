// How often a picture is made, so that the visit itself keeps enough of the device: it also encodes, seals and shows
// the others. A device that cannot keep up says so; a picture that stutters helps nobody.

/** Pictures in a second, at most. More is not seen in a small picture of someone who sits and talks. */
const most = 20
/** Pictures in a second, at least. With fewer, lips no longer go with the words. */
const least = 6
/** How much of its time the background may take. */
const share = 0.6
/** How many pictures are not counted: the first are slow while the browser still translates the program. */
const warmUp = 10
/** For how long a device must be too slow before it is told, in milliseconds: other work passes. */
const patience = 10_000
/** How much a new measurement counts against those before. */
const weight = 0.1

export class Pace {
  private next = 0
  private made = 0
  private cost = 0
  private slowSince: number | undefined

  /** Whether it is time for a picture. */
  due(now: number): boolean { return now >= this.next }

  /** Takes note of a picture that was begun at a time and took as long, in milliseconds. Says whether the device is too slow. */
  took(begun: number, time: number): 'fine' | 'slow' {
    this.made++
    if (this.made > warmUp) this.cost = this.cost === 0 ? time : this.cost + weight * (time - this.cost)
    // Counted from when it was due, so that a camera of 24 pictures a second is not halved.
    const every = Math.max(1000 / most, this.cost / share)
    this.next = Math.max(this.next + every, begun + every / 2)
    if (this.cost / share <= 1000 / least) this.slowSince = undefined
    else this.slowSince ??= begun
    return this.slowSince !== undefined && begun - this.slowSince >= patience ? 'slow' : 'fine'
  }
}
