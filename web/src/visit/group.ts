// The MLS group of one visit (RFC 9420), behind a small door: ts-mls is young and not audited, so nothing else touches
// it, and what it accepts is checked again here.
//
// The host begins the group. Everyone else joins it by themselves, with an external commit, once the host's browser has
// signed their admission; that admission is part of their leaf, so members check it and not the server's word. After a
// reload, a member joins again the same way with a new leaf, which replaces the old: no key and counter is ever used
// twice. Only the host removes people, and who was taken out for good stays out (out.ts). State is never stored: a browser
// that forgot it joins again.
//
// States are values. What is to be sent is made with the state that follows from it, which counts only once the server
// has put it in its place; of two commits made at the same time one is made again.

import {
  createApplicationMessage, createCommit, createGroup, createGroupInfoWithExternalPubAndRatchetTree, decodeMlsMessage, defaultCapabilities, defaultKeyPackageEqualityConfig,
  defaultKeyRetentionConfig, defaultLifetime, defaultLifetimeConfig, defaultPaddingConfig, emptyPskIndex, encodeMlsMessage, generateKeyPackageWithKey, getCiphersuiteFromName, getCiphersuiteImpl, joinGroupExternal, mlsExporter,
  processMessage, zeroOutUint8Array, type CiphersuiteImpl, type ClientConfig, type ClientState, type GroupInfo, type MLSMessage, type PrivateMessage, type Proposal,
} from 'ts-mls'
import { ratchetTreeFromExtension } from 'ts-mls/groupInfo.js'
import { decryptSenderData } from 'ts-mls/privateMessage.js'
import { b64, utf8 } from '../seal/bytes.ts'
import { idsOf, parse, write } from '../seal/statements.ts'
import { checkMember, readIdentity, writeIdentity, DoubtfulMember, type Circle, type Member } from './credential.ts'
import { missingFrom, outType, readOut, writeOut } from './out.ts'

export type Refusal =
  | 'form'         // not a message of MLS, or too long
  | 'group'        // of another group
  | 'epoch'        // of another epoch
  | 'forged'       // a signature or tag does not match
  | 'rule'         // a change that its sender may not make
  | 'member'       // someone in it is not who they should be
  | 'older'        // a group from before someone was taken out

/** A message that was not taken; the group is as it was before. */
export class Refused extends Error {
  readonly why: Refusal
  readonly doubt: DoubtfulMember | undefined
  constructor(why: Refusal, detail: string, doubt?: DoubtfulMember) {
    super(detail)
    this.why = why
    this.doubt = doubt
  }
}

/** The largest message, as the server has it (wire.go). */
const maxMessage = 128 * 1024
const maxMembers = 12
const keySize = 32
/** How often what is slow at first runs before it is needed. */
const warmTurns = 3
const warmText = utf8('ward')
const mediaLabel = 'ward/visit-media/1'

/** Who I am in a visit; a guest has no card. The browser's key signs; its private half never leaves the browser's store. */
export interface Me {
  readonly person: string; readonly card?: string | undefined; readonly browser: string
  sign(data: Uint8Array): Promise<Uint8Array>
  readonly admission?: { readonly text: string; readonly browser: string } | undefined // the host needs none
}

/** What to send, and the state that follows. */
export interface Next { readonly state: ClientState; readonly commit: Uint8Array; readonly groupInfo: Uint8Array; readonly used: readonly Uint8Array[] }

export interface Seat extends Member { readonly index: number }

export interface MediaEpoch {
  readonly epoch: bigint
  readonly own: { readonly leaf: number; readonly key: Uint8Array }
  readonly others: readonly { readonly participant: string; readonly leaf: number; readonly key: Uint8Array }[]
}

export type Event =
  | { readonly kind: 'epoch'; readonly joined: readonly Seat[]; readonly left: readonly Seat[] }
  | { readonly kind: 'message'; readonly from: string; readonly body: Uint8Array }
  | { readonly kind: 'removed' } // I am out

let suite: Promise<CiphersuiteImpl> | undefined
const cipherSuite = (): Promise<CiphersuiteImpl> => (suite ??= getCiphersuiteImpl(getCiphersuiteFromName('MLS_256_XWING_AES256GCM_SHA512_Ed25519')))

