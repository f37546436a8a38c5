// A visit, in real browsers with made-up cameras: Amina waits, Dr Okafor lets her in, both see and hear each other and
// the same code. What goes wrong in a visit goes wrong here too: a page is loaded again, a network goes, the server is
// killed. hostile.story.mjs is about who should not be there, guest.story.mjs about who is asked in.

import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'
import { ask, epochOf, keysOf, lookInside } from './inside.mjs'
import { book, coming, end, hold, inVisits, invite, join } from './steps.mjs'

export async function steps(database) {
  const story = new Telling(`visit ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = coming(story, browser, inVisits, lookInside)
  let okafor, amina, visit
  await story.step('a clinic, its clinician and a patient with an appointment', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { width: 390, height: 844 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    visit = await book(okafor, clinic, 'Amina')
  })
  await story.step('Amina comes to the waiting room, once she has agreed', async () => {
    const look = await hold(amina, `**/api/visits/${visit}?group=1`)
    await amina.page.goto(`${clinic.origin}/visit/${visit}`)
    await look.asked
    must((await amina.button('Go to the waiting room').count()) === 0, 'she may go in before it is known whether she agreed')
    look.letGo()
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
  await story.step('who was not let in gets no way into the room, and nothing that the group said', async () => {
    for (const [method, path] of [['POST', 'enter'], ['POST', 'room'], ['GET', 'messages?after=0'], ['POST', 'messages']]) {
      const { status } = await ask(amina, method, `/api/visits/${visit}/${path}`, method === 'POST' ? {} : undefined)
      must(status === 403, `${method} ${path} answered ${status}`)
    }
  })
  await story.step('Dr Okafor opens the visit and lets her in', async () => {
    const look = await hold(okafor, `**/api/visits/${visit}?group=1`)
    await okafor.page.goto(`${clinic.origin}/visit/${visit}`)
    const open = await okafor.button('Open the visit').elementHandle()
    look.letGo()
    await okafor.heading('Visit with Amina Yusuf').waitFor()
    must(await open.evaluate((button) => button.isConnected), 'the button goes away under her finger')
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
  await story.step('both see the same code', () => sameCode([okafor, amina], true))
  await story.step('who mutes is shown as muted', async () => {
    await amina.button('Mute').click()
    await okafor.page.locator('.tile:not(.tile-me)').getByText('muted').waitFor()
    await amina.button('Unmute').click()
    await okafor.page.locator('.tile:not(.tile-me)').getByText('muted').waitFor({ state: 'detached' })
  })
  await story.step('Dr Okafor shows her screen, and takes it back', async () => {
    await okafor.button('More').click()
    await okafor.button('Share screen').click()
    await amina.page.locator('.tile-screen video').waitFor()
    await moving(amina, 1, '.tile-screen video')
    await picture(amina, 'visit-screen')
    await okafor.button('Stop sharing').click()
    await amina.page.locator('.tile-screen').waitFor({ state: 'detached' })
    await okafor.button('Close').click()
  })
  await story.step('they write to each other', async () => {
    for (const [from, to, text] of [[okafor, amina, written[0]], [amina, okafor, written[1]]]) {
      for (const someone of [from, to]) if ((await someone.field('Write to everyone here').count()) === 0) await someone.button('Chat').click()
      await from.field('Write to everyone here').fill(text)
      await from.button('Send').click()
      await to.page.getByText(text).waitFor()
    }
    await picture(amina, 'visit-chat')
    for (const someone of [okafor, amina]) await someone.button('Close').click()
  })
  await story.step('Amina loads the page again, and is back with a new place in the group, without being let in again', async () => {
    const before = await keysOf(okafor)
    await amina.page.reload()
    await moving(amina, 1)
    await moving(okafor, 1)
    must((await okafor.button(/^Let in/).count()) === 0, 'she had to be let in again')
    const after = await keysOf(okafor)
    must(after.at(-1).epoch > before.at(-1).epoch, 'the epoch is the same')
    for (const k of after.at(-1).others) must(!before.some((e) => e.others.some((o) => o.key === k.key)), 'a key is used again')
    await sameCode([okafor, amina])
  })
  await story.step('she leaves and goes back in: the room is there at once, says what happens, and loses nothing that she writes too soon', async () => {
    await amina.button('Leave').click()
    await amina.button('Go back in').waitFor()
    const way = await hold(amina, '**/enter')
    await amina.button('Go back in').click()
    await amina.page.getByText('Connecting sound and picture').waitFor()
    await accessible(amina, 'visit-joining')
    await picture(amina, 'visit-joining')
    await amina.button('Chat').click()
    await amina.field('Write to everyone here').fill(tooSoon)
    await amina.button('Send').click()
    await amina.page.getByText('not sent').waitFor()
    way.letGo()
    await moving(amina, 1)
    must((await amina.field('Write to everyone here').inputValue()) === tooSoon, 'what she wrote is gone')
    await amina.button('Send').click()
    await okafor.button(/^Chat/).click()
    await okafor.page.getByText(tooSoon).waitFor()
    for (const someone of [okafor, amina]) await someone.button('Close').click()
  })
  await story.step('Amina opens the visit in a second window: the first says so', async () => {
    const second = { ...amina, name: 'amina, second window', page: await amina.context.newPage() }
    second.button = (name) => second.page.getByRole('button', { name })
    // The first is just looking how the visit stands when it is put out: it must not take the answer for a way back in.
    await amina.page.route(`**/api/visits/${visit}`, (route) => setTimeout(() => void route.continue().catch(() => undefined), 1500))
    await second.page.goto(`${clinic.origin}/visit/${visit}`)
    await second.button('Go to the waiting room').click()
    await moving(second, 1)
    await amina.heading('You are in this visit in another window').waitFor()
    await amina.page.waitForTimeout(2000)
    await amina.page.unroute(`**/api/visits/${visit}`)
    await moving(second, 1)
    await second.page.close()
    await amina.button('Go back in').click()
    await moving(amina, 1)
    await moving(okafor, 1)
  })
  await story.step('Amina has no network for a while', async () => {
    await amina.context.setOffline(true)
    await amina.page.waitForTimeout(4000)
    await amina.context.setOffline(false)
    await moving(amina, 1)
    await moving(okafor, 1)
    await sameCode([okafor, amina])
  })
  await story.step('the server is killed and started again: both are back in the same visit, with new keys', async () => {
    const before = [await keysOf(okafor), await keysOf(amina)].flat().map((e) => e.own)
    const epochs = [await epochOf(okafor), await epochOf(amina)]
    await clinic.down('SIGKILL')
    await okafor.page.getByText('The connection broke').waitFor()
    await clinic.up()
    const up = Date.now()
    for (const someone of [okafor, amina]) await moving(someone, 1)
    console.log(`     both see each other again ${((Date.now() - up) / 1000).toFixed(1)} s after the server is`)
    await until(async () => (await epochOf(okafor)) > epochs[0] && (await epochOf(amina)) > epochs[1], 'no new epoch')
    for (const someone of [okafor, amina]) must(!before.includes((await keysOf(someone)).at(-1).own), 'a key is used again')
    must((await okafor.button(/^Let in/).count()) === 0, 'she had to be let in again')
    await sameCode([okafor, amina])
    for (const someone of [okafor, amina]) await moving(someone, 1)
  })
  await story.step('the visit ends for both, and what they wrote is in the chart', async () => {
    await okafor.button('End visit').click()
    await okafor.page.getByRole('dialog').getByRole('button', { name: 'End visit' }).click()
    for (const someone of [okafor, amina]) await someone.heading('The visit has ended').waitFor()
    const { status } = await ask(amina, 'POST', `/api/visits/${visit}/room`, {})
    must(status >= 400, `the room's door is still open: ${status}`)
    const { body } = await ask(amina, 'GET', `/api/visits/${visit}`)
    await amina.page.goto(`${clinic.origin}/chart/${body.chart}/messages`)
    for (const text of written) await amina.page.getByText(text).first().waitFor()
  })
  return end(story, clinic, browser)
}

