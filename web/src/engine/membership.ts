// Who is who, as this device knows it: the clinic's roster and the threads of patients and proxies, read from the server and
// judged by what people signed (seal/membership.ts). What was seen once must stay: a server that shows another statement at a
// place, or fewer, is not followed. Whoever states something here does so at the newest place, and again if another was first.

import { Bad, hash, now } from '../seal/bytes.ts'
import { Roster, Thread, type OpenInvitation, type Pending } from '../seal/membership.ts'
import { isMembership, write, type Author, type Bodies, type MembershipBodies, type MembershipType, type Place } from '../seal/statements.ts'
import type { Self } from './locks.ts'
import type { Net } from './net.ts'
import { EngineProblem, problemOf } from './problem.ts'
import type { Shelf } from './shelf.ts'
import type { ID } from './types.ts'
import type { WireMembership } from './wire.ts'

/** How many statements are checked before the page may do something else. */
const batch = 25
/** How often one thing is stated anew, since others stated theirs at its place. */
const maxAttempts = 5

/** What is wrong with a history, and from which place on. shorter, other: than this device saw; bad: a statement breaks a rule. */
export interface Wrong { readonly kind: 'shorter' | 'other' | 'bad'; readonly seq: number; readonly why: string }

/** How someone made sure of whom they confirm. */
export type How = MembershipBodies['ward/confirm/1']['how']

/** What the texts of a history say beside who is who. */
interface Told {
  /** Of cards by their hashes: when they were made, and with which invitation. */
  readonly cards: Map<string, { readonly time: string; readonly invitation?: string | undefined }>
  /** Of what was confirmed, by its hash. */
  readonly confirmed: Map<string, { readonly by: ID; readonly how: string }[]>
}

/** A history with the statements as they were shown, of which it is made as far as they hold. */
export class Chain {
  texts: string[] = []
  wrong: Wrong | undefined
  readonly told: Told = { cards: new Map(), confirmed: new Map() }
  private noted = 0

  constructor(readonly history: Roster | Thread) {}

  /** Reads statements that follow those which hold; what breaks a rule ends the history, and is told. */
  async read(texts: readonly string[]): Promise<void> {
    for (let at = 0; at < texts.length; at += batch) {
      const some = texts.slice(at, at + batch)
      const broke = await this.history.read(some, now())
      if (broke) {
        this.texts.push(...texts.slice(at))
        this.wrong = { kind: 'bad', ...broke }
        return this.note()
      }
      this.texts.push(...some)
      if (at + batch < texts.length) await new Promise((resolve) => setTimeout(resolve))
    }
    return this.note()
  }

  /** Those of the texts that hold. */
  get held(): readonly string[] { return this.texts.slice(0, this.history.head.seq) }

  /** What commits to the name that someone was given since they joined; nothing if it is still that of then. */
  renamed(person: ID): string | undefined {
    const joined = this.history.cards(person)[0]
    const name = this.history.person(person)?.name
    return joined !== undefined && name !== this.history.person(person, joined.from)?.name ? name : undefined
  }

  /** Takes the texts of a history that was loaded. */
  took(texts: readonly string[]): void {
    this.texts = [...texts]
    this.note()
  }

  private note(): void {
    for (; this.noted < this.history.head.seq; this.noted++) {
      const [type, line] = (this.texts[this.noted] as string).split('\n') as [string, string]
      if (type === 'ward/card/2') {
        const { time, invitation } = JSON.parse(line) as MembershipBodies['ward/card/2']
        this.told.cards.set(this.history.hashAt(this.noted + 1) as string, { time, invitation })
      } else if (type === 'ward/confirm/1') {
        const { what, by, how } = JSON.parse(line) as MembershipBodies['ward/confirm/1']
        this.told.confirmed.set(what, [...(this.told.confirmed.get(what) ?? []), { by, how }])
      }
    }
  }
}

/** The place after the newest statement of a history. */
export function placeAfter(history: Roster | Thread, roster: Roster): Place {
  const { seq, hash: previous } = history.head
  return {
    org: history.org, chain: history.chain, seq: seq + 1, previous: previous || undefined,
    ...(history !== roster && { rosterSeq: roster.head.seq, rosterHash: roster.head.hash }),
  }
}

/** Statements with an author. */
export type Authored = Exclude<MembershipType, 'ward/card/2'>
export type Own<T extends Authored> = Omit<MembershipBodies[T], keyof Place | keyof Author>

/** Does something at the newest place of a history, and again if another statement was first. */
export async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (problemOf(error).code !== 'conflict' || attempt === maxAttempts) throw error
    }
  }
}

