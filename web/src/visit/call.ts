// A visit as one person lives it: they come to the door, are let in, join the group, and their media goes through the
// media server, sealed. It holds together the door (what the server says), the group (who is in, and the keys), the
// encryption (no frame without them) and LiveKit's room (the way of the frames). What a screen shows is one value, view,
// and everyone who watches is told when it changes.
//
// What counts as being in the visit is the group, which each member checks. The media server's word about who is there
// is compared with it: whoever is there and not in the group is a stranger, is named, and is never shown.
//
// Everything that may have changed is looked up in one place, sync, one at a time, however it became known: a notice,
// a reconnection, a clock. So a lost notice costs seconds, and nothing happens twice.

import { EngineProblem, problemOf } from '../engine/problem.ts'
import type { ID, Problem } from '../engine/types.ts'
import { b64, newID, text, utf8 } from '../seal/bytes.ts'
import { codeOf, pictureOf, type Tile } from './code.ts'
import type { DoubtfulMember } from './credential.ts'
import type { Caller, Door, Entry, Posted, RoomPass, Visit } from './door.ts'
import { Group, Refused, type Event as GroupEvent, type Me as Leaf, type Next } from './group.ts'
import { Media, warmUp, type Devices, type OwnMedia, type Shown } from './media.ts'

export type Phase =
  | 'arriving'   // asking at the door
  | 'waiting'    // until the host lets me in
  | 'joining'    // let in: joining the group, then the media
  | 'in'
  | 'stopped'    // someone in the group is not who they should be: no media until the host begins again
  | 'left' | 'removed' | 'ended'
  | 'elsewhere'  // the same person came from another window

/** Someone in the visit. */
export interface Present extends Shown {
  readonly member: ID
  readonly name: string
  readonly role: Caller['role']
  readonly guest: Caller['guest']
  readonly isMe: boolean
  readonly isHost: boolean
}

export interface Line {
  readonly id: string
  readonly from: ID
  readonly name: string
  readonly mine: boolean
  readonly time: string
  readonly text: string
  readonly file: { readonly entry: ID; readonly name: string } | undefined
  readonly state: 'sent' | 'sending' | 'failed'
}

export interface View extends OwnMedia {
  readonly phase: Phase
  readonly visit: Visit | undefined
  readonly present: readonly Present[]
  readonly strangers: readonly ID[]
  readonly doubt: { readonly name: string; readonly why: DoubtfulMember['doubt'] } | undefined
  readonly code: readonly string[]
  readonly picture: readonly Tile[]
  readonly epoch: number
  readonly chat: readonly Line[]
  readonly problem: Problem | undefined
}

/** How often to look while nothing can be told, or something is amiss; and otherwise, since a notice may be lost. In
 * milliseconds. Each look is an event of the record. */
const lookEvery = 5000
const lookAnyway = 60_000
/** How long someone's media may be gone before the host takes their keys back; they may come back all the same. */
const awayTime = 20_000
/** How long the media server may name someone whose commit did not reach me yet: a slow phone joins both at once. */
const strangerTime = 6000
/** How often a join is tried again because others joined first. */
const joinTries = 8
/** For how long what was made ready before the click may be taken, in milliseconds: its leaf says when it was made. */
const readyFor = 10 * 60_000
/** How long to wait for the host to begin a spoiled group again before joining it once more by myself. */
const spoiledTime = 3000
/** How many spoiled commits of one member the host forgives before taking them out. */
const forgiven = 1
/** A line of chat, in characters: a long message belongs into the chart. */
export const maxLine = 4000
/** How many lines of chat are kept here. */
const maxLines = 500

interface Said { readonly t: 'text' | 'file' | 'bye'; readonly id?: string; readonly time?: string; readonly text?: string; readonly entry?: string; readonly name?: string }

/** What was made ready to join a group, as of this state of it. */
interface Ready { readonly group: Uint8Array; readonly leaf: Leaf; readonly at: number; readonly joined: Promise<Joined>; checked?: Promise<Joined | undefined> }
interface Joined { readonly group: Group; readonly next: Next }

