// The engine: what screens call. Before someone signs in it only knows how to come in; then it has a Session, and
// drops it, keys and all, at the end.

import { readCode, type Keyring } from '../seal/keys.ts'
import * as account from './account.ts'
import { Membership } from './membership.ts'
import { browserKey, Net } from './net.ts'
import { passkeySupport } from './passkey.ts'
import { EngineProblem, problemOf } from './problem.ts'
import { Session } from './session.ts'
import { kept, openShelf, Safe, type Shelf } from './shelf.ts'
import { takeEverything } from './export.ts'
import type { Change, ClinicInfo, Engine, Invitation, LedgerStatus, Me, SessionInfo, Touch } from './types.ts'
import type { WireMe, WireNotice, WireSessionInfo } from './wire.ts'

/** Pauses between attempts to listen again, in milliseconds. */
const listenPauses = [500, 1000, 2000, 5000, 10_000, 30_000]

class App {
  touch: Touch | undefined
  private touched: Promise<void> | undefined
  private readonly watchers = new Set<(change: Change) => void>()
  private shelf!: Shelf
  private net!: Net
  private safe!: Safe
  private browser!: Awaited<ReturnType<typeof browserKey>>
  session: Session | undefined
  private current: { session: string; token: string; share: string } | undefined
  private listening: AbortController | undefined
  private readonly ready: Promise<void>
  private readonly others = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('ward')

  constructor() {
    this.ready = this.prepare()
    this.others?.addEventListener('message', (event) => {
      // One browser is one person's at a time: what another tab does ends what this one has.
      const { signedIn } = event.data as { signedIn?: string }
      if (signedIn === undefined || (this.session && this.session.me.person !== signedIn)) this.end('elsewhere', false)
    })
  }

