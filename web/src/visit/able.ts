// What a visit needs of a browser. It is apart from the call itself, so that a device is checked without loading that.

/** Whether this browser can seal frames at all. If it cannot it does not join: there is no visit in the clear. */
export function canEncrypt(): boolean {
  return typeof Worker !== 'undefined' && typeof RTCRtpSender !== 'undefined' &&
    ('createEncodedStreams' in RTCRtpSender.prototype || 'RTCRtpScriptTransform' in globalThis)
}

/** Browsers as far as they differ in where permissions are. */
export type Family = 'chrome' | 'chrome-phone' | 'safari' | 'safari-phone' | 'firefox' | 'other'

/** Which family a browser is of, by what it says of itself. Good enough to give directions by; nothing else depends on it. */
export function familyOf(agent: string, touchPoints: number): Family {
  const phone = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1)
  if (phone) return 'safari-phone' // every browser there asks the way Safari does
  if (/Firefox\//.test(agent)) return 'firefox'
  if (/Chrome\/|Chromium\//.test(agent)) return /Android/.test(agent) ? 'chrome-phone' : 'chrome'
  return /Safari\//.test(agent) ? 'safari' : 'other'
}

/** What a browser lacks for a visit: an address that is https, cameras and calls, or what seals them. */
export type CannotVisit = 'address' | 'calls' | 'sealing'

export function lacksForVisit(): CannotVisit | undefined {
  if (!isSecureContext) return 'address'
  if (typeof RTCPeerConnection === 'undefined' || typeof navigator.mediaDevices?.getUserMedia !== 'function') return 'calls'
  return canEncrypt() ? undefined : 'sealing'
}

/** Why a camera or a microphone is not there. */
export type DeviceFault = 'denied' | 'system' | 'missing' | 'busy' | 'failed'

/** What a failed getUserMedia was about. Chromium says in its message when it was the system, not the page, that refused. */
export function faultOf(error: unknown): DeviceFault {
  const { name, message } = error instanceof Error || error instanceof DOMException ? error : { name: '', message: '' }
  switch (name) {
    case 'NotAllowedError': case 'PermissionDeniedError': case 'SecurityError': return /system/i.test(message) ? 'system' : 'denied'
    case 'NotFoundError': case 'DevicesNotFoundError': case 'OverconstrainedError': return 'missing'
    case 'NotReadableError': case 'TrackStartError': case 'AbortError': return 'busy'
    default: return 'failed'
  }
}