export class Call {
  readonly door: Door
  private readonly watchers = new Set<() => void>()
  readonly media: Media
  private state: View
  private group: Group | undefined
  private seq = 0                       // of the last message that was dealt with
  private readonly strangeSince = new Map<ID, number>()
  private readonly awaySince = new Map<ID, number>()
  private readonly spoilers = new Map<ID, number>()
  private culprit: ID | undefined       // whose commit stopped the visit
  private posting: Next | undefined     // a commit of mine whose place is not known yet
  private fresh: Visit | undefined      // what was seen in coming, and need not be looked up again
  private entry: Entry | undefined      // the way in, if it came with it
  private ready: Ready | undefined      // made before the click
  private told = 0                      // the last message that a notice was about
  private looked = { at: 0, isTold: false }
  private later = false                 // to look, when I see the others
  private since = 0                     // the message that is the reason to look; Infinity: there are others
  private spoiled = 0                   // since when I wait for the group to be begun again
  private queue: Promise<void> = Promise.resolve()
  private asked = false
  private over = false
  private readonly endings: (() => void)[] = []
  /** Each line that others said, once, for whoever keeps them. */
  onLine: ((line: Line) => void) | undefined

  constructor(door: Door, devices: Devices) {
    this.door = door
    this.media = new Media(devices, {
      changed: () => this.show(),
      moved: () => { this.show(); this.sync() },
      elsewhere: () => this.finish('elsewhere'),
    })
    this.state = { phase: 'arriving', visit: undefined, present: [], strangers: [], doubt: undefined, code: [], picture: [], epoch: -1, chat: [], problem: undefined, ...this.media.own }
  }

  get view(): View { return this.state }
  watch(on: () => void): () => void {
    this.watchers.add(on)
    return () => this.watchers.delete(on)
  }

  private set(change: Partial<View>): void {
    if (!this.over) this.draw(change) // what was under way when I went out says nothing any more
  }

  private draw(change: Partial<View>): void {
    this.state = { ...this.state, ...change }
    for (const on of [...this.watchers]) on()
  }

  /** Before the click that starts it: looks at the visit, and makes ready what needs nobody else. It shows to nobody, and
   * nothing is sent or opened with it: that needs keys, and those come when the server puts my commit in its place. */
  async prepare(): Promise<Visit> {
    void warmUp()
    void Group.warmUp()
    const visit = await this.door.look(true)
    if (this.looked.at === 0) this.set({ visit }) // not started meanwhile
    const { group } = visit
    if (!this.door.isLetIn || !group || Group.holds(group, this.door.me) || (this.ready && isSame(this.ready.group, group))) return visit
    const leaf = await this.door.leaf()
    const joined = Group.join(this.door.circle, leaf, group, false)
    joined.catch(() => undefined) // what is wrong with it whoever goes in is told
    this.ready = { group, leaf, at: Date.now(), joined }
    return visit
  }

  /** It is not started after all. */
  discard(): void { this.finish('left') }

  /** Comes to the door and stays until the visit, or I, leave. Who was let in before need not knock. */
  async start(): Promise<void> {
    let [begun, missed] = [false, false]
    this.endings.push(this.door.watch((seq) => {
      this.told = Math.max(this.told, seq ?? 0)
      if (begun) this.sync(seq)
      else missed = true
    }))
    this.looked = { at: Date.now(), isTold: this.door.isTold }
    try {
      const entering = this.door.isLetIn ? this.wayIn() : undefined
      if (this.ready && entering) this.checkReady(this.ready) // while the door answers
      if (entering) this.entry = await entering.catch((error: unknown) => { if (!closed(error)) throw error; return undefined })
      const seen = await this.entry?.visit
      if (this.over) return // left meanwhile
      this.fresh = seen ?? (await this.door.arrive())
      if (this.over) return
      this.set({ visit: this.fresh, problem: undefined })
    } catch (error) {
      const problem = problemOf(error)
      this.finish(problem.code === 'gone' ? 'ended' : problem.code === 'refused' ? 'removed' : 'left', problem)
      return
    }
    begun = true
    const clock = setInterval(() => { if (this.isDue()) this.sync() }, lookEvery)
    const tick = setInterval(() => this.tick(), 1000)
    const awake = (): void => { if (document.visibilityState === 'visible') this.sync() }
    const back = (): void => this.sync()
    document.addEventListener('visibilitychange', awake)
    window.addEventListener('online', back)
    this.endings.push(() => {
      clearInterval(clock)
      clearInterval(tick)
      document.removeEventListener('visibilitychange', awake)
      window.removeEventListener('online', back)
    })
    void this.stayAwake()
    this.sync()
    if (missed) void this.queue.then(() => { // what was seen in coming may be from before
      if (this.media.connecting) this.later = true
      else this.sync()
    })
  }