/** What is written in the visit, each text once in the whole story. */
const written = ['Please hold the arm a little higher', 'Like this, or more?']
const tooSoon = 'I am nearly back'

/** Whether all see the same code, once they have the same group. */
export async function sameCode(people, pictures = false) {
  let codes = []
  for (const someone of people) await someone.button('Sealed').click()
  await until(async () => {
    codes = await Promise.all(people.map((someone) => someone.page.getByTestId('visit-code').innerText()))
    return codes[0].replace(/\D/g, '').length === 30 && codes.every((code) => code === codes[0])
  }, () => `codes differ: ${codes.join(' / ')}`)
  for (const someone of people) {
    if (pictures) await picture(someone, `visit-code-${someone.name}`)
    await someone.button('Close').click()
  }
}

/** Waits until something is so. */
export async function until(so, otherwise, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (await so()) return
    await new Promise((done) => setTimeout(done, 250))
  }
  throw new Error(typeof otherwise === 'function' ? otherwise() : otherwise)
}

/** Waits until a person sees so many others move: their videos show frames, newer ones each time. */
export async function moving(someone, others, which = '.tile:not(.tile-me) video', seconds = 20) {
  const frames = () => someone.page.evaluate((w) => [...document.querySelectorAll(w)].map((v) => v.getVideoPlaybackQuality().totalVideoFrames), which)
  for (let tries = 0, before = []; tries < 4 * seconds; tries++) {
    const now = await frames()
    if (now.length >= others && now.filter((n, i) => n > 5 && n > (before[i] ?? 0)).length >= others && before.length >= others) return
    before = now
    await someone.page.waitForTimeout(250)
  }
  const inside = await someone.page.evaluate(() => globalThis.seen && { counts: globalThis.seen.counts, epochs: globalThis.seen.keys.map((k) => k.epoch), peers: globalThis.seen.peers.map((p) => p.connectionState) })
  throw new Error(`${someone.name} sees nobody move: ${JSON.stringify(await frames())} ${JSON.stringify(inside)} ${(await someone.page.locator('h1, h2, .tile').allInnerTexts()).join(' / ')}`)
}
