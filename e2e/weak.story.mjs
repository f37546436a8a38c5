// A visit on a bad network: one packet of twenty is lost on each way, and an answer takes a tenth of a second longer.
// Sound stays whole, pictures keep moving, pictures wait where not even small ones fit beside the sound, a sign says how
// it is, and a gap heals by itself. Once, on SQLite.

import { Clinic, freeUDPPort } from './clinic.mjs'
import { Impairment, outside } from './impair.mjs'
import { lookInside, received } from './inside.mjs'
import { openBrowser } from './people.mjs'
import { book, coming, inVisits, invite, join, meet } from './steps.mjs'
import { Telling, must, picture } from './telling.mjs'
import { moving, until } from './visit.story.mjs'

const bad = { loss: 0.05, delay: 50, jitter: 10, seed: 20261125 } // of each way: between two people there are two, so one packet of ten is lost
/** How much of the sound may be made up for at that loss. Without redundancy it is about 7.5 %, with it about 1.4 %. */
const mostConcealed = 0.03
const listened = 10_000 // ms
/** Hardly more than sound needs, with its redundancy, in bits a second. */
const narrow = 100_000
/** And there, while the pictures wait; beside them it is 20 to 50 %. */
const mostConcealedNarrow = 0.08
/** How long what was on its way may take, and how long it is listened then: until it is tried whether pictures fit again. In ms. */
const [drained, heardNarrow] = [2000, 5000]
/** How soon pictures are tried again, with some time for a busy machine, in ms. */
const backAgain = 20_000

export async function steps(database) {
  const story = new Telling('a bad network')
  if (database) return story
  const port = await freeUDPPort()
  const clinic = await Clinic.start({ env: { WARD_MEDIA_ADDRESS: outside, WARD_MEDIA_UDP: String(port), WARD_MEDIA_TURN: '-1' } })
  const network = await Impairment.on(port, bad)
  const browser = await openBrowser()
  const arrive = coming(story, browser, inVisits, (someone) => lookInside(someone, { tone: true }))
  let okafor, amina
  await story.step('a visit of two over a bad network', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { width: 390, height: 844 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    await meet(clinic, await book(okafor, clinic, 'Amina'), okafor, amina)
    for (const someone of [okafor, amina]) await moving(someone, 1)
    must(network.carried > 100, 'the media did not go over the bad network: then this shows nothing')
  })
  await story.step('the sound stays whole, and the pictures keep moving', async () => {
    const before = [await received(okafor, 'audio'), await received(amina, 'audio')]
    const pictures = [await received(okafor, 'video'), await received(amina, 'video')]
    await okafor.page.waitForTimeout(listened)
    for (const [i, someone] of [okafor, amina].entries()) {
      const now = await received(someone, 'audio')
      const made = (now.concealed - before[i].concealed) / (now.samples - before[i].samples)
      const perSecond = ((await received(someone, 'video')).frames - pictures[i].frames) / (listened / 1000)
      console.log(`     ${someone.name}: ${(100 * made).toFixed(2)} % of the sound made up for, ${perSecond.toFixed(1)} pictures a second`)
      must(now.twice > 0.5 * now.packets, `sound comes without redundancy: ${now.twice} of ${now.packets} packets`)
      must(made < mostConcealed, `${(100 * made).toFixed(1)} % of the sound that ${someone.name} hears is made up`)
      must(perSecond > 2, `${someone.name} sees ${perSecond} pictures a second`)
      await moving(someone, 1)
    }
    const share = network.lost / (network.lost + network.carried)
    must(Math.abs(share - bad.loss) < 0.02, `the network lost ${share}`)
  })
  await story.step('a sign says when it gets worse, and when it is better', async () => {
    const weak = okafor.page.locator('.bars-weak, .bars-lost').first()
    network.loss = 0.35
    await weak.waitFor({ timeout: 40_000 })
    await picture(okafor, 'weak')
    await picture(amina, 'weak-phone')
    network.loss = 0
    await weak.waitFor({ state: 'detached', timeout: 40_000 })
  })
  await story.step('where both do not fit the pictures wait, so that the sound comes through, and they come back', async () => {
    const waiting = [okafor, amina].map((someone) => someone.page.getByText('Picture paused').first())
    for (const text of waiting) await text.waitFor({ state: 'detached', timeout: backAgain })
    network.rate = narrow
    const waits = await Promise.race(waiting.map((text, i) => text.waitFor({ timeout: 30_000 }).then(() => [okafor, amina][i])))
    await picture(waits, 'paused')
    await waits.page.waitForTimeout(drained)
    const before = await received(waits, 'audio')
    await waits.page.waitForTimeout(heardNarrow)
    const now = await received(waits, 'audio')
    const made = (now.concealed - before.concealed) / (now.samples - before.samples)
    console.log(`     ${waits.name}: ${(100 * made).toFixed(2)} % of the sound made up for`)
    must(made < mostConcealedNarrow, `${(100 * made).toFixed(1)} % of the sound that ${waits.name} hears is made up, though pictures wait for it`)
    network.rate = Infinity
    for (const [i, someone] of [okafor, amina].entries()) {
      await waiting[i].waitFor({ state: 'detached', timeout: backAgain })
      await moving(someone, 1)
    }
    network.loss = bad.loss
  })
  await story.step('nothing comes through for six seconds, and then it goes on by itself', async () => {
    network.loss = 1
    await okafor.page.waitForTimeout(6000)
    network.loss = bad.loss
    for (const someone of [okafor, amina]) await moving(someone, 1)
  })
  await browser.close()
  network.end()
  await clinic.remove()
  return story
}