  private isDue(): boolean {
    const { group, state, looked } = this
    const isSettled = !this.later && this.spoiled === 0 && !state.problem && (group !== undefined || state.phase === 'waiting' || state.phase === 'stopped')
    return !isSettled || !this.door.isTold || !looked.isTold || Date.now() - looked.at >= lookAnyway
  }

  /** Looks what has changed, after what runs now; asked twice it looks once. seq: only since this message came. */
  sync(seq = Infinity): void {
    this.since = Math.max(this.since, seq)
    if (this.asked || this.over) return
    this.asked = true
    this.queue = this.queue.then(async () => {
      const { since } = this
      this.asked = false
      this.since = 0
      if (this.over) return
      try {
        if (this.group && this.media.connecting && since <= this.seq) { // my own commit, mostly
          this.later = true
          return
        }
        await this.step()
        if (this.state.problem) this.set({ problem: undefined })
      } catch (error) {
        this.set({ problem: problemOf(error) })
      }
    })
  }

  /** Does something in its turn, so that the group's state is one's own meanwhile. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work)
    this.queue = done.then(() => undefined, () => undefined)
    return done
  }

  private async step(): Promise<void> {
    // What was said comes first: it may be who is coming in, and they see nobody until I know of them. If it may not be
    // heard, the visit says why.
    if (this.group && this.told > this.seq) await this.catchUp().catch((error: unknown) => { if (!closed(error)) throw error })
    if (!this.fresh) {
      this.looked = { at: Date.now(), isTold: this.door.isTold }
      this.later = false
    }
    const visit = this.fresh ?? (await this.door.look())
    if (this.over) return
    this.fresh = undefined
    this.set({ visit })
    if (visit.state === 'ended' || visit.state === 'cancelled') return this.finish('ended')
    if (visit.me === 'removed') return this.finish('removed')
    if (visit.me === 'waiting') return this.set({ phase: 'waiting' })
    if (visit.me !== 'admitted') {
      await this.door.arrive() // the server forgot: come again
      return
    }
    if (this.state.phase === 'arriving' || this.state.phase === 'waiting') this.set({ phase: 'joining' })
    const { entry } = this
    this.entry = undefined
    if (!this.group) await this.enter(entry)
    else if (visit.seq > this.seq) await this.catchUp()
    if (this.spoiled > 0 && this.state.phase !== 'stopped' && Date.now() - this.spoiled > spoiledTime) {
      this.spoiled = 0
      await this.enter()
    }
    if (this.group && this.state.phase !== 'stopped') {
      this.connect()
      await this.tidy()
    }
    this.show()
  }

  // The group.

  // Each looks before it posts whether I went out while it waited: or a window that was put out by another comes in again,
  // and puts that one out.

  /** Asks the way in, and takes that of the media at once: it need not wait until the group is there, since without its keys
   * nothing is sent over it, and what comes is not opened. But another window of mine must hear of this one from the group
   * first, or it would come back and put this one out. */
  private async wayIn(): Promise<Entry> {
    const entry = await this.door.enter()
    if (this.over || this.state.phase === 'stopped') return entry
    if (this.state.phase !== 'in') this.set({ phase: 'joining' })
    if (entry.group ? !Group.holds(entry.group, this.door.me) : this.door.isHost) this.connect(entry.pass)
    return entry
  }

