// A clinic whose people have keys, with its histories as an honest server shows them; a test may show something else.

import { certify } from '../src/engine/account.ts'
import type { Self } from '../src/engine/locks.ts'
import { Membership } from '../src/engine/membership.ts'
import type { Net } from '../src/engine/net.ts'
import { People, type Agreement } from '../src/engine/people.ts'
import { EngineProblem } from '../src/engine/problem.ts'
import { MemoryShelf, type Shelf } from '../src/engine/shelf.ts'
import type { WireCards } from '../src/engine/wire.ts'
import { hash, newID, newIdentity, random, recipientOf, signingKey, type SigningKey } from '../src/seal/bytes.ts'
import { hashOf, write, type Bodies, type MembershipBodies, type MembershipType, type Place } from '../src/seal/statements.ts'

export interface Someone { readonly self: Self; readonly browser: SigningKey }
type Own<T extends MembershipType> = Omit<MembershipBodies[T], keyof Place | 'by' | 'card' | 'time'>
const minute = 60_000

export class Clinic {
  readonly roster: string[] = []
  readonly threads = new Map<string, string[]>()
  readonly beside = new Map<string, { recipients: string[]; browsers: string[] }>()
  private readonly links = new Map<string, SigningKey>()
  private clock = Date.now() - 90 * 24 * 60 * minute

  private constructor(readonly org: string, readonly clinicText: string, readonly founder: Someone) {}

  static async start(org = newID()): Promise<Clinic> {
    const founder = await keys(org, newID())
    const { self } = founder
    const locks = { directory: newID(), staff: newID(), clinicians: newID(), emergency: newID() }
    const clinic = await write('ward/clinic/1', { org, founder: self.person, signing: self.signing.public, locks, time: new Date(Date.now() - 91 * 24 * 60 * minute).toISOString() }, self.signing.sign)
    const c = new Clinic(org, clinic.text, founder)
    Object.assign(founder, await c.card(founder, undefined))
    return c
  }

  wait(hours: number): void { this.clock += hours * 60 * minute }
  /** From here on what is stated is stated now, as by the app. */
  untilNow(): void { this.clock = Date.now() }

  textsOf(person: string): string[] { return this.threads.get(person) ?? this.roster }

  async place(chain: string): Promise<Place> {
    this.clock = Math.min(this.clock + minute, Date.now())
    const texts = chain === this.org ? this.roster : (this.threads.get(chain) as string[])
    const last = texts.at(-1)
    const previous = last !== undefined ? await hash(last) : chain === this.org ? await hash(this.clinicText) : undefined
    const roster = chain === this.org ? {} : { rosterSeq: this.roster.length, rosterHash: await hash(this.roster.at(-1) ?? this.clinicText) }
    return { org: this.org, chain, seq: texts.length + 1, previous, ...roster }
  }

  get time(): string { return new Date(this.clock).toISOString() }

  /** States something in the roster or in a patient's thread. */
  async say<T extends Exclude<MembershipType, 'ward/card/2'>>(type: T, by: Someone, own: Own<T>, chain = this.org): Promise<string> {
    const body = { ...(await this.place(chain)), ...own, by: by.self.person, card: by.self.card, time: this.time } as unknown as Bodies[T]
    const s = await write(type, body, by.self.signing.sign)
    ;(chain === this.org ? this.roster : (this.threads.get(chain) as string[])).push(s.text)
    return hashOf(s)
  }

  /** An invitation, which a card of the same person follows. */
  async invite(by: Someone, person: string, roles: string, more: { recover?: true } = {}): Promise<string> {
    const inThread = /patient|proxy/.test(roles)
    if (inThread && !this.threads.has(person)) this.threads.set(person, [])
    const link = await signingKey(random(32))
    const invitation = newID()
    this.links.set(invitation, link)
    await this.say('ward/invite/1', by, {
      invitation, person, verifier: link.public, roles, name: await hash('a name'), until: new Date(this.clock + 7 * 24 * 60 * minute).toISOString(), ...more,
    }, inThread ? person : this.org)
    return invitation
  }

  async join(roles: string, by: Someone = this.founder): Promise<Someone> {
    const someone = await keys(this.org, newID())
    return this.card(someone, await this.invite(by, someone.self.person, roles))
  }

  /** New keys of someone: with those before, or by an invitation. */
  async newKeys(before: Someone, invitation?: string): Promise<Someone> {
    return this.card(await keys(this.org, before.self.person, before.browser), invitation, before)
  }

  private async card(of: Someone, invitation: string | undefined, before?: Someone): Promise<Someone> {
    const { person, signing, identity } = of.self
    const chain = this.threads.has(person) ? person : this.org
    const recipient = await recipientOf(identity)
    const serial = this.textsOf(person).filter((t) => t.startsWith('ward/card/2') && t.includes(`"person":"${person}"`)).length + 1
    const second = invitation !== undefined ? [(this.links.get(invitation) as SigningKey).sign] : before ? [before.self.signing.sign] : []
    const s = await write('ward/card/2', {
      ...(await this.place(chain)), person, serial, before: before?.self.card, recipientHash: await hash(recipient), signing: signing.public, invitation, time: this.time,
    }, signing.sign, ...second)
    this.textsOf(person).push(s.text)
    const made = { ...of, self: { ...of.self, card: await hashOf(s) } }
    const beside = this.beside.get(person) ?? { recipients: [], browsers: [] }
    beside.recipients.push(recipient)
    beside.browsers.push((await certify(this.org, person, made.self.card, of.browser, signing)).text)
    this.beside.set(person, beside)
    return made
  }

  cardsOf(person: string): WireCards {
    const thread = this.threads.get(person)
    return { person, state: 'active', recipients: [], browsers: [], ...structuredClone(this.beside.get(person)), ...(thread && { thread: [...thread] }) }
  }

  /** What the server answers, if it is asked of its members. */
  answer(path: string): unknown {
    const person = /^\/api\/people\/([a-z2-7]+)\/cards$/.exec(path)?.[1]
    if (person !== undefined) {
      if (!this.beside.has(person)) throw new EngineProblem('missing', 'there is no such person')
      return this.cardsOf(person)
    }
    const after = /^\/api\/membership\?after=(\d+)$/.exec(path)?.[1]
    if (after === undefined) return undefined
    const page = this.roster.slice(Number(after), Number(after) + 20)
    return { statements: page, more: Number(after) + page.length < this.roster.length }
  }

  get net(): Pick<Net, 'get'> {
    return { get: async <T>(path: string): Promise<T> => {
      const answer = this.answer(path)
      if (answer === undefined) throw new EngineProblem('missing', path)
      return answer as T
    } }
  }

  /** What a device of someone knows of the clinic's people. */
  async people(reader = this.founder.self.person, shelf: Shelf = new MemoryShelf(), net: Pick<Net, 'get'> = this.net, ledger?: Agreement): Promise<People> {
    return new People(net, await Membership.start(net, shelf, reader, this.org, this.clinicText), reader, ledger)
  }
}

async function keys(org: string, person: string, browser?: SigningKey): Promise<Someone> {
  const self = { org, person, identity: await newIdentity(), signing: await signingKey(random(32)), card: '', name: 'Amina' }
  return { self, browser: browser ?? (await signingKey(random(32))) }
}
