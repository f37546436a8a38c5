// Measures in Chromium how long it takes from a click until the other person is seen, and prints a JSON line for each
// value: {name, value, unit, goal?}. Ward's visits are compared with a small app on the same LiveKit, as anybody builds
// one, without encryption (plain.mjs): it asks its own server for a token after the click, connects, and sends camera and
// microphone with the same settings. Both are used as people use them, by their buttons; in both the other person is there
// already, with camera and microphone on; rounds of both alternate, and whoever is not measured is out of their call.
//
//   back       someone left and goes back in: from their click until they see the first frame of the other
//   let in     someone waits on a page that was just opened, and is let in: from the click of who lets them in until who
//              waited sees the first frame of the other
//
// In both pages the same few lines watch for the frame.

import { Clinic } from './clinic.mjs'
import { ask, lookInside } from './inside.mjs'
import { openBrowser, Someone } from './people.mjs'
import { Plain } from './plain.mjs'
import { book, invite, join, meet } from './steps.mjs'
import { moving } from './visit.story.mjs'

const rounds = Number(process.env.WARD_ROUNDS ?? 9)
const firstRounds = Number(process.env.WARD_ROUNDS ?? 5)
const size = { width: 640, height: 480, frameRate: 20 }
/** How far a server is from a home or a phone, in ms each way. */
const home = 20
const settle = 2000 // ms, until a group has gone on without who left, and what a page still does is done
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const print = (name, value, unit, goal) => console.log(JSON.stringify({ name, value, unit, goal }))
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** When a page shows the first frame of someone else, by the clock that all pages of one machine share; perhaps after
 * clicking a button, and then how long after it, in ms. */
const firstFrame = (page, remote, button = '') => page.evaluate(([remote, button]) => new Promise((resolve) => {
  const start = button === '' ? 0 : performance.timeOrigin + performance.now()
  const watch = (video) => video.requestVideoFrameCallback(() => resolve(performance.timeOrigin + performance.now() - start))
  const seen = new MutationObserver(() => {
    const video = document.querySelector(remote)
    if (!video) return
    seen.disconnect()
    watch(video)
  })
  seen.observe(document.body, { childList: true, subtree: true })
  if (button !== '') [...document.querySelectorAll('button')].find((b) => b.textContent.includes(button)).click()
}), [remote, button])

/** Clicks a button and gives when, by the same clock. */
const click = (page, button) => page.evaluate((button) => {
  const at = performance.timeOrigin + performance.now()
  ;[...document.querySelectorAll('button')].find((b) => b.textContent.includes(button)).click()
  return at
}, button)

const ofWard = '.tile:not(.tile-me) video'
const ofPlain = '.remote'

/** Measures both from so many ms away, each way, as where says. */
async function from(away, where) {
  const clinic = await Clinic.start({ away })
  const browser = await openBrowser()
  const plain = await Plain.start(size, away)
  try {
    const arrive = async (name) => {
      const someone = await Someone.at(browser, name, { permissions: ['camera', 'microphone'] })
      await lookInside(someone, { size })
      return someone
    }
    const okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    const amina = await arrive('amina')
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    const visit = await book(okafor, clinic, 'Amina')
    await meet(clinic, visit, okafor, amina)
    for (const someone of [okafor, amina]) await moving(someone, 1)
    await amina.button('Leave').click()

    const host = await plain.person(browser, 'host')
    await host.getByRole('button', { name: 'Go in' }).click()
    const guest = await plain.person(browser, 'guest')
    await firstFrame(guest, ofPlain, 'Go in')
    await guest.getByRole('button', { name: 'Leave' }).click()

    const back = { ward: [], plain: [] }
    for (let round = 0; round < rounds; round++) {
      await pause(settle)
      await amina.button('Go back in').waitFor()
      back.ward.push(await firstFrame(amina.page, ofWard, 'Go back in'))
      await pause(settle)
      await amina.button('Leave').click()
      await pause(settle)
      back.plain.push(await firstFrame(guest, ofPlain, 'Go in'))
      await pause(settle)
      await guest.getByRole('button', { name: 'Leave' }).click()
    }

    const letIn = { ward: [], plain: [] }
    for (let round = 0, next = visit; round < firstRounds; round++) {
      await ask(okafor, 'POST', `/api/visits/${next}/end`)
      next = await book(okafor, clinic, 'Amina')
      await amina.page.goto(`${clinic.origin}/visit/${next}`)
      await amina.button('Go to the waiting room').click()
      await okafor.page.goto(`${clinic.origin}/visit/${next}`)
      await okafor.button('Open the visit').click()
      await okafor.button(/^Let in/).waitFor()
      await pause(settle)
      const seen = firstFrame(amina.page, ofWard)
      const clicked = await click(okafor.page, 'Let in')
      letIn.ward.push((await seen) - clicked)
      await pause(settle)
      await amina.button('Leave').click()
      await plain.open(guest, 'guest')
      await guest.evaluate((size) => globalThis.plain.wait(size), size)
      await pause(settle)
      const seenPlain = firstFrame(guest, ofPlain)
      const clickedPlain = await click(host, 'Let in')
      letIn.plain.push((await seenPlain) - clickedPlain)
      await pause(settle)
      await guest.getByRole('button', { name: 'Leave' }).click()
    }
    if (process.env.WARD_ROUNDS) console.error(where, JSON.stringify({ back, letIn }, (_, v) => typeof v === 'number' ? Math.round(v) : v))
    print(`visits: back in${where}, click to first frame`, median(back.ward), 'ms')
    print(`visits: back in${where}, a plain app on the same LiveKit`, median(back.plain), 'ms')
    print(`visits: back in${where}, ratio`, median(back.ward) / median(back.plain), '', 1.15)
    print(`visits: let in${where}, click to first frame`, median(letIn.ward), 'ms')
    print(`visits: let in${where}, a plain app on the same LiveKit`, median(letIn.plain), 'ms')
    print(`visits: let in${where}, ratio`, median(letIn.ward) / median(letIn.plain), '')
  } finally {
    plain.end()
    await browser.close()
    await clinic.remove()
  }
}

await from(0, '')
await from(home, ', 40 ms away')