  /** Begins the group if I am the host and there is none; else joins it. */
  private async enter(early?: Entry): Promise<void> {
    for (let tries = 0; tries < joinTries; tries++) {
      const entry = early ?? (await this.wayIn())
      early = undefined
      const visit = await entry.visit
      if (!entry.group && !this.door.isHost) return // the host will begin it
      try {
        if (!entry.group) {
          const begun = await Group.begin(this.door.circle, await this.door.leaf())
          if (this.over) return
          await this.door.post(begun.groupInfo)
          return await this.follow(begun.group, visit.seq)
        }
        const { group, next } = await this.join(entry.group)
        if (this.over) return
        const { seq } = await this.door.post(next.commit, next.groupInfo)
        if (this.over) return this.tookLeave(group, next)
        this.connect(entry.pass)
        await group.take(next)
        return await this.follow(group, seq)
      } catch (error) {
        if (error instanceof Refused) return this.doubted(error, visit.host)
        if (problemOf(error).code !== 'conflict') throw error
      }
    }
  }

  /** Joins a group, or takes what was made ready if that is still it; its keys are for one stay. */
  private async join(info: Uint8Array): Promise<Joined> {
    const { ready } = this
    this.ready = undefined
    const leaf = await this.door.leaf()
    if (ready && isSame(ready.group, info) && ready.leaf.admission?.text === leaf.admission?.text && Date.now() - ready.at < readyFor) {
      const joined = await this.checkReady(ready)
      if (joined) return joined
    }
    return Group.join(this.door.circle, leaf, info)
  }

  /** Checks again who is in it: who was as they should be then may not be now. */
  private checkReady(ready: Ready): Promise<Joined | undefined> {
    ready.checked ??= (async () => {
      const joined = await ready.joined.catch(() => undefined)
      await joined?.group.check()
      return joined
    })()
    ready.checked.catch(() => undefined) // whoever joins with it is told
    return ready.checked
  }

  private async follow(group: Group, seq: number): Promise<void> {
    if (this.over) return
    this.group = group
    this.seq = seq
    this.spoiled = 0
    this.media.encryption.forget() // what came before was of another group, or of another stay in it
    this.media.encryption.setEpoch(await group.mediaEpoch(), true)
    this.media.begin()
    this.set({ phase: 'in', doubt: undefined })
    await this.showCode(group)
  }

  private async rekey(atOnce: boolean): Promise<void> {
    const group = this.group as Group
    this.media.encryption.setEpoch(await group.mediaEpoch(), atOnce)
    await this.showCode(group)
  }

  private async showCode(group: Group): Promise<void> {
    const [code, picture] = await Promise.all([codeOf(group.authenticator), pictureOf(group.authenticator)])
    this.set({ code, picture, epoch: Number(group.epoch) })
    this.show()
  }

  private async catchUp(): Promise<void> {
    this.door.expect(this.state.visit?.callers.filter((c) => c.state === 'admitted') ?? [])
    for (;;) {
      const page = await this.door.messages(this.seq)
      for (const m of page.messages) {
        if (m.seq <= this.seq) continue
        this.seq = m.seq
        if (!(await this.hear(m))) return
      }
      if (!page.more) return
    }
  }

  /** Deals with one message; false if what follows is not for me any more. */
  private async hear(m: Posted): Promise<boolean> {
    if (m.kind === 'group') {
      if (m.sender !== this.door.circle.host) return true // the server made it up: the host's browser signs no such thing
      if (m.sender === this.door.me) { this.finish('elsewhere'); return false }
      await this.enter()
      return false
    }
    if (!this.group) return false
    if (m.sender === this.door.me && m.kind === 'application') return true // I know what I said
    if (m.sender === this.door.me && m.kind === 'commit') {
      const { posting } = this
      this.posting = undefined
      if (posting && b64(posting.commit) === b64(m.body)) return this.happened(await this.group.take(posting)) // the answer to it was lost
      this.finish('elsewhere') // mine are taken when they are posted: this one is another window's
      return false
    }
    if (this.spoiled > 0 && m.kind === 'commit') return true // of a group that I could not follow
    try {
      return await this.happened(await this.group.process(m.body))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (m.kind === 'commit') await this.doubted(error, m.sender)
      return true // a message that cannot be read says nothing
    }
  }

