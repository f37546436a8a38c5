// People at their browsers: each has a Chromium profile of their own with a virtual authenticator that has user
// verification and PRF (or not, to see what a person without it is told).

import { chromium } from 'playwright-core'

/** Which of the cameras that the browser makes up people use. One that four pages share stands still for all of them
 * now and then, perhaps since each keeps pictures back until it gets the next. So everybody has one of their own
 * (inside.mjs). Of the first three some code their pictures in other ways, which may not be sent at all. */
export const cameras = { from: 3, count: 6 }

// Cameras and microphones are made up by the browser. Addresses are not hidden behind names that only a network resolves.
const arguments_ = [
  '--no-sandbox', '--disable-dev-shm-usage', `--use-fake-device-for-media-stream=device-count=${cameras.from + cameras.count}`, '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
  '--disable-features=WebRtcHideLocalIpsWithMdns', '--auto-select-desktop-capture-source=Entire screen',
]

/** A browser; its camera shows the film in a file, or what the browser makes up. */
export async function openBrowser({ film = '' } = {}) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...arguments_, ...(film ? [`--use-file-for-fake-video-capture=${film}`] : [])] })
}

export class Someone {
  constructor(name, context, page, cdp, authenticator) {
    Object.assign(this, { name, context, page, cdp, authenticator, problems: [] })
  }

  static async at(browser, name, { width = 1280, height = 860, locale = 'en', prf = true, colorScheme = 'light', permissions = [], serviceWorkers = 'allow', timezoneId } = {}) {
    const context = await browser.newContext({ viewport: { width, height }, locale, colorScheme, permissions, serviceWorkers, acceptDownloads: true, ...(timezoneId && { timezoneId }) })
    const page = await context.newPage()
    const cdp = await context.newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true,
        hasUserVerification: true, isUserVerified: true, hasPrf: prf, automaticPresenceSimulation: true,
      },
    })
    const someone = new Someone(name, context, page, cdp, authenticatorId)
    page.on('pageerror', (error) => someone.problems.push(`page error: ${error.stack ?? error.message}`))
    page.on('console', (message) => {
      if (process.env.WARD_CONSOLE) console.log(`${name}: ${message.text()}`)
      if (/Content Security Policy|TrustedHTML|TrustedScript|Refused to/i.test(message.text())) someone.problems.push(message.text())
    })
    return someone
  }

  button(name) { return this.page.getByRole('button', { name }) }
  link(name) { return this.page.getByRole('link', { name }) }
  field(name) { return this.page.getByLabel(name) }
  heading(name) { return this.page.getByRole('heading', { name }) }
}
