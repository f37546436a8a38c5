// Makes histories of members for tests and benchmarks, with keys from names, so that each run makes the same.

import { hash, idOf, sha256, signingKey, utf8, type SigningKey } from '../src/seal/bytes.ts'
import { hashOf, write, type Bodies, type MembershipBodies, type MembershipType } from '../src/seal/statements.ts'

const seeded = (name: string): Promise<SigningKey> => sha256(utf8(name)).then(signingKey)
export const idFor = async (name: string): Promise<string> => idOf((await sha256(utf8(name))).subarray(0, 16))
const minute = 60_000

type Own<T extends MembershipType> = Omit<MembershipBodies[T], 'org' | 'chain' | 'seq' | 'previous' | 'rosterSeq' | 'rosterHash' | 'by' | 'card' | 'time'>

/** A roster that grows statement by statement, a minute apart. */
export class Maker {
  readonly texts: string[] = []
  private readonly cards = new Map<string, { serial: number; hash: string; key: SigningKey }>()
  private constructor(readonly org: string, readonly clinic: string, private previous: string, private clock: number, private readonly founderKey: SigningKey) {}

  static async start(): Promise<Maker> {
    const org = await idFor('org')
    const key = await seeded('founder 1')
    const locks = { directory: await idFor('directory'), staff: await idFor('staff'), clinicians: await idFor('clinicians'), emergency: await idFor('emergency') }
    const clock = Date.UTC(2026, 0, 5, 8)
    const clinic = await write('ward/clinic/1', { org, founder: await idFor('founder'), signing: key.public, locks, time: new Date(clock).toISOString() }, key.sign)
    return new Maker(org, clinic.text, await hashOf(clinic), clock, key)
  }

  get now(): string { return new Date(this.clock).toISOString() }
  wait(hours: number): void { this.clock += hours * 60 * minute }

  private place(): { org: string; chain: string; seq: number; previous: string } {
    this.clock += minute
    return { org: this.org, chain: this.org, seq: this.texts.length + 1, previous: this.previous }
  }

  private async put(text: string): Promise<string> {
    this.texts.push(text)
    this.previous = await hash(text)
    return this.previous
  }

  async founder(): Promise<string> {
    return this.card('founder', undefined)
  }

  /** A card of someone: by an invitation's link, or else by the card before. */
  async card(name: string, link: string | undefined): Promise<string> {
    const before = this.cards.get(name)
    const serial = (before?.serial ?? 0) + 1
    const key = serial === 1 && name === 'founder' ? this.founderKey : await seeded(`${name} ${serial}`)
    const s = await write('ward/card/2', {
      ...this.place(), person: await idFor(name), serial, before: before?.hash, recipientHash: await hash(`recipient ${name} ${serial}`), signing: key.public,
      invitation: link === undefined ? undefined : await idFor(link), time: this.now,
    }, key.sign, ...(link !== undefined ? [(await seeded(link)).sign] : before ? [before.key.sign] : []))
    const made = await this.put(s.text)
    this.cards.set(name, { serial, hash: made, key })
    return made
  }

  async invite(by: string, name: string, roles: string, link: string): Promise<string> {
    return this.say('ward/invite/1', by, {
      invitation: await idFor(link), person: await idFor(name), verifier: (await seeded(link)).public, roles, name: await hash(`name ${name}`),
      until: new Date(this.clock + 7 * 24 * 60 * minute).toISOString(),
    })
  }

  /** Any statement that has an author. */
  async say<T extends Exclude<MembershipType, 'ward/card/2'>>(type: T, by: string, own: Own<T>): Promise<string> {
    const author = this.cards.get(by)
    if (!author) throw new Error(`${by} has no card`)
    const body = { ...this.place(), ...own, by: await idFor(by), card: author.hash, time: this.now } as unknown as Bodies[T]
    return this.put((await write(type, body, author.key.sign)).text)
  }

  async join(by: string, name: string, roles: string): Promise<string> {
    await this.invite(by, name, roles, `link ${name}`)
    return this.card(name, `link ${name}`)
  }
}

/** A clinic that has grown to so many statements: people join, are renamed, take new keys, and leave. */
export async function grown(statements: number): Promise<Maker> {
  const m = await Maker.start()
  await m.founder()
  for (let n = 0; m.texts.length < statements; n++) {
    const name = `colleague ${n}`
    await m.join('founder', name, 'frontdesk')
    if (n % 2 === 0) await m.card(name, undefined)
    if (n % 3 === 0) await m.say('ward/rename/1', 'founder', { person: await idFor(name), name: await hash(`other name ${n}`) })
    if (n % 4 === 0) await m.say('ward/deactivate/1', 'founder', { person: await idFor(name) })
  }
  m.texts.length = statements
  return m
}