  private async happened(event: GroupEvent): Promise<boolean> {
    if (event.kind === 'message') this.heard(event.from, event.body)
    // Of two, who came knows the epoch, and nobody else need learn of it.
    if (event.kind === 'epoch') await this.rekey(event.left.length > 0 || (event.joined.length === 1 && this.group?.members.length === 2))
    if (event.kind !== 'removed') return true
    // The host took my keys back: for good, or because I seemed to be gone. The door knows.
    this.group = undefined
    this.media.hold()
    this.media.encryption.forget()
    this.sync()
    return false
  }

  /**
   * A commit that is wrong, or a group with someone in it who is not who they should be. Whom a commit brings in says
   * nothing of who sent it: one in another's name stops nobody's visit and is no word against whom it names.
   */
  private async doubted(error: Refused, sender: ID): Promise<void> {
    if (this.spoiled === 0) this.spoiled = Date.now()
    const inAnothersName = error.doubt !== undefined && sender !== this.door.circle.host && sender !== error.doubt.member
    if (error.doubt && !inAnothersName && !(error.why === 'older' && this.door.isHost)) {
      this.culprit = sender
      this.media.hold()
      this.media.encryption.forget()
      await this.media.disconnect()
      const about = this.state.visit?.callers.find((c) => c.member === error.doubt?.member)
      this.set({ phase: 'stopped', code: [], picture: [], doubt: { name: about?.name ?? '', why: error.doubt.doubt } })
      return
    }
    if (!this.door.isHost) return // the host's browser begins it again
    const times = (this.spoilers.get(sender) ?? 0) + 1
    this.spoilers.set(sender, times)
    if (inAnothersName || times > forgiven) await this.leaveOut(sender)
    await this.begin()
  }

  /**
   * Takes a member out who spoils the group, before it is begun again. The list comes first: whoever is on it gets no key of the new
   * group, whatever the door says of them, so a door that does not answer keeps nobody from going on.
   */
  private async leaveOut(member: ID): Promise<void> {
    if (member === this.door.me || member === this.door.circle.host) return
    await this.door.circle.out.add([member])
    await this.door.remove(member).catch((error: unknown) => console.warn('take out:', problemOf(error).message))
  }

  /** The host begins the group again, without whom it was stopped for: everyone else who was admitted joins the new one. */
  beginAgain(): Promise<void> {
    return this.inTurn(async () => {
      if (this.culprit) await this.leaveOut(this.culprit)
      this.culprit = undefined
      await this.begin()
      this.sync()
    })
  }

  private async begin(): Promise<void> {
    const { group, groupInfo } = await Group.begin(this.door.circle, await this.door.leaf())
    if (this.over) return
    const { seq } = await this.door.post(groupInfo, undefined, true)
    await this.follow(group, seq)
  }

  /** Makes a change and follows it once the server has put it in its place; again if another was first. */
  private async change(make: (group: Group) => Promise<Next | undefined>): Promise<void> {
    for (let tries = 0; tries < joinTries; tries++) {
      const group = this.group
      const next = group && await make(group)
      if (!group || !next || this.over) return
      this.posting = next
      try {
        const { seq } = await this.door.post(next.commit, next.groupInfo)
        for (const m of (await this.door.messages(this.seq)).messages) {
          if (m.seq >= seq) break
          if (m.seq > this.seq) await this.hear(m) // only chat can have come before
        }
        this.seq = seq
        this.posting = undefined
        await this.happened(await group.take(next))
        return
      } catch (error) {
        if (problemOf(error).code !== 'conflict') throw error
        await this.catchUp()
      }
    }
  }

