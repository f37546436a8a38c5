// The one Trusted Types policy of the app. The page runs under require-trusted-types-for 'script', so the address of
// a script is taken only from here, and only this one exists.

interface Policy { createScriptURL(url: string): unknown }
interface Types { createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy }

const worker = '/sw.js'

let policy: Policy | undefined

/** The service worker's address, as register() wants it. */
export function workerURL(): string {
  const types = (globalThis as { trustedTypes?: Types }).trustedTypes
  policy ??= types?.createPolicy('ward', {
    createScriptURL(url) {
      if (url !== worker) throw new TypeError(`${url} is not a script of Ward`)
      return url
    },
  })
  return (policy?.createScriptURL(worker) ?? worker) as string
}