  private async prepare(): Promise<void> {
    this.shelf = await openShelf()
    const pair = await kept(this.shelf, 'browser', () => crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']) as Promise<CryptoKeyPair>)
    this.browser = await browserKey(pair)
    this.safe = new Safe(await kept(this.shelf, 'safe', () => Safe.newKey()))
    this.net = new Net(this.browser, () => this.end('expired', true), (online) => {
      this.tell({ what: 'online', online })
      if (online) void this.session?.outbox.send()
    })
    this.net.confirm = () => (this.touched ??= this.askTouch().finally(() => { this.touched = undefined }))
    if (typeof window !== 'undefined') {
      document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') void this.session?.drafts.flush() })
      window.addEventListener('offline', () => this.net.setOnline(false))
      window.addEventListener('online', () => this.net.setOnline(true))
    }
  }

  /** Asks for the person's passkey, at once where they have just clicked; else, and if that fails, the screen has a button. */
  private askTouch(): Promise<void> {
    return new Promise((resolve, reject) => {
      const show = (touch: Touch | undefined): void => {
        this.touch = touch
        this.tell({ what: 'touch' })
      }
      const refused = new AbortController()
      const refuse = (): void => {
        refused.abort()
        show(undefined)
        reject(new EngineProblem('cancelled', 'the passkey was not given'))
      }
      const give = (): void => {
        show({ waiting: true, failed: undefined, give: () => undefined, refuse })
        account.touch(this.net, refused.signal).then(() => { show(undefined); resolve() }, (error: unknown) => {
          if (this.touch) show({ waiting: false, failed: problemOf(error), give, refuse })
        })
      }
      if (navigator.userActivation?.isActive !== false) give()
      else show({ waiting: false, failed: undefined, give, refuse })
    })
  }

  tell(change: Change): void { for (const on of [...this.watchers]) on(change) }
  watch(on: (change: Change) => void): () => void {
    this.watchers.add(on)
    return () => this.watchers.delete(on)
  }
  get me(): Me | undefined { return this.session?.me }
  get online(): boolean { return this.net?.online ?? true }

  /** The session, or the problem that there is none. */
  get here(): Session {
    if (!this.session) throw new EngineProblem('unauthenticated', 'you are not signed in')
    return this.session
  }

  async clinic(): Promise<ClinicInfo> {
    await this.ready
    return this.net.json<ClinicInfo>('GET', '/api/clinic', undefined, 'none')
  }

  async openInvitation(link: string): Promise<Invitation> {
    await this.ready
    const read = account.linkOf(link)
    const { wire, roles, recover, from, called } = await account.open(this.net, read)
    return { ...(from && { from }), ...(called && { called: called.name }), clinic: wire.org, roles, recover, founding: wire.founding === true, until: wire.until }
  }

  async accept(...[link, about, passkeyName, progress]: Parameters<Engine['accept']>): Promise<{ code: string }> {
    await this.ready
    const joined = await account.join(this.net, this.browser, account.linkOf(link), about, passkeyName, progress)
    // From here on the person has joined, and must get the code whatever else fails: what another states of them, for
    // example, may end this first session.
    try {
      const session = await this.begin(joined.session, joined.keyring)
      if (joined.welcome) session.locks.remember(joined.welcome)
      for (const key of joined.made) session.locks.remember(key)
      if (!joined.opened.recover) await (session.wire.pending ? session.introduceSoon(about, joined.opened.called) : session.introduce(about, joined.opened.called))
    } catch (error) {
      console.warn('after joining:', problemOf(error).message)
      if (!this.session) this.tell({ what: 'ended', why: 'expired' })
    }
    return { code: joined.code }
  }

  async signIn(progress: Parameters<Engine['signIn']>[0]): Promise<void> {
    await this.ready
    const signedIn = await account.signIn(this.net, progress)
    await this.begin(signedIn.session, signedIn.keyring)
  }

  async recover(...[code, passkeyName, progress]: Parameters<Engine['recover']>): Promise<void> {
    await this.ready
    const signedIn = await account.recover(this.net, this.browser, code, passkeyName, progress)
    await this.begin(signedIn.session, signedIn.keyring)
  }

  private async begin(session: { session: string; token: string; share: string }, keyring: Keyring): Promise<Session> {
    this.net.token = session.token
    this.current = session
    await account.park(this.shelf, session, keyring)
    this.others?.postMessage({ signedIn: keyring.person })
    void navigator.storage?.persist?.().catch(() => false) // Firefox asks the person, and nothing waits for what they answer
    return this.enter(keyring)
  }

  private async enter(keyring: Keyring): Promise<Session> {
    const wire = await this.net.get<WireMe>('/api/me')
    const checked = await account.checkKeyring(keyring, wire.cardText)
    await account.checkClinic(wire.clinicText, checked.clinic)
    const self = await account.selfOf(checked)
    const membership = await Membership.start(this.net, this.shelf, self.person, self.org, wire.clinicText, () => this.tell({ what: 'people' }))
    const session = new Session(this.net, this.shelf, this.safe, self, this.browser, checked, wire, membership, (change) => this.tell(change), async (k) => {
      if (this.current) await account.park(this.shelf, this.current, k)
    })
    await session.start()
    this.session = session
    void this.listen(session)
    this.tell({ what: 'me' })
    return session
  }

  async resume(): Promise<boolean> {
    await this.ready
    const parked = await account.parked(this.shelf)
    if (!parked) return false
    this.net.token = parked.token
    try {
      const { share } = await this.net.get<WireMe>('/api/me')
      const keyring = await account.unpark(this.shelf, parked, share)
      if (!keyring) return false
      this.current = { session: parked.session, token: parked.token, share }
      await this.enter(keyring)
      return true
    } catch (error) {
      const { code } = problemOf(error)
      if (code === 'offline' || code === 'unavailable') throw error
      await this.shelf.remove('session', 'current')
      this.net.token = undefined
      return false
    }
  }

  async signOut(everywhere: boolean): Promise<void> {
    try {
      if (everywhere) await this.net.del('/api/sessions')
      else if (this.current) await this.net.del(`/api/sessions/${this.current.session}`)
    } finally {
      this.others?.postMessage({})
      this.end('signed-out', true)
    }
  }

  /** Forgets the person: keys in memory, the parked keyring and what was read. What waits to be sent and what was begun stay, sealed. */
  private end(why: 'signed-out' | 'expired' | 'elsewhere', forget: boolean): void {
    if (this.session) {
      this.session.stop()
      void this.session.drafts.flush()
    }
    const was = this.session
    this.touch?.refuse()
    this.session = undefined
    this.current = undefined
    this.net.token = undefined
    this.listening?.abort()
    if (forget) {
      void this.shelf.remove('session', 'current')
      void this.shelf.remove('keys', 'park')
      void this.shelf.clear('cache')
    }
    if (was) this.tell({ what: 'ended', why })
  }

  /** Listens to the server's notices for as long as the session lasts. */
  private async listen(session: Session): Promise<void> {
    this.listening?.abort()
    const stop = (this.listening = new AbortController())
    for (let failures = 0, first = true; this.session === session && !stop.signal.aborted; first = false) {
      try {
        for await (const notice of this.net.notices(stop.signal, () => {
          failures = 0
          if (!first) session.caughtUp() // what was told while nobody listened
        })) this.heard(session, notice)
      } catch {
        if (stop.signal.aborted || this.session !== session) return
      }
      await this.pause(listenPauses[Math.min(failures++, listenPauses.length - 1)] as number)
    }
  }

  /** Waits, and no longer than until the network is back. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.watch((change) => { if (change.what === 'online' && change.online) end() })
      const timer = setTimeout(() => end(), ms)
      const end = (): void => {
        clearTimeout(timer)
        stop()
        resolve()
      }
    })
  }

  private heard(session: Session, notice: WireNotice): void {
    if (notice.kind === 'session' && notice.person === session.me.person) {
      // One of this person's sessions ended, perhaps this one: the next answer tells.
      this.net.get<WireMe>('/api/me').then(() => this.tell({ what: 'sessions' }), () => undefined)
      return
    }
    session.heard(notice)
  }

  async sessions(): Promise<readonly SessionInfo[]> {
    const { sessions } = await this.net.get<{ sessions: WireSessionInfo[] }>('/api/sessions')
    return sessions.map((s) => ({ id: s.session, agent: s.agent, started: s.started, used: s.used, until: s.until, current: s.current }))
  }

  async endSession(id: string): Promise<void> {
    await this.net.del(`/api/sessions/${id}`)
    this.tell({ what: 'sessions' })
  }

  async eraseMe(): Promise<void> {
    await this.net.del('/api/me')
    await this.here.drafts.forget('')
    await this.shelf.clear('outbox')
    this.end('signed-out', true)
  }

  async eraseChart(chart: string): Promise<void> {
    await this.net.del(`/api/charts/${chart}`)
    await this.here.forget(chart)
    this.tell({ what: 'charts' })
    this.tell({ what: 'me' })
  }

  async changeKeys(): Promise<{ code: string }> {
    const before = this.here
    await before.drafts.flush()
    const { code, keyring } = await before.changeKeys()
    before.stop()
    await this.enter(keyring)
    return { code }
  }

  recordState(): ReturnType<Engine['recordState']> { return this.net.get('/api/record/state') }
  ledgerStatus(): Promise<LedgerStatus> { return this.net.get('/api/ledger/status') }
  castLedgerVote(subject: string, yes: boolean): Promise<void> { return this.net.post<void>('/api/ledger/votes', { subject, yes }).then(() => this.tell({ what: 'ledger' })) }
}

/** The one engine of a page. Every promise it gives rejects with a Problem. */
export function createEngine(): Engine {
  const app = new App()
  const guarded = <A extends unknown[], T>(work: (...args: A) => T | Promise<T>) => async (...args: A): Promise<T> => {
    try {
      return await work(...args)
    } catch (error) {
      throw problemOf(error)
    }
  }
  return {
    get me() { return app.me },
    get online() { return app.online },
    get touch() { return app.touch },
    watch: (on) => app.watch(on),
    clinic: guarded(() => app.clinic()),

    passkeys: guarded(passkeySupport),
    openInvitation: guarded((link) => app.openInvitation(link)),
    accept: guarded((link, about, passkeyName, progress) => app.accept(link, about, passkeyName, progress)),
    signIn: guarded((progress) => app.signIn(progress)),
    checkCode: (typed) => { const read = readCode(typed); return typeof read === 'string' ? read : 'ok' },
    recover: guarded((code, passkeyName, progress) => app.recover(code, passkeyName, progress)),
    resume: guarded(() => app.resume()),
    signOut: guarded((everywhere) => app.signOut(everywhere)),

    myPasskeys: guarded(() => app.here.myPasskeys()),
    addPasskey: guarded((name) => app.here.addPasskey(name)),
    renamePasskey: guarded((id, name) => app.here.renamePasskey(id, name)),
    removePasskey: guarded((id) => app.here.removePasskey(id)),
    newCode: guarded(() => app.here.newCode()),
    changeKeys: guarded(() => app.changeKeys()),
    sessions: guarded(() => app.sessions()),
    endSession: guarded((id) => app.endSession(id)),
    eraseMe: guarded(() => app.eraseMe()),

    people: guarded(() => app.here.listPeople()),
    invite: guarded((who, roles, byEmail) => app.here.invite(who, roles, byEmail)),
    inviteAgain: guarded((person, byEmail) => app.here.inviteAgain(person, byEmail)),
    withdraw: guarded((invitation) => app.here.withdraw(invitation)),
    endPerson: guarded((person) => app.here.matters.end(person)),
    setRoles: guarded((person, roles) => app.here.matters.setRoles(person, roles)),
    membership: guarded(() => app.here.membershipState()),
    confirmMatter: guarded((person, what, how) => app.here.matters.confirm(person, what, how)),
    vetoMatter: guarded((person, what) => app.here.matters.veto(person, what)),
    completeMatter: guarded((person, what) => app.here.matters.complete(person, what)),
    reinstate: guarded((person, what) => app.here.matters.reinstate(person, what)),
    renamePerson: guarded((person, given, family) => app.here.renamePerson(person, given, family)),
    setVetoHours: guarded((hours) => app.here.matters.setVetoHours(hours)),
    teams: guarded(() => app.here.teams()),
    createTeam: guarded((name, members) => app.here.createTeam(name, members)),
    addToTeam: guarded((team, person) => app.here.addToTeam(team, person)),
    removeFromTeam: guarded((team, person) => app.here.removeFromTeam(team, person)),
    appointments: guarded((from, to) => app.here.listAppointments(from, to)),
    readReasons: guarded(async (chart) => app.here.readReasons(chart)),
    book: guarded((a) => app.here.appointments.book(a)),
    plan: guarded((a) => app.here.appointments.plan(a)),
    move: guarded((a, start, end, overlap) => app.here.appointments.move(a, start, end, overlap)),
    cancel: guarded((a, series) => app.here.appointments.cancel(a, series)),
    describe: guarded((a, reason) => app.here.appointments.describe(a, reason)),
    slots: guarded((clinician, from, to) => app.here.appointments.slots(clinician, from, to)),
    availability: guarded((clinician) => app.here.appointments.availability(clinician)),
    setAvailability: guarded((clinician, a) => app.here.appointments.setAvailability(clinician, a)),
    reminders: guarded(() => app.here.reminders.get()),
    setReminders: guarded((r) => app.here.reminders.set(r)),
    endReminders: guarded(() => app.here.reminders.end()),
    showReminders: guarded((on) => app.here.reminders.show(on)),
    makeFeed: guarded((language) => app.here.reminders.makeFeed(language)),
    endFeed: guarded(() => app.here.reminders.endFeed()),

    visitDoor: guarded((visit) => app.here.visitDoor(visit)),

    charts: guarded(() => app.here.charts()),
    open: guarded((chart, progress) => app.here.look(chart, progress)),
    opened: (chart) => app.session?.opened(chart),
    write: guarded((chart, compartment, draft, from) => app.here.write(chart, compartment, draft, from)),
    addFile: guarded((chart, compartment, file, progress, signal) => app.here.addFile(chart, compartment, file, progress, signal)),
    importFHIR: guarded((chart, compartment, file, progress) => app.here.importFHIR(chart, compartment, file, progress)),
    file: guarded((chart, entry, progress) => app.here.file(chart, entry, progress)),
    draft: (name) => app.session?.drafts.get(name),
    keepDraft: async (name, value) => app.session?.drafts.keep(name, value),
    unsent: guarded(() => app.here.unsent()),
    tryAgain: guarded((entry) => app.here.outbox.tryAgain(entry)),
    discard: guarded((entry) => app.here.outbox.discard(entry)),
    markSeen: (chart) => app.session?.markSeen(chart),
    members: guarded((chart) => app.here.members(chart)),
    share: guarded((chart, to, compartments, purpose, until, introduced) => app.here.share(chart, to, compartments, purpose, until, introduced)),
    introduction: guarded(() => Promise.resolve(app.here.introduction())),
    unshare: guarded((chart, grants) => app.here.unshare(chart, grants)),
    breakGlass: guarded((chart, code, title, reason) => app.here.breakGlass(chart, code, title, reason)),
    endEmergency: guarded((chart) => app.here.endEmergency(chart)),
    markEmergenciesSeen: (chart) => { void app.session?.markEmergenciesSeen(chart) },
    emergencies: guarded(() => app.here.listEmergencies()),
    looks: guarded((chart, before) => app.here.looks(chart, before)),
    lookProofs: guarded((chart, events) => app.here.lookProofs(chart, events)),
    entryProof: guarded((chart, entry) => app.here.entryProof(chart, entry)),
    cardProof: guarded((person) => app.here.cardProof(person)),
    newKeysOf: guarded((person) => app.here.newKeysOf(person)),
    get ledger() { return app.session?.ledger.state },
    acceptLedger: guarded(() => app.here.acceptLedger()),
    eraseChart: guarded((chart) => app.eraseChart(chart)),
    takeEverything: guarded((progress) => takeEverything(app.here, progress)),

    record: guarded((after) => app.here.record(after)),
    recordState: guarded(() => app.recordState()),
    ledgerStatus: guarded(() => app.ledgerStatus()),
    appRelease: guarded(() => app.here.appRelease()),
    castLedgerVote: guarded((subject, yes) => app.castLedgerVote(subject, yes)),
  }
}