  /** The host takes back the keys of those who are gone; and of those in the media room who are not in the group, says so. */
  private async tidy(): Promise<void> {
    const { group, media } = this
    if (!group || !media.connected) return
    const here = new Set(media.others)
    const now = Date.now()
    const seats = new Set(group.members.map((s) => s.member))
    for (const id of this.strangeSince.keys()) if (!here.has(id) || seats.has(id)) this.strangeSince.delete(id)
    for (const id of here) if (!seats.has(id) && !this.strangeSince.has(id)) this.strangeSince.set(id, now)
    if (!this.door.isHost) return
    for (const id of this.awaySince.keys()) if (here.has(id) || !seats.has(id)) this.awaySince.delete(id)
    const gone: ID[] = []
    for (const seat of group.members) {
      if (seat.member === this.door.me || here.has(seat.member)) continue
      const since = this.awaySince.get(seat.member) ?? now
      this.awaySince.set(seat.member, since)
      if (now - since > awayTime || this.state.visit?.callers.some((c) => c.member === seat.member && c.state !== 'admitted')) gone.push(seat.member)
    }
    await this.shutOut(gone) // and who is out, should that not have come to the group yet
  }

  private connect(first?: RoomPass): void {
    if (this.media.wanted) return
    const pass = (): Promise<RoomPass> => {
      const known = first
      first = undefined // it is good for a short time
      return known ? Promise.resolve(known) : this.door.room()
    }
    void this.media.connect(pass, () => !this.over && (this.state.phase === 'in' || this.state.phase === 'joining')).then(async (again) => {
      if (this.later) this.sync()
      if (again && this.door.isHost) await this.inTurn(() => this.change((g) => g.update())).catch(() => undefined) // back with new keys
    })
  }

  // What is said.

  /** Says something to all who are here. */
  async say(line: { readonly text: string } | { readonly entry: ID; readonly name: string }): Promise<void> {
    const id = newID()
    const time = new Date().toISOString()
    const isText = 'text' in line
    const mine: Line = { id, from: this.door.me, name: '', mine: true, time, text: isText ? line.text.slice(0, maxLine) : '', file: isText ? undefined : line, state: 'sending' }
    this.addLine(mine)
    try {
      await this.tellAll(isText ? { t: 'text', id, time, text: mine.text } : { t: 'file', id, time, entry: line.entry, name: line.name })
      this.editLine(id, { state: 'sent' })
    } catch (error) {
      this.editLine(id, { state: 'failed' })
      throw problemOf(error)
    }
  }

  private tellAll(said: Said): Promise<void> {
    return this.inTurn(async () => {
      for (let tries = 0; tries < joinTries && this.group; tries++) {
        try {
          await this.door.post(await this.group.send(utf8(JSON.stringify(said))))
          return
        } catch (error) {
          if (problemOf(error).code !== 'conflict') throw error
          await this.catchUp()
        }
      }
      throw new EngineProblem('offline', 'it could not be said: the group is not there, or changes all the time')
    })
  }

  private heard(from: ID, body: Uint8Array): void {
    let said: Said
    try {
      said = JSON.parse(text(body)) as Said
    } catch {
      return // not something that this version says
    }
    if (typeof said !== 'object' || said === null) return
    if (said.t === 'bye' && this.door.isHost) {
      this.awaySince.set(from, 0)
      this.sync()
    }
    if (said.t !== 'text' && said.t !== 'file') return
    const name = this.nameOf(from)
    const words = typeof said.text === 'string' ? said.text.slice(0, maxLine) : ''
    const file = said.t === 'file' && typeof said.entry === 'string' && typeof said.name === 'string' ? { entry: said.entry, name: said.name.slice(0, 200) } : undefined
    const line: Line = { id: newID(), from, name, mine: false, time: new Date().toISOString(), text: words, file, state: 'sent' }
    this.addLine(line)
    this.onLine?.(line)
  }

  private addLine(line: Line): void { this.set({ chat: [...this.state.chat, line].slice(-maxLines) }) }
  private editLine(id: string, change: Partial<Line>): void { this.set({ chat: this.state.chat.map((l) => (l.id === id ? { ...l, ...change } : l)) }) }

  // What only the host does.

  async admit(who: Caller): Promise<void> {
    await this.door.admit(who)
    this.sync()
  }

