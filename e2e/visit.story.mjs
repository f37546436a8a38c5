// A visit, in real browsers with made-up cameras: Amina waits, Dr Okafor lets her in, both see and hear each other and
// the same code. Nobody else does: not who has a room token and no keys, not who was taken out.

import { Clinic } from './clinic.mjs'
import { openBrowser, Someone } from './people.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'
import { found } from './search.mjs'
import { book, invite, join } from './steps.mjs'

export async function steps(database) {
  const story = new Telling(`visit ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = async (name, options) => {
    const someone = await Someone.at(browser, name, { ...options, permissions: ['camera', 'microphone'] })
    someone.page.setDefaultTimeout(20_000)
    story.people.push(someone)
    return someone
  }
  let okafor, amina, visit
  await story.step('a clinic, its clinician and a patient with an appointment', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { width: 390, height: 844 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    visit = await book(okafor, clinic, 'Amina')
  })
  await story.step('Amina comes to the waiting room', async () => {
    await amina.page.goto(`${clinic.origin}/visit/${visit}`)
    await amina.button('I agree to visits by video').waitFor()
    await accessible(amina, 'consent')
    await fits(amina, 'consent')
    await amina.button('I agree to visits by video').click()
    await amina.button('Go to the waiting room').waitFor()
    await accessible(amina, 'lobby')
    await fits(amina, 'lobby')
    await picture(amina, 'visit-lobby')
    await amina.button('Go to the waiting room').click()
    await amina.heading('You are in the waiting room').waitFor()
    await accessible(amina, 'waiting room')
    await fits(amina, 'waiting room')
    await picture(amina, 'visit-waiting')
  })
  await story.step('Dr Okafor opens the visit and lets her in', async () => {
    await okafor.page.goto(`${clinic.origin}/visit/${visit}`)
    await okafor.button('Open the visit').click()
    await okafor.button(/^Let in/).waitFor()
    await accessible(okafor, 'visit, alone')
    await picture(okafor, 'visit-knock')
    await okafor.button(/^Let in/).click()
  })
  await story.step('both see each other move', async () => {
    for (const someone of [okafor, amina]) await moving(someone, 1)
    await picture(okafor, 'visit-clinician')
    await picture(amina, 'visit-patient')
    await accessible(okafor, 'visit')
    await accessible(amina, 'visit, phone')
    await fits(amina, 'visit, phone')
  })
  await story.step('both see the same code', async () => {
    const codes = []
    for (const someone of [okafor, amina]) {
      await someone.button('Sealed').click()
      codes.push(await someone.page.getByTestId('visit-code').innerText())
      await picture(someone, `visit-code-${someone.name}`)
      await someone.button('Close').click()
    }
    must(codes[0].replace(/\D/g, '').length === 30 && codes[0] === codes[1], `codes differ: ${codes.join(' / ')}`)
  })
  await browser.close()
  await clinic.remove()
  return story
}

/** Waits until a person sees so many others move: their videos show frames, newer ones each time. */
export async function moving(someone, others) {
  const frames = () => someone.page.evaluate(() => [...document.querySelectorAll('.tile:not(.tile-me) video')].map((v) => v.getVideoPlaybackQuality().totalVideoFrames))
  for (let tries = 0, before = []; tries < 80; tries++) {
    const now = await frames()
    if (now.length >= others && now.filter((n, i) => n > 5 && n > (before[i] ?? 0)).length >= others && before.length >= others) return
    before = now
    await someone.page.waitForTimeout(250)
  }
  throw new Error(`${someone.name} sees nobody move: ${JSON.stringify(await frames())}`)
}
