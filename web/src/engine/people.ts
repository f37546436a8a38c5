// People's cards and browsers, checked and remembered: whose signature is this? Who has which card is what the signed history
// says (membership.ts). The server sends beside it what belongs to cards: recipients, by their hashes, and browsers' certificates.

import { Bad, hash } from '../seal/bytes.ts'
import type { Person, Roster, Thread } from '../seal/membership.ts'
import { recipientWrong } from '../seal/recipient.ts'
import { checkSignatures, parse, rolesOf } from '../seal/statements.ts'
import type { Chain, Membership } from './membership.ts'
import type { Net } from './net.ts'
import { EngineProblem, problemOf } from './problem.ts'
import type { Role } from './types.ts'
import type { WireCards } from './wire.ts'

/** The public half of somebody's keys. recipient is '' of an old card of which the server shows none. */
export interface KnownCard { readonly hash: string; readonly serial: number; readonly signing: string; readonly recipient: string }

export interface KnownPerson {
  readonly person: string; readonly roles: readonly Role[]; readonly state: 'active' | 'ended'
  /** All that ever counted, oldest first. */
  readonly cards: readonly KnownCard[]
  readonly current: KnownCard
  readonly browsers: ReadonlyMap<string, string> // key to card hash
  /** The history they are in, the roster or their own thread, and what it says of them. */
  readonly chain: Chain
  readonly member: Person
}

/** What the ledger says of a chain of statements. */
export interface Agreement {
  /** Refuses a chain if the organisations agreed on another. now gives it as it is shown now. */
  check(label: string, texts: readonly string[], now: () => Promise<readonly string[]>): Promise<void>
  /** Whether the newest that was agreed is just these, or there is no ledger. */
  agrees(label: string, texts: readonly string[]): Promise<boolean>
}

const noLedger: Agreement = { check: () => Promise.resolve(), agrees: () => Promise.resolve(true) }

/** How long an answer of the ledger of a chain that did not grow is the newest, in ms: as long as one request with many grants takes. */
const agreedFor = 2000

export class People {
  private readonly known = new Map<string, Promise<KnownPerson>>()
  private readonly checks = new Map<string, { readonly size: number; readonly done: Promise<void> }>()

  constructor(
    private readonly net: Pick<Net, 'get'>, readonly membership: Membership, private readonly self: string, private readonly ledger: Agreement = noLedger,
  ) {}

  forget(person?: string): void {
    if (person === undefined) {
      this.known.clear()
      this.checks.clear()
    } else this.known.delete(person)
  }

  get(person: string): Promise<KnownPerson> {
    const known = this.known.get(person)
    if (known) return known.then((p) => (p.chain.history.person(person) === p.member ? p : this.renewed(person)))
    const found = this.ask(person, false)
    found.catch(() => { if (this.known.get(person) === found) this.known.delete(person) })
    this.known.set(person, found)
    return found
  }

  /** As the server has them now; until then, or if it cannot be asked, what is known stays. */
  again(person: string): Promise<KnownPerson> {
    const before = this.known.get(person)
    const found = this.ask(person, true)
    found.then(() => { if (this.known.get(person) === before) this.known.set(person, found) }, () => undefined)
    return found
  }

  /** Reads someone again whom only their own thread speaks of; the roster was just read. */
  async reread(person: string): Promise<KnownPerson> {
    const found = this.wire(person).then((wire) => this.check(wire))
    const p = await found
    this.known.set(person, found)
    return p
  }

  /** The history that someone is in, or is invited in, as it is shown now. */
  async chainOf(person: string): Promise<Chain> {
    await this.membership.sync()
    const { chain: roster } = this.membership
    const { invitations, pending } = roster.history
    if (roster.history.person(person) || [...invitations, ...pending].some((x) => x.person === person)) return roster
    const wire = await this.wire(person).catch((error: unknown) => {
      if (problemOf(error).code !== 'missing') throw error
    })
    const chain = wire ? await this.chainIn(wire) : this.membership.chainOf(person) // who did not join yet may have nothing shown
    if (!chain) throw new EngineProblem('missing', "the clinic's history has no such person")
    return chain
  }

  /**
   * Someone to whose card something may be sealed: their history holds, is the newest that the server shows, and just that is what the
   * ledger says. Oneself is known without.
   */
  async toSealTo(person: string): Promise<KnownPerson> {
    const p = await this.again(person)
    if (p.state === 'ended') throw new EngineProblem('refused', 'this person has left the clinic')
    if (person === this.self) return p
    const wrong = p.chain.wrong ?? this.membership.chain.wrong
    if (wrong) throw new EngineProblem('tampered', wrong.why)
    if (!(await this.agrees(p.chain))) throw new EngineProblem('withheld', "keys are not passed on until the clinic's ledger answers")
    return p
  }