  /** At once and for good: this browser keeps it, the server forwards nothing more, and the group has new keys. */
  remove(member: ID): Promise<void> {
    return this.inTurn(async () => {
      await this.door.circle.out.add([member])
      await this.door.remove(member)
      await this.shutOut()
      this.sync()
    })
  }

  /** Tells the group who is out, and takes back their keys and those of some who are gone. */
  private async shutOut(gone: readonly ID[] = []): Promise<void> {
    await this.change((g) => g.shut())
    await this.change((g) => g.remove(gone))
  }

  async late(minutes: number): Promise<void> {
    await this.door.late(minutes)
    this.sync()
  }

  async end(): Promise<void> {
    await this.door.end()
    this.finish('ended')
  }

  /** Leaves; the visit goes on, and I may come back. */
  async leave(): Promise<void> {
    const { group } = this
    this.finish('left')
    await Promise.allSettled([group && this.bye(group), this.door.leave()])
  }

  /** So that the host need not wait to be sure that I am gone. */
  private async bye(group: Group): Promise<void> {
    if (!this.door.isHost) await this.door.post(await group.send(utf8(JSON.stringify({ t: 'bye' } satisfies Said))))
  }

  /** I left while my commit was on its way: I am in the group all the same, until the host takes me out. */
  private async tookLeave(group: Group, next: Next): Promise<void> {
    await group.take(next)
    if (this.state.phase === 'left') await this.bye(group)
  }

  private finish(phase: Phase, problem?: Problem): void {
    if (this.over) return
    this.over = true
    for (const end of this.endings) end()
    this.media.dispose()
    this.group = undefined
    this.draw({ phase, present: [], strangers: [], problem, ...this.media.own })
  }

  // What is shown.

  private nameOf(member: ID): string { return this.state.visit?.callers.find((c) => c.member === member)?.name ?? '' }

  private tick(): void {
    if (this.media.connected) void this.inTurn(() => this.tidy()).catch(() => undefined)
    this.show()
  }

  private show(): void {
    if (this.over) return
    const now = Date.now()
    const present = (this.group?.members ?? []).map((seat): Present => {
      const isMe = seat.member === this.door.me
      const caller = this.state.visit?.callers.find((c) => c.member === seat.member)
      return {
        member: seat.member, name: caller?.name ?? '', role: caller?.role ?? (seat.role as Caller['role']), guest: caller?.guest, isMe, isHost: seat.member === this.door.circle.host,
        ...this.media.of(seat.member, isMe),
      }
    })
    const strangers = [...this.strangeSince].filter(([, since]) => now - since > strangerTime).map(([id]) => id)
    const next = { present, strangers, ...this.media.own }
    if (!same(this.state, next)) this.set(next)
  }

  /** The screen stays on while I am here; a browser that cannot do it goes dark as it always does. */
  private async stayAwake(): Promise<void> {
    const hold = async (): Promise<void> => {
      if (this.over || document.visibilityState !== 'visible') return
      const lock = await navigator.wakeLock?.request('screen').catch(() => undefined)
      if (lock) this.endings.push(() => { void lock.release() })
    }
    const again = (): void => { void hold() }
    document.addEventListener('visibilitychange', again)
    this.endings.push(() => document.removeEventListener('visibilitychange', again))
    await hold()
  }
}

/** Whether the server says that I am not let in, or not any more; a guest's session ends with it. */
const closed = (error: unknown): boolean => ['refused', 'conflict', 'unauthenticated'].includes(problemOf(error).code)

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** Whether a view already says what is to be shown, so that nothing is drawn again for nothing. */
function same(view: View, next: Pick<View, 'present' | 'strangers'> & OwnMedia): boolean {
  const differ = <T extends object>(a: T, b: T): boolean => Object.entries(b).some(([key, value]) => a[key as keyof T] !== value)
  const { present, strangers, ...own } = next
  return !differ(view as object, own) && strangers.join() === view.strangers.join() && present.length === view.present.length
    && !present.some((p, i) => differ({ ...view.present[i], guest: undefined } as object, { ...p, guest: undefined }))
}