export class Group {
  private state: ClientState
  private seats: readonly Seat[] = []
  private readonly circle: Circle
  private readonly cs: CiphersuiteImpl
  private readonly watcher: Watcher

  private constructor(state: ClientState, circle: Circle, cs: CiphersuiteImpl, watcher: Watcher) {
    this.state = state
    this.circle = circle
    this.cs = cs
    this.watcher = watcher
  }

  /** The host begins: the group at epoch 0, and its state for those who join. */
  static async begin(circle: Circle, me: Me): Promise<{ group: Group; groupInfo: Uint8Array }> {
    const cs = await cipherSuite()
    const watcher = new Watcher(circle, circle.out.members)
    const leaf = await newLeaf(circle, me, cs)
    const state = await createGroup(utf8(circle.visit), leaf.publicPackage, leaf.privatePackage, [writeOut(circle.out.members)], cs, configOf(watcher))
    const group = new Group(state, circle, cs, watcher)
    group.seats = await group.seatsOf(state)
    return { group, groupInfo: await group.info(state) }
  }

  /** Whether a group's state, unchecked, has a leaf of a member: of another window of theirs, or of an earlier stay. */
  static holds(groupInfo: Uint8Array, member: string): boolean {
    try {
      return leavesOf(ratchetTreeFromExtension(stateIn(groupInfo)) ?? []).some((l) => personOf(l.identity) === member)
    } catch {
      return true // nobody knows; whoever joins it says what is wrong
    }
  }

  /** Loads what a group is made with, and has it run once: the first time is the slow one. */
  static async warmUp(): Promise<void> {
    const cs = await cipherSuite()
    for (let turn = 0; turn < warmTurns; turn++) {
      const [signing, pair] = [await cs.signature.keygen(), await cs.hpke.generateKeyPair()]
      await cs.signature.verify(signing.publicKey, warmText, await cs.signature.sign(signing.signKey, warmText))
      const { enc, secret } = await cs.hpke.exportSecret(pair.publicKey, warmText, keySize, warmText)
      zeroOutUint8Array(secret)
      zeroOutUint8Array(await cs.hpke.importSecret(pair.privateKey, warmText, enc, keySize, warmText))
    }
  }