/** What is kept of the roster from one start to the next. */
interface Kept { readonly texts: readonly string[]; readonly state: unknown }
/** What is kept of a thread: its newest place, and what stood there. */
interface Pin { readonly seq: number; readonly hash: string }

export class Membership {
  private readonly threads = new Map<ID, Chain>()
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined
  private synced = false

  private constructor(
    private readonly net: Pick<Net, 'get'> & { readonly hearing?: boolean }, private readonly shelf: Shelf, private readonly reader: ID, readonly chain: Chain,
    private readonly grew: () => void,
  ) {}

  /** Takes up the roster where this device left it. Nothing is asked yet. */
  static async start(net: Pick<Net, 'get'>, shelf: Shelf, reader: ID, org: ID, clinicText: string, grew: () => void = () => undefined): Promise<Membership> {
    const clinic = await hash(clinicText)
    const kept = (await shelf.get('pins', `membership/${reader}/${org}`)) as Kept | undefined
    const loaded = kept && (await load(kept, clinic))
    if (loaded) return new Membership(net, shelf, reader, loaded, grew)
    const chain = new Chain(await Roster.start(org, clinicText))
    if (kept) await chain.read(kept.texts) // from another version of this app, which judged by other rules
    return new Membership(net, shelf, reader, chain, grew)
  }

  get roster(): Roster { return this.chain.history as Roster }
  get org(): ID { return this.roster.org }

  /** Threads that were read. */
  get read(): readonly Chain[] { return [...this.threads.values()] }

  /** Reads what is new in the roster, unless it was read and what is new would have been told. */
  async fresh(): Promise<void> {
    if (!this.synced || this.net.hearing !== true) await this.sync()
  }

  /** Reads what is new in the roster. Whoever calls gets all that was there when they did. */
  sync(): Promise<void> {
    this.next ??= (this.running ?? Promise.resolve()).catch(() => undefined).then(() => {
      this.running = this.next
      this.next = undefined
      return this.readOn()
    })
    return this.next
  }

  private async readOn(): Promise<void> {
    const { chain } = this
    const before = chain.history.head.seq
    const was = chain.wrong?.kind
    for (;;) {
      // The last one that is known comes again: a server that has another there, or fewer, is found out.
      const { seq, hash: last } = chain.history.head
      const page = await this.net.get<WireMembership>(`/api/membership?after=${Math.max(0, seq - 1)}`)
      const statements = [...page.statements]
      if (seq > 0) {
        const shown = statements.shift()
        chain.wrong = shown === undefined ? { kind: 'shorter', seq, why: 'the server shows fewer statements than before' }
          : (await hash(shown)) !== last ? { kind: 'other', seq, why: 'the server shows another history than before' } : undefined
        if (chain.wrong) break
      } else chain.wrong = undefined
      chain.texts = [...chain.held]
      if (statements.length === 0) break
      await chain.read(statements)
      if (chain.wrong || !page.more) break
    }
    this.synced = true
    if (chain.wrong) console.warn('the roster:', chain.wrong.why)
    if (chain.history.head.seq > before) await this.shelf.put('pins', this.key, { texts: chain.held, state: chain.history.save() } satisfies Kept)
    if (chain.history.head.seq > before || chain.wrong?.kind !== was) this.grew()
  }

  private get key(): string { return `membership/${this.reader}/${this.org}` }

  /** The thread of someone, read on to what is shown of it now. */
  async thread(person: ID, shown: readonly string[]): Promise<Chain> {
    const last = placeIn(shown.at(-1) ?? '')
    if (last !== undefined && last > this.roster.head.seq) await this.sync()
    const before = this.threads.get(person)
    const work = (this.reading.get(person) ?? Promise.resolve()).catch(() => undefined).then(() => this.readThread(person, shown))
    this.reading.set(person, work)
    const chain = await work
    if (this.reading.get(person) === work) this.reading.delete(person)
    if (!before) this.threads.set(person, chain)
    return chain
  }

  private readonly reading = new Map<ID, Promise<unknown>>()

