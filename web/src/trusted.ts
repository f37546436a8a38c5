// The one Trusted Types policy of the app. The page runs under require-trusted-types-for 'script', so the address of
// a script is taken only from here, and only these exist (build/web.go makes them).

interface Policy { createScriptURL(url: string): unknown }
interface Types { createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy }

const scripts = {
  service: '/sw.js',     // keeps the app on the device
  frames: '/frames.js',  // seals and opens the frames of visits
  background: '/background.js', // puts a background behind someone in a visit
} as const

let policy: Policy | undefined

/** The address of a worker, as register() and Worker want it. */
export function scriptURL(of: keyof typeof scripts): string {
  const types = (globalThis as { trustedTypes?: Types }).trustedTypes
  policy ??= types?.createPolicy('ward', {
    createScriptURL(url) {
      if (!Object.values<string>(scripts).includes(url)) throw new TypeError(`${url} is not a script of Ward`)
      return url
    },
  })
  return (policy?.createScriptURL(scripts[of]) ?? scripts[of]) as string
}