  /** Joins, or joins again, with my old leaf removed: everyone who is in is checked first. Counts once the server took the
   * commit: then call take. */
  static async join(circle: Circle, me: Me, groupInfo: Uint8Array, again = Group.holds(groupInfo, me.person)): Promise<{ group: Group; next: Next }> {
    const cs = await cipherSuite()
    const info = stateIn(groupInfo)
    if (new TextDecoder().decode(info.groupContext.groupId) !== circle.visit) throw new Refused('group', 'it is of another group')
    const out = outOf(info.groupContext)
    if (me.admission) await circle.out.add(idsOf((await parse('ward/admission/1', me.admission.text)).body.out ?? '') ?? [])
    const forgotten = missingFrom(circle.out.members, out)
    if (forgotten !== undefined) throw older(forgotten)
    const watcher = new Watcher(circle, out)
    try {
      const leaf = await newLeaf(circle, me, cs)
      const joined = await joinGroupExternal(info, leaf.publicPackage, leaf.privatePackage, again, cs, undefined, configOf(watcher, me.person))
      const group = new Group(joined.newState, circle, cs, watcher)
      group.seats = await group.seatsOf(joined.newState)
      await circle.out.add(out)
      const commit = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage: joined.publicMessage })
      return { group, next: { state: joined.newState, commit, groupInfo: await group.info(joined.newState), used: [] } }
    } catch (error) {
      throw watcher.reason(error)
    }
  }

  /** Checks again who is in it, before my commit to it is sent. */
  async check(): Promise<void> {
    const forgotten = missingFrom(this.circle.out.members, outOf(this.state.groupContext))
    if (forgotten !== undefined) throw older(forgotten)
    this.seats = await this.seatsOf(this.state)
  }

  get epoch(): bigint { return this.state.groupContext.epoch }
  get members(): readonly Seat[] { return this.seats }
  /** The same for all members of an epoch, and for nobody else. */
  get authenticator(): Uint8Array { return this.state.keySchedule.epochAuthenticator }

  /** The host says who is out, if the group does not yet; remove then takes back their keys. Not in one commit, though
   * from this one on they cannot come again: ts-mls 1.6.4 makes one that nobody can follow (its issue 742). */
  async shut(): Promise<Next | undefined> {
    const known = outOf(this.state.groupContext)
    const all = new Set([...known, ...this.circle.out.members])
    if (missingFrom(all, known) === undefined) return undefined
    return this.commit([{ proposalType: 'group_context_extensions', groupContextExtensions: { extensions: [writeOut(all)] } }])
  }

  /** The host takes back the keys of some, such as who left, and of all who are out. */
  async remove(members: readonly string[] = []): Promise<Next | undefined> {
    const out = outOf(this.state.groupContext)
    const proposals = this.seats.filter((s) => members.includes(s.member) || out.has(s.member)).map((s): Proposal => ({ proposalType: 'remove', remove: { removed: s.index } }))
    if (proposals.length === 0) return undefined
    return this.commit(proposals)
  }

  /** New keys, without anyone coming or going. */
  update(): Promise<Next> { return this.commit([]) }

  private async commit(proposals: Proposal[]): Promise<Next> {
    const made = await createCommit({ state: this.state, cipherSuite: this.cs }, { extraProposals: proposals })
    return { state: made.newState, commit: encodeMlsMessage(made.commit), groupInfo: await this.info(made.newState), used: made.consumed }
  }

  /** The server put it in its place: it counts, and the secrets that made it go. */
  async take(next: Next): Promise<Event> {
    const event = await this.follow(next.state)
    next.used.forEach(zeroOutUint8Array)
    return event
  }

  /** Something from another member. If it is refused nothing changed. */
  async process(data: Uint8Array): Promise<Event> {
    const message = decode(data)
    if (message.wireformat !== 'mls_private_message' && message.wireformat !== 'mls_public_message') throw new Refused('form', 'it is nothing that members send')
    const of = message.wireformat === 'mls_private_message' ? message.privateMessage : message.publicMessage.content
    if (new TextDecoder().decode(of.groupId) !== this.circle.visit) throw new Refused('group', 'it is for another group')
    const isText = message.wireformat === 'mls_private_message' && message.privateMessage.contentType === 'application'
    if (of.epoch !== this.epoch && !(isText && of.epoch === this.epoch - 1n)) throw new Refused('epoch', `it is for epoch ${of.epoch} and the group is in ${this.epoch}`)
    let rule = ''
    let from = ''
    let result
    try {
      if (isText) from = await this.writerOf(message.privateMessage)
      result = await processMessage(message, this.state, emptyPskIndex, (incoming) => {
        if (incoming.kind === 'proposal') rule = 'changes come as commits'
        else rule = this.ruleOn(incoming.senderLeafIndex, incoming.proposals.map((p) => p.proposal))
        return rule === '' ? 'accept' : 'reject'
      }, this.cs)
    } catch (error) {
      throw this.watcher.reason(error)
    }
    if (rule !== '') throw new Refused('rule', rule)
    if (result.kind === 'applicationMessage') {
      result.consumed.forEach(zeroOutUint8Array)
      this.state = result.newState
      if (!this.seats.some((s) => s.member === from)) throw new Refused('rule', 'the message is from nobody who is here')
      return { kind: 'message', from, body: result.message }
    }
    if (result.newState.groupActiveState.kind === 'removedFromGroup') return { kind: 'removed' }
    const event = await this.follow(result.newState, message.wireformat === 'mls_public_message')
    result.consumed.forEach(zeroOutUint8Array)
    return event
  }

  /** Whose leaf a message is by. MLS checks its signature with that leaf's key; ts-mls does not say which it was. */
  private async writerOf(m: PrivateMessage): Promise<string> {
    const past = m.epoch === this.epoch ? undefined : this.state.historicalReceiverData.get(m.epoch)
    const of = await decryptSenderData(m, (past ?? this.state.keySchedule).senderDataSecret, this.cs)
    const node = of && (past ?? this.state).ratchetTree[of.leafIndex * 2]
    return node?.nodeType === 'leaf' && node.leaf.credential.credentialType === 'basic' ? personOf(node.leaf.credential.identity) : ''
  }

  /** What is wrong with a commit, by who sent it. Someone who joins by themselves may only replace their own leaf, which
   * follow checks, since their leaf is known only then. */
  private ruleOn(sender: number | undefined, proposals: readonly Proposal[]): string {
    const from = sender === undefined ? undefined : this.seats.find((s) => s.index === sender)
    if (sender !== undefined && !from) return 'its sender is not a member'
    const may = sender === undefined ? ['external_init', 'remove'] : ['remove', 'group_context_extensions']
    for (const p of proposals) {
      if (!may.includes(String(p.proposalType))) return `a ${p.proposalType} is not how visits change`
      if (from && from.member !== this.circle.host) return 'only the host takes people out'
    }
    return ''
  }

  /** Takes up a state after checking who is in it. */
  private async follow(state: ClientState, bySelf = false): Promise<Event> {
    const out = outOf(state.groupContext)
    const forgotten = missingFrom(outOf(this.state.groupContext), out)
    if (forgotten !== undefined) throw new Refused('rule', 'who is out stays out')
    const seats = await this.seatsOf(state)
    const same = (a: Seat) => (b: Seat): boolean => a.index === b.index && a.leaf === b.leaf
    const joined = seats.filter((s) => !this.seats.some(same(s)))
    const left = this.seats.filter((s) => !seats.some(same(s)))
    if (bySelf) {
      const who = joined[0]
      if (joined.length !== 1 || left.some((s) => s.member !== who?.member)) throw new Refused('rule', 'someone who joins may only replace their own leaf')
    }
    await this.circle.out.add(out)
    this.watcher.out = out
    this.state = state
    this.seats = seats
    return { kind: 'epoch', joined, left }
  }

  private async seatsOf(state: ClientState): Promise<Seat[]> {
    const seats: Seat[] = []
    const out = outOf(state.groupContext)
    for (const leaf of leavesOf(state.ratchetTree)) {
      const wasIn = this.seats.some((s) => s.index === leaf.index && s.leaf === b64(leaf.key)) // the host is about to remove who is out
      const member = await checkMember(leaf.identity, leaf.key, this.circle, wasIn ? new Set() : out).catch((error: unknown) => {
        throw error instanceof DoubtfulMember ? new Refused('member', error.message, error) : error
      })
      if (seats.some((s) => s.member === member.member)) throw new Refused('rule', 'someone is in twice')
      seats.push({ ...member, index: leaf.index })
    }
    // Only the host lets people in, so a group without them is one that somebody else would lead people into.
    if (!seats.some((s) => s.member === this.circle.host)) throw new Refused('rule', 'the clinician is not in the group')
    if (seats.length > maxMembers) throw new Refused('rule', `a visit has room for ${maxMembers}`)
    return seats
  }

  /** Sends to all members: chat, and what is shown to all. */
  async send(body: Uint8Array): Promise<Uint8Array> {
    const made = await createApplicationMessage(this.state, body, this.cs)
    made.consumed.forEach(zeroOutUint8Array)
    this.state = made.newState
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage: made.privateMessage })
  }

  /** One media key for each member of this epoch, from the exporter (RFC 9420, section 8.5). */
  async mediaEpoch(): Promise<MediaEpoch> {
    const own = this.state.privatePath.leafIndex
    const key = (s: Seat): Promise<Uint8Array> => mlsExporter(this.state.keySchedule.exporterSecret, mediaLabel, utf8(`${s.index} ${s.member}`), keySize, this.cs)
    const me = this.seats.find((s) => s.index === own)
    if (!me) throw new Refused('rule', 'I am not in the group')
    return {
      epoch: this.epoch,
      own: { leaf: own, key: await key(me) },
      others: await Promise.all(this.seats.filter((s) => s.index !== own).map(async (s) => ({ participant: s.member, leaf: s.index, key: await key(s) }))),
    }
  }

  private async info(state: ClientState): Promise<Uint8Array> {
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo: await createGroupInfoWithExternalPubAndRatchetTree(state, [], this.cs) })
  }
}