  private async readThread(person: ID, shown: readonly string[]): Promise<Chain> {
    const chain = this.threads.get(person) ?? new Chain(Thread.start(this.roster, person))
    const pin = (await this.shelf.get('pins', `${this.key}/${person}`)) as Pin | undefined
    const held = chain.history.head.seq
    const differs = chain.texts.slice(0, held).findIndex((text, i) => shown[i] !== text)
    if (shown.length < Math.max(held, pin?.seq ?? 0)) chain.wrong = { kind: 'shorter', seq: shown.length + 1, why: 'the server shows fewer statements of this person than before' }
    else if (differs >= 0 || (pin && (await hash(shown[pin.seq - 1] as string)) !== pin.hash)) {
      chain.wrong = { kind: 'other', seq: differs >= 0 ? differs + 1 : (pin?.seq ?? 0), why: 'the server shows other statements of this person than before' }
    } else {
      chain.wrong = undefined
      chain.texts = [...chain.held]
      await chain.read(shown.slice(held))
      const { seq, hash: newest } = chain.history.head
      if (seq > (pin?.seq ?? 0)) await this.shelf.put('pins', `${this.key}/${person}`, { seq, hash: newest } satisfies Pin)
    }
    this.threads.set(person, chain)
    return chain
  }

  /** The history that someone is in, as far as it was read: the roster, for whoever it knows. */
  chainOf(person: ID): Chain | undefined { return this.roster.person(person) ? this.chain : this.threads.get(person) }

  /** What would be stated next by someone, before it is signed. */
  private draft<T extends Authored>(chain: Chain, own: Own<T>, self: Pick<Self, 'person' | 'card'>): Bodies[T] {
    return { ...placeAfter(chain.history, this.roster), ...own, by: self.person, card: self.card, time: now() } as unknown as Bodies[T]
  }

  /** Whether someone may state something next; nothing is sent. */
  may<T extends Authored>(chain: Chain, type: T, own: Own<T>, self: Pick<Self, 'person' | 'card'>): boolean {
    return !chain.wrong && chain.history.refusal(type, this.draft<T>(chain, own, self), now()) === ''
  }

  /** States something at the newest place. upToDate gives the history as it is now, each time. */
  async state<T extends Authored, R>(upToDate: () => Promise<Chain>, type: T, own: Own<T>, self: Self, send: (text: string) => Promise<R>): Promise<R> {
    return again(async () => {
      const chain = await upToDate()
      if (chain.wrong) throw new EngineProblem('tampered', chain.wrong.why)
      const body = this.draft<T>(chain, own, self)
      const why = chain.history.refusal(type, body, now())
      if (why !== '') throw new EngineProblem('refused', why)
      return send((await write(type, body, self.signing.sign)).text)
    })
  }

  /** All that waits, with the history in which it does. */
  waiting(): readonly { readonly chain: Chain; readonly matter: Pending }[] {
    return [this.chain, ...this.threads.values()].flatMap((chain) => chain.history.pending.map((matter) => ({ chain, matter })))
  }

  /** An open invitation with its history, as far as that was read. */
  invitation(id: ID): { readonly chain: Chain; readonly invite: OpenInvitation } | undefined {
    for (const chain of [this.chain, ...this.threads.values()]) {
      const invite = chain.history.invitations.find((i) => i.invitation === id)
      if (invite) return { chain, invite }
    }
    return undefined
  }
}

/** A roster as it was left, if the texts that were kept with it are those that it was made of. */
async function load(kept: Kept, clinic: string): Promise<Chain | undefined> {
  try {
    const roster = Roster.load(kept.state)
    if (roster.hashAt(0) !== clinic || roster.head.seq !== kept.texts.length) return undefined
    const hashes = await Promise.all(kept.texts.map((text) => hash(text)))
    if (!hashes.every((h, i) => h === roster.hashAt(i + 1))) return undefined
    const chain = new Chain(roster)
    chain.took(kept.texts)
    return chain
  } catch (error) {
    if (error instanceof Bad) return undefined
    throw error
  }
}

/** The place of the roster that a thread's statement names, if it can be read. */
function placeIn(text: string): number | undefined {
  const [type = '', line = ''] = text.split('\n')
  if (!isMembership(type)) return undefined
  try {
    const { rosterSeq } = JSON.parse(line) as Place
    return typeof rosterSeq === 'number' ? rosterSeq : undefined
  } catch {
    return undefined
  }
}

/** Reads the roster as somebody with an invitation is shown it, from the clinic's statement that their link names. */
export async function invitedRoster(org: ID, clinicText: string, first: WireMembership, more: (after: number) => Promise<WireMembership>): Promise<Chain> {
  const chain = new Chain(await Roster.start(org, clinicText))
  for (let page = first; ; page = await more(chain.history.head.seq)) {
    await chain.read(page.statements)
    if (chain.wrong) throw new EngineProblem('tampered', chain.wrong.why)
    if (!page.more || page.statements.length === 0) return chain
  }
}
