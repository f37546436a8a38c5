// Appointments are written twice: to the directory, where staff see the day, and to the patient's chart. This puts
// both together. Who meets whom at which time is what makes an appointment one; its latest entry says how it stands.

import { readAppointment } from '../fhir/write.ts'
import type { Appointment, ID, Resource } from './types.ts'

/** An entry of kind appointment, from the directory or a chart. */
export interface Written { readonly entry: ID; readonly time: string; readonly author: ID; readonly byStaff: boolean; readonly resources: readonly Resource[] }

/** Appointments as they stand, by start. Only staff and those who meet count as authors. */
export function standing(entries: readonly Written[]): Appointment[] {
  const found = new Map<string, { appointment: Appointment; time: string }>()
  for (const e of [...entries].sort((a, b) => a.time.localeCompare(b.time))) {
    const a = e.resources[0] && readAppointment(e.resources[0])
    if (!a || !(e.byStaff || e.author === a.patient || e.author === a.with)) continue
    const meeting = `${a.patient} ${a.with} ${a.start}`
    const id = found.get(meeting)?.appointment.id ?? e.entry
    found.set(meeting, { appointment: { id, ...a }, time: e.time })
  }
  return [...found.values()].map((f) => f.appointment).sort((a, b) => a.start.localeCompare(b.start))
}

/** Whether an entry is about the same meeting. */
export function isAbout(resource: Resource | undefined, a: Pick<Appointment, 'patient' | 'with' | 'start'>): boolean {
  const other = resource && readAppointment(resource)
  return other !== undefined && other.patient === a.patient && other.with === a.with && other.start === a.start
}