/** Checks members where ts-mls asks for it, and keeps the reason, which ts-mls does not. */
class Watcher {
  private readonly circle: Circle
  private doubt: DoubtfulMember | undefined
  out: ReadonlySet<string>
  constructor(circle: Circle, out: ReadonlySet<string>) {
    this.circle = circle
    this.out = out
  }

  async validateCredential(credential: { credentialType: string; identity?: Uint8Array }, key: Uint8Array): Promise<boolean> {
    try {
      if (!credential.identity) throw new DoubtfulMember('form', '', 'it is not a basic credential')
      await checkMember(credential.identity, key, this.circle, this.out)
      return true
    } catch (error) {
      if (!(error instanceof DoubtfulMember)) throw error
      this.doubt = error
      return false
    }
  }

  reason(error: unknown): Error {
    const doubt = this.doubt
    this.doubt = undefined
    if (error instanceof Refused) return error
    const detail = error instanceof Error ? error.message : String(error)
    return doubt ? new Refused('member', doubt.message, doubt) : new Refused('forged', detail)
  }
}

function configOf(watcher: Watcher, me = ''): ClientConfig {
  return {
    keyRetentionConfig: defaultKeyRetentionConfig, lifetimeConfig: defaultLifetimeConfig, paddingConfig: defaultPaddingConfig,
    authService: watcher as ClientConfig['authService'],
    keyPackageEqualityConfig: {
      ...defaultKeyPackageEqualityConfig,
      compareKeyPackageToLeafNode: (_, leaf) => leaf.credential.credentialType === 'basic' && personOf(leaf.credential.identity) === me,
    },
  }
}

