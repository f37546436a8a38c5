// What Ward needs of a browser, looked for before anything else, so that whoever lacks it is told what to do instead of
// meeting an error later.

/** What a browser lacks: an address that is https, passkeys, or the kind of key that signs here. */
export type Lack = 'address' | 'passkeys' | 'keys'

export async function lacking(): Promise<Lack | undefined> {
  if (!isSecureContext) return 'address' // it hides the other two as well
  if (typeof PublicKeyCredential === 'undefined') return 'passkeys'
  return crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']).then(() => undefined, () => 'keys' as const)
}

const probe = 'ward-probe'

/** Whether this browser keeps anything until the next visit; some private windows do not. */
export function remembers(): Promise<boolean> {
  if (typeof indexedDB === 'undefined') return Promise.resolve(false)
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(probe)
      request.onsuccess = () => {
        request.result.close()
        indexedDB.deleteDatabase(probe)
        resolve(true)
      }
      request.onerror = () => resolve(false)
    } catch {
      resolve(false)
    }
  })
}
