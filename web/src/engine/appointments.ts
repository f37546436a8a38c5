// Appointments: the server knows when, who and where it stands, since it must let them in; what one is about is an
// entry in the patient's chart, a FHIR Appointment that names the visit. This puts both together. Whoever books, moves
// or cancels writes that entry too, if their part in the chart lets them; the front desk does so without reading any.

import { appointment, readAppointment } from '../fhir/write.ts'
import { newID } from '../seal/bytes.ts'
import type { Net } from './net.ts'
import { EngineProblem } from './problem.ts'
import type { Appointment, Availability, Compartment, Draft, ID, Item, NewAppointment, Planned, Role } from './types.ts'
import type { WireVisit } from './wire.ts'

/** What appointments need of the session. */
export interface Session {
  nameOf(person: ID): Promise<string>
  /** The charts that are open, each with what is in it. */
  readonly opened: Iterable<{ readonly chart: ID; readonly owner: ID; readonly items: readonly Item[] }>
  isStaff(roles: readonly Role[]): boolean
  write(chart: ID, compartment: Compartment, draft: Draft): Promise<ID>
  changed(): void
}

export class Appointments {
  private readonly net: Net
  private readonly session: Session
  private said = '[]' // the reasons that the last list was given

  constructor(net: Net, session: Session) {
    this.net = net
    this.session = session
  }

  async list(from: string, to: string): Promise<readonly Appointment[]> {
    const { visits } = await this.net.get<{ visits: WireVisit[] }>(`/api/visits?from=${moment(from)}&to=${moment(to)}`)
    const reasons = this.reasons()
    this.said = JSON.stringify([...reasons])
    return Promise.all(visits.map((v) => this.show(v, reasons)))
  }

  private async show(v: WireVisit, reasons: ReadonlyMap<ID, string>): Promise<Appointment> {
    const reason = reasons.get(v.visit) ?? (v.series && reasons.get(v.series))
    return {
      id: v.visit, start: v.starts, end: v.ends, chart: v.chart, state: v.state, late: v.late ?? 0,
      patient: v.patient, patientName: await this.session.nameOf(v.patient), with: v.host, withName: await this.session.nameOf(v.host),
      ...(v.me && { me: v.me }), ...(v.waits && { waits: v.waits }), ...(v.series && { series: v.series }), ...(reason && { reason }),
    }
  }

  /** Looks whether the charts that are open say something else by now of what visits are about, and tells of it. */
  look(): void {
    const said = JSON.stringify([...this.reasons()])
    if (said === this.said) return
    this.said = said
    this.session.changed()
  }

  /** What visits are about, as far as the charts that are open say: the newest word of the patient or of staff. */
  private reasons(): Map<ID, string> {
    const found = new Map<ID, string>()
    for (const { owner, items } of this.session.opened) {
      for (const i of items) {
        const a = i.kind === 'appointment' && i.resources[0] && readAppointment(i.resources[0])
        if (a && a.visit && a.reason && (i.author.person === owner || this.session.isStaff(i.author.roles))) found.set(a.visit, a.reason)
      }
    }
    return found
  }

  async book(a: NewAppointment): Promise<ID> {
    const visit = newID()
    await this.net.post('/api/visits', { visit, ...body(a), ...(a.skip && { skip: a.skip }), ...(a.overlap && { overlap: true }) })
    await this.tell(visit, a, 'booked', a.reason)
    return visit
  }

  /** The times that a series would have, each with what stands in its way. */
  async plan(a: NewAppointment): Promise<readonly Planned[]> {
    return (await this.net.post<{ times: Planned[] }>('/api/visits/plan', { visit: newID(), ...body(a) })).times
  }

  async move(a: Appointment, start: string, end: string, overlap: boolean): Promise<void> {
    await this.net.put(`/api/visits/${a.id}`, { starts: start, ends: end, ...(overlap && { overlap }) })
    await this.tell(a.id, { ...a, start, end }, 'booked', a.reason)
  }

  /** Cancels one, or with all that follow it in its series. */
  async cancel(a: Appointment, series: boolean): Promise<void> {
    await this.net.put(`/api/visits/${a.id}`, { state: 'cancelled', ...(series && { series }) })
    await this.tell(a.id, a, 'cancelled', a.reason)
  }

  /** Says in the chart what a visit is about. */
  describe(a: Appointment, reason: string): Promise<void> { return this.tell(a.id, a, 'booked', reason) }

  /** The chart follows. Who may not write to it, such as a proxy who only reads, has still booked. */
  private async tell(visit: ID, a: { start: string; end: string; patient: ID; chart: ID; with: ID }, status: 'booked' | 'cancelled', reason: string | undefined): Promise<void> {
    const { start, end, patient, chart } = a
    const resource = appointment({
      visit, start, end, patient, chart, patientName: await this.session.nameOf(patient), with: a.with, withName: await this.session.nameOf(a.with), ...(reason && { reason }),
    }, status)
    await this.session.write(chart, 'general', { kind: 'appointment', resource }).catch((error: unknown) => {
      if (!(error instanceof EngineProblem && error.code === 'refused') || reason) throw error
    })
    this.session.changed()
  }

  slots(clinician: ID, from: string, to: string): Promise<{ readonly length: number; readonly starts: readonly string[] }> {
    return this.net.get(`/api/people/${clinician}/slots?from=${from}&to=${to}`)
  }

  availability(clinician: ID): Promise<Availability> { return this.net.get(`/api/people/${clinician}/availability`) }

  setAvailability(clinician: ID, a: Availability): Promise<void> { return this.net.put(`/api/people/${clinician}/availability`, a) }
}

/** Years and days are moments too. */
const moment = (text: string): string => new Date(text).toISOString()

const body = (a: NewAppointment): object => ({ chart: a.chart, host: a.with, starts: a.start, ends: a.end, ...(a.repeat && { repeat: a.repeat }) })