/** A leaf of my own for one stay in the group: its key is new, and signed for by this browser. */
async function newLeaf(circle: Circle, me: Me, cs: CiphersuiteImpl): ReturnType<typeof generateKeyPackageWithKey> {
  const key = await cs.signature.keygen()
  const visitor = await write('ward/visitor/1', {
    org: circle.org, visit: circle.visit, member: me.person, ...(me.card !== undefined && { person: me.person, card: me.card }), leaf: b64(key.publicKey), time: new Date(circle.now()).toISOString(),
  }, me.sign as never)
  const identity = writeIdentity({ visitor: visitor.text, browser: me.browser, ...(me.admission && { admission: me.admission.text, admitted: me.admission.browser }) })
  const able = defaultCapabilities()
  return generateKeyPackageWithKey({ credentialType: 'basic', identity }, { ...able, extensions: [...able.extensions, outType] }, defaultLifetime, [], key, cs)
}

function outOf(context: ClientState['groupContext']): ReadonlySet<string> {
  const out = readOut(context.extensions)
  if (!out) throw new Refused('form', 'the group does not say who is out')
  return out
}

function older(member: string): Refused {
  const doubt = new DoubtfulMember('older', member, 'the group is from before someone was taken out')
  return new Refused('older', doubt.message, doubt)
}

interface Leaf { readonly index: number; readonly identity: Uint8Array; readonly key: Uint8Array }

function leavesOf(tree: ClientState['ratchetTree']): Leaf[] {
  const leaves: Leaf[] = []
  tree.forEach((node, i) => {
    if (node?.nodeType !== 'leaf') return
    const { credential, signaturePublicKey } = node.leaf
    if (credential.credentialType !== 'basic') throw new Refused('member', 'a leaf has another kind of credential')
    leaves.push({ index: i / 2, identity: credential.identity, key: signaturePublicKey })
  })
  return leaves
}

/** Whose a leaf says that it is, unchecked. */
function personOf(identity: Uint8Array): string {
  try {
    return (JSON.parse(readIdentity(identity).visitor.split('\n')[1] ?? '') as { member?: string }).member ?? ''
  } catch {
    return ''
  }
}

function stateIn(groupInfo: Uint8Array): GroupInfo {
  const message = decode(groupInfo)
  if (message.wireformat !== 'mls_group_info') throw new Refused('form', 'this is not the state of a group')
  return message.groupInfo
}

function decode(data: Uint8Array): MLSMessage {
  if (data.length > maxMessage) throw new Refused('form', 'it is too long')
  let found
  try {
    found = decodeMlsMessage(data, 0)
  } catch {
    throw new Refused('form', 'it is not a message of MLS')
  }
  if (!found || found[1] !== data.length) throw new Refused('form', 'it is not one message of MLS')
  return found[0]
}
