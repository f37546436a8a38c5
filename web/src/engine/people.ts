// People's cards and browsers, checked and remembered: whose signature is this? What the server says of a person's
// keys must follow from what this browser saw before, so that it cannot put other keys in their place unnoticed.

import { Bad } from '../seal/bytes.ts'
import { checkCards, checkSignatures, hashOf, parse, type Statement } from '../seal/statements.ts'
import type { Net } from './net.ts'
import type { Shelf } from './shelf.ts'
import type { Role } from './types.ts'
import type { WireCards } from './wire.ts'

export interface KnownPerson {
  readonly person: string; readonly roles: readonly Role[]; readonly state: 'active' | 'pending' | 'ended'
  readonly cards: readonly { readonly hash: string; readonly statement: Statement<'ward/card/1'> }[]
  /** The latest card that counts, or undefined while the only one is pending. */
  readonly current: { readonly hash: string; readonly statement: Statement<'ward/card/1'> }
  readonly pending?: Statement<'ward/card/1'>
  readonly browsers: ReadonlyMap<string, string> // key to card hash
}

interface Pin { serial: number; hash: string }

export class People {
  private readonly known = new Map<string, Promise<KnownPerson>>()
  private readonly net: Net
  private readonly shelf: Shelf
  private readonly org: string
  private readonly agreed: (person: string, cards: readonly string[]) => Promise<void>

  /** agreed refuses cards if the organisations agreed on others. */
  constructor(net: Net, shelf: Shelf, org: string, agreed: (person: string, cards: readonly string[]) => Promise<void> = () => Promise.resolve()) {
    this.net = net
    this.shelf = shelf
    this.org = org
    this.agreed = agreed
  }

  forget(person?: string): void {
    if (person === undefined) this.known.clear()
    else this.known.delete(person)
  }

  get(person: string): Promise<KnownPerson> {
    let found = this.known.get(person)
    if (!found) {
      found = this.ask(person)
      found.catch(() => this.known.delete(person))
      this.known.set(person, found)
    }
    return found
  }

  /** As the server has them now; until then, or if it cannot be asked, what is known stays. */
  again(person: string): Promise<KnownPerson> {
    const before = this.known.get(person)
    const found = this.ask(person)
    found.then(() => { if (this.known.get(person) === before) this.known.set(person, found) }, () => undefined)
    return found
  }

  private ask(person: string): Promise<KnownPerson> {
    return this.net.get<WireCards>(`/api/people/${person}/cards`).then((wire) => this.check(wire, new Set([person])))
  }

  async check(wire: WireCards, above: ReadonlySet<string>): Promise<KnownPerson> {
    const { cards, pending } = await checkCards(wire.cards, this.org, wire.person, async (voucher) => {
      if (above.has(voucher)) throw new Bad('cards vouch for each other in a circle')
      const other = await this.get(voucher)
      return other.cards.map((c) => c.statement.body.signing)
    })
    const hashed = await Promise.all(cards.map(async (statement) => ({ hash: await hashOf(statement), statement })))
    const counted = pending ? hashed.slice(0, -1) : hashed
    await this.agreed(wire.person, counted.map((c) => c.statement.text))
    await this.pin(wire.person, counted.length > 0 ? counted : hashed)
    const browsers = new Map<string, string>()
    for (const text of wire.browsers) {
      const b = await parse('ward/browser/1', text)
      const card = hashed.find((c) => c.hash === b.body.card)
      // A card that was vouched for has another hash than the one its browser certified; such a browser comes again.
      if (!card || b.body.person !== wire.person || b.body.org !== this.org) continue
      await checkSignatures(b, card.statement.body.signing)
      browsers.set(b.body.key, b.body.card)
    }
    const current = counted.at(-1) ?? hashed[0]
    if (!current) throw new Bad('there is no card')
    return { person: wire.person, roles: wire.roles, state: wire.state, cards: hashed, current, browsers, ...(pending && { pending: cards.at(-1) as Statement<'ward/card/1'> }) }
  }

  /** A person's cards only ever grow: the card this browser saw must still be in its place. */
  private async pin(person: string, cards: readonly { hash: string; statement: Statement<'ward/card/1'> }[]): Promise<void> {
    const pin = (await this.shelf.get('pins', person)) as Pin | undefined
    if (pin && cards[pin.serial - 1]?.hash !== pin.hash) throw new Bad("the server shows other keys for this person than before")
    const last = cards.at(-1)
    if (last && last.statement.body.serial !== pin?.serial) await this.shelf.put('pins', person, { serial: last.statement.body.serial, hash: last.hash } satisfies Pin)
  }

  /** Whether a key was ever a browser of this person; asks again once if it is not known. */
  async hasBrowser(person: string, key: string): Promise<boolean> {
    if ((await this.get(person)).browsers.has(key)) return true
    this.forget(person)
    return (await this.get(person)).browsers.has(key)
  }

  /** The signing key of a person's card by its hash, or of any of their cards if the hash is not given. */
  async signingKey(person: string, card: string): Promise<string | undefined> {
    const find = async (): Promise<string | undefined> => (await this.get(person)).cards.find((c) => c.hash === card)?.statement.body.signing
    const found = await find()
    if (found !== undefined) return found
    this.forget(person)
    return find()
  }

  async signingKeys(person: string): Promise<readonly string[]> {
    return (await this.get(person)).cards.map((c) => c.statement.body.signing)
  }
}
