// The bodies of wire.go, as far as the engine uses them. Bytes are standard base64.

import type { Opened } from '../ledger/accesses.ts'
import type { Block, Receipt, StateProof, Validator } from '../ledger/verify.ts'
import type { EmergencyCode, Role } from './types.ts'

export interface WireClinic { org: string; name: string; version: string }
export interface WireMembership { statements: string[]; more: boolean }
export interface WireCards { person: string; state: 'active' | 'pending' | 'ended' | 'invited'; thread?: string[]; recipients: string[]; browsers: string[] }
export interface WirePerson { person: string; roles: Role[]; state: 'active' | 'pending' | 'ended'; card?: string }
export interface WireSession {
  session: string; token: string; person: string; org: string; roles: Role[]; idle: number; until: string; share: string
  keyring?: string; version: number; cardText: string; pending?: boolean
}
export interface WireSummary {
  lock: string; kind: string; chart?: string; compartment?: 'general' | 'restricted'; epochs: string[]; seq: number; chain: string; due: boolean; readable: boolean
}
export interface WireHeld { text: string; sealed: string }
export interface WireLock extends WireSummary { histories: string[]; grants: WireHeld[]; snapshot?: number }
export interface WireMember { text: string; state: 'live' | 'expired' | 'removed'; ended?: string; by?: string }
export interface WireStored { seq: number; text: string; sealed?: string }
export interface WireEntries { entries: WireStored[]; more: boolean; seq: number; chain: string }
export interface WireChart { chart: string; person: string; locks: WireSummary[]; emergencies?: WireEmergency[] }
export interface WireEmergency { chart: string; owner: string; person: string; code: EmergencyCode; began: string; until: string }
export interface WireInvitation {
  invitation: string; person: string; roles: Role[]; chart?: string; recover?: boolean; by?: string
  state: 'open' | 'opened' | 'accepted' | 'expired' | 'withdrawn'; created: string; until: string; sent: boolean
}
export interface WireOpened {
  org: WireClinic; person: string; roles: Role[]; chart?: string; recover?: boolean; founding?: boolean; until: string; welcome?: string
  clinicText?: string; membership: WireMembership; thread?: string[]; cardText?: string; locks?: WireSummary[]; ceremony: string; publicKey: never
}
export interface WireInvitedMembership extends WireMembership { thread?: string[] }
export interface WireSessionInfo { session: string; browser: string; agent: string; started: string; used: string; until: string; current: boolean }
export interface WireMe {
  org: WireClinic; person: string; roles: Role[]; cardText: string; pending: boolean; clinicText: string; charts: string[]
  session: WireSessionInfo; idle: number; share: string; version: number
}
export interface WireEvent {
  event: string; seq: number; time: string; person?: string; roles?: Role[]; action: string; about?: string; chart?: string
  decision: 'allow' | 'deny' | 'done'; policies?: string[]; outcome?: string; count?: number; hash: string
}
export interface WireLedger { chain?: string; validators?: Validator[]; height?: number; origin: string; salt: string; final?: WireFinal; before?: WireLogBefore[] }
export interface WireLogBefore { origin: string; size: number; root: string; time: string; lost: number }
export interface WireFinal { size: number; root: string; block: Block }
export interface WireConsistency { from: number; final: WireFinal; proof: string[] }
export interface WireReceipt { ref: string; leaf: number; kind: string; salt: string; text: string; receipt?: Receipt; pending?: boolean }
export interface WireAccesses { key: string; accesses: Opened[]; more?: boolean }
export interface WireCardProof { label: string; proof?: StateProof; pending?: boolean }
export interface WireNotice { kind: string; lock?: string; chart?: string; seq?: number; person?: string; visit?: string }
export interface WireVisitMember { member: string; state: 'waiting' | 'admitted' | 'left' | 'removed'; since: string; admissionText?: string; name?: string }
export interface WireVisit {
  visit: string; chart: string; host: string; starts: string; ends: string; patient: string; state: 'booked' | 'open' | 'ended' | 'cancelled'
  late?: number; series?: string; waits?: string; me?: WireVisitMember['state']; epoch: number; seq: number; members?: WireVisitMember[]; guests?: WireVisitGuest[]; names?: string; groupInfo?: string
}
export interface WireVisitGuest { guestText: string; state: 'open' | 'used' | 'withdrawn'; arrivalText?: string; hello?: string }
export interface WireGuestOpened { org: WireClinic; visit: WireVisit; welcome: string; used: boolean; host: WireGuestHost }
export interface WireGuestHost { person: string; cardText: string; recipient: string; browsers: string[] }
export interface WireGuestSession { token: string; org: string; visit: string; guest: string; until: string }
export interface WireVisitMessage { seq: number; epoch: number; kind: 'commit' | 'application' | 'group'; sender: string; body: string }
export interface WireVisitMessages { messages: WireVisitMessage[]; more: boolean; epoch: number }
export interface WireVisitEntry { visit: WireVisit; room: WireVisitRoom }
export interface WireVisitRoom { url: string; token: string; outside?: boolean; relays?: { urls: string[]; username?: string; credential?: string }[] }