  /** A lock is passed on to many at once, most of whom are in the roster. */
  private agrees({ history, texts }: Chain): Promise<boolean> {
    const before = this.agreed.get(history.chain)
    if (before && before.size === texts.length && Date.now() - before.at < agreedFor) return before.yes
    const yes = this.ledger.agrees(history.chain, [...texts])
    this.agreed.set(history.chain, { size: texts.length, at: Date.now(), yes })
    return yes
  }

  private readonly agreed = new Map<string, { readonly size: number; readonly at: number; readonly yes: Promise<boolean> }>()

  private async ask(person: string, anew: boolean): Promise<KnownPerson> {
    await (anew ? this.membership.sync() : this.membership.fresh())
    return this.check(await this.wire(person), anew)
  }

  private wire(person: string): Promise<WireCards> { return this.net.get<WireCards>(`/api/people/${person}/cards`) }

  /** Finds someone in the histories, with what was sent beside. last: whether it was read again already. */
  async check(wire: WireCards, last = false): Promise<KnownPerson> {
    const { person } = wire
    const chain = await this.chainIn(wire)
    const member = chain?.history.person(person)
    const recipients = new Map(await Promise.all(wire.recipients.map(async (r) => [await hash(r), r] as const)))
    const isWhole = chain && member && recipients.has(member.recipientHash) && (chain.wrong === undefined || chain.wrong.kind === 'bad')
    if (!isWhole && !last) {
      // Something was stated between the two answers, or the older came later.
      await this.membership.sync()
      return this.check(await this.wire(person), true)
    }
    if (!chain || !member) throw new EngineProblem('missing', "the clinic's history has no such person")
    const roster = this.membership.chain
    if (person !== this.self || chain === roster) await this.checkAgreed(chain, person)
    const cards = cardsOf(chain.history, person, recipients)
    const current = cards.find((c) => c.hash === member.card)
    if (!current || current.recipient === '' || recipientWrong(current.recipient) !== '') throw new Bad('to whom things are sealed for this person is not shown')
    return {
      person, roles: rolesOf(member.roles) ?? [], state: member.active ? 'active' : 'ended', cards, current, chain, member,
      browsers: await browsersOf(this.membership.org, person, cards, wire.browsers),
    }
  }

  /** Staff are in the roster, whatever else the server shows of them. */
  private async chainIn(wire: WireCards): Promise<Chain | undefined> {
    if (this.membership.roster.person(wire.person)) return this.membership.chain
    return wire.thread && wire.thread.length > 0 ? this.membership.thread(wire.person, wire.thread) : undefined
  }

  /** Asks the ledger once of what is shown of a chain. */
  private checkAgreed({ history, texts }: Chain, person: string): Promise<void> {
    const label = history.chain
    const before = this.checks.get(label)
    if (before?.size === texts.length) return before.done
    const shown = async (): Promise<readonly string[]> => {
      if (label === this.membership.org) {
        await this.membership.sync()
        return this.membership.chain.texts
      }
      return (await this.wire(person)).thread ?? []
    }
    const done = this.ledger.check(label, [...texts], shown)
    this.checks.set(label, { size: texts.length, done })
    done.catch(() => this.checks.delete(label))
    return done
  }

  /** Whether a key was ever a browser of this person; asks again once if it is not known. */
  async hasBrowser(person: string, key: string): Promise<boolean> {
    if ((await this.get(person)).browsers.has(key)) return true
    return (await this.renewed(person)).browsers.has(key)
  }

  /** The signing key of a person's card by its hash. */
  async signingKey(person: string, card: string): Promise<string | undefined> {
    const find = (p: KnownPerson): string | undefined => p.cards.find((c) => c.hash === card)?.signing
    return find(await this.get(person)) ?? find(await this.renewed(person))
  }

  async signingKeys(person: string): Promise<readonly string[]> {
    return (await this.get(person)).cards.map((c) => c.signing)
  }

  private renewed(person: string): Promise<KnownPerson> {
    this.forget(person)
    return this.get(person)
  }
}

/** Each card that ever counted, once. */
function cardsOf(history: Roster | Thread, person: string, recipients: ReadonlyMap<string, string>): KnownCard[] {
  const cards = new Map<string, KnownCard>()
  for (const { card, serial, signing, recipientHash } of history.cards(person)) cards.set(card, { hash: card, serial, signing, recipient: recipients.get(recipientHash) ?? '' })
  return [...cards.values()]
}

/** Browsers that one of the cards certified. */
async function browsersOf(org: string, person: string, cards: readonly KnownCard[], certificates: readonly string[]): Promise<Map<string, string>> {
  const browsers = new Map<string, string>()
  for (const text of certificates) {
    const b = await parse('ward/browser/1', text)
    if (b.body.person !== person || b.body.org !== org) throw new Bad('a browser that is shown as theirs is certified for someone else')
    const card = cards.find((c) => c.hash === b.body.card)
    if (!card) continue // such as one that waits, or was refused
    await checkSignatures(b, card.signing)
    browsers.set(b.body.key, b.body.card)
  }
  return browsers
}
