// How a person is told of their appointments when Ward is closed: by letters that the server sends, by this browser's
// push service, and by a calendar that asks for times. What is kept for it is theirs to take away.

import { b64, unb64 } from '../seal/bytes.ts'
import type { Net } from './net.ts'
import { EngineProblem } from './problem.ts'
import type { Reminders } from './types.ts'

interface WireReminders { language?: string; timeZone?: string; leads: number[]; email?: string; mail?: boolean; pushKey: string; here?: boolean; browsers?: number; feed?: boolean }

export class Reminding {
  private readonly net: Net

  constructor(net: Net) { this.net = net }

  async get(): Promise<Reminders> {
    const r = await this.net.get<WireReminders>('/api/reminders')
    return {
      language: r.language ?? '', timeZone: r.timeZone ?? '', leads: r.leads, email: r.email ?? '', mail: r.mail === true, browsers: r.browsers ?? 0, feed: r.feed === true,
      // The browser forgets when its person says so in its settings; then it shows nothing, whatever the server has.
      here: r.here === true && (await subscription()) !== null,
    }
  }

  set(r: Pick<Reminders, 'language' | 'timeZone' | 'leads' | 'email'>): Promise<void> {
    return this.net.put('/api/reminders', { language: r.language, timeZone: r.timeZone, leads: r.leads, ...(r.email && { email: r.email }) })
  }

  async end(): Promise<void> {
    await this.net.del('/api/reminders')
    await (await subscription())?.unsubscribe()
  }

  async show(on: boolean): Promise<'ok' | 'denied'> {
    if (!on) {
      await this.net.del('/api/reminders/push')
      await (await subscription())?.unsubscribe()
      return 'ok'
    }
    if ((await Notification.requestPermission()) !== 'granted') return 'denied'
    const { pushKey } = await this.net.get<WireReminders>('/api/reminders')
    await (await subscription())?.unsubscribe() // one of another person's, or for another key
    const made = await (await navigator.serviceWorker.ready).pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: unb64(pushKey) }).catch((error: unknown) => {
      throw new EngineProblem('unavailable', `the browser's push service does not answer: ${error instanceof Error ? error.message : ''}`)
    })
    const key = (name: PushEncryptionKeyName): string => b64(new Uint8Array(made.getKey(name) ?? new ArrayBuffer(0)))
    await this.net.put('/api/reminders/push', { endpoint: made.endpoint, p256dh: key('p256dh'), auth: key('auth') })
    return 'ok'
  }

  async makeFeed(language: string): Promise<string> {
    return location.origin + (await this.net.post<{ path: string }>('/api/calendar-feed', { language })).path
  }

  endFeed(): Promise<void> { return this.net.del('/api/calendar-feed') }
}

async function subscription(): Promise<PushSubscription | null> {
  if (typeof PushManager === 'undefined' || !('serviceWorker' in navigator)) return null
  const worker = await navigator.serviceWorker.getRegistration()
  return (await worker?.pushManager.getSubscription()) ?? null
}

/** Whether this browser can show reminders at all. */
export const canPush = (): boolean => typeof PushManager !== 'undefined' && typeof Notification !== 'undefined' && 'serviceWorker' in navigator
