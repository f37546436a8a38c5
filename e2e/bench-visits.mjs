// Measures visits in Chromium, and prints a JSON line for each value: {name, value, unit, goal?}.
//
//   first frame   from the click to the first frame of the other, against livekit-client and LiveKit alone
//   CPU           of the server's process while two people meet, against LiveKit's, alone; compared for each packet that
//                 arrives, since a busy machine makes fewer
//   membership    what a browser needs to make a change of who is in, and to process another's
//
// WARD_ALONE names the program of LiveKit standing alone (visits/alone). Both carry the same made-up pictures.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Clinic, freePort } from './clinic.mjs'
import { lookInside, received } from './inside.mjs'
import { openBrowser, Someone } from './people.mjs'
import { book, invite, join, meet } from './steps.mjs'
import { mint, pageWith } from './stranger.mjs'
import { moving } from './visit.story.mjs'

const rounds = 7
const windows = 5
const windowLength = 8000 // ms
const size = { width: 640, height: 480, frameRate: 20 }
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const print = (name, value, unit, goal) => console.log(JSON.stringify({ name, value, unit, goal }))
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Seconds of CPU that a process has used; the kernel counts a hundred a second. */
function used(pid) {
  const after = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')
  return (Number(after[11]) + Number(after[12])) / 100
}

/** What a process uses in windows of some seconds: of a core, and for a thousand packets that arrive, in ms. */
async function costs(pid, packets) {
  const shares = []
  const each = []
  for (let i = 0; i < windows; i++) {
    const [cpu, sent, start] = [used(pid), await packets(), performance.now()]
    await pause(windowLength)
    const more = used(pid) - cpu
    shares.push(more / ((performance.now() - start) / 1000))
    each.push(1e6 * more / ((await packets()) - sent))
  }
  return { share: median(shares), each: median(each) }
}

const clinic = await Clinic.start()
const browser = await openBrowser()
const [port, udp, secret] = [await freePort(), await freePort(), randomBytes(32).toString('hex')]
const alone = spawn(process.env.WARD_ALONE, [String(port), String(udp), 'ward', secret], { stdio: ['ignore', 'inherit', 'inherit'] })
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
  const ofWard = await costs(clinic.process.pid, async () => {
    const all = await Promise.all([okafor, amina].flatMap((someone) => ['audio', 'video'].map((kind) => received(someone, kind))))
    return all.reduce((n, r) => n + r.packets, 0)
  })

  // Amina leaves and comes back, some times: from her click to Dr Okafor's first frame.
  const again = async (button) => {
    await amina.button(button).waitFor()
    return amina.page.evaluate((name) => new Promise((resolve) => {
      const start = performance.now()
      const look = () => {
        const video = document.querySelector('.tile:not(.tile-me) video')
        if (video) video.requestVideoFrameCallback(() => resolve(performance.now() - start))
        else requestAnimationFrame(look)
      }
      ;[...document.querySelectorAll('button')].find((b) => b.textContent.includes(name)).click()
      look()
    }), button)
  }
  const inWard = []
  for (let round = 0; round < rounds; round++) {
    await amina.button('Leave').click()
    await pause(1500) // until the group has gone on without her
    inWard.push(await again('Go back in'))
    await pause(1000)
  }
  for (const someone of [okafor, amina]) await someone.context.close()

  const room = 'alone'
  const plain = await Promise.all(['a', 'b'].map(() => pageWith(browser, clinic.origin, 'plain.page.mjs', 'plain')))
  const come = (i, isAlone) => plain[i].evaluate(([url, token, how]) => globalThis.plain.come(url, token, how), [`ws://localhost:${port}`, mint(secret, room, `person${i}`), { size, alone: isAlone }])
  await come(0, true)
  await come(1, false)
  await pause(3000)
  const ofPlain = await costs(alone.pid, async () => (await Promise.all(plain.map((page) => page.evaluate(() => globalThis.plain.packets())))).reduce((n, r) => n + r, 0))
  const inPlain = []
  for (let round = 0; round < rounds; round++) {
    await plain[1].evaluate(() => globalThis.plain.go())
    await pause(1500)
    inPlain.push(await come(1, false))
    await pause(1000)
  }
  for (const page of plain) await page.context().close()

  print('visits: click to first frame', median(inWard), 'ms')
  print('visits: click to first frame, LiveKit alone', median(inPlain), 'ms')
  print('visits: click to first frame, ratio', median(inWard) / median(inPlain), '', 1.15)
  print('visits: CPU of the server, two people', 100 * ofWard.share, '% of a core')
  print('visits: CPU of LiveKit alone, two people', 100 * ofPlain.share, '% of a core')
  print('visits: CPU of the server for 1000 packets', ofWard.each, 'ms')
  print('visits: CPU of LiveKit alone for 1000 packets', ofPlain.each, 'ms')
  print('visits: CPU of the server for a packet, ratio', ofWard.each / ofPlain.each, '', 1.05)
  print('visits: of two people, on one core', 1 / ofWard.share, 'visits')

  const group = await pageWith(browser, clinic.origin, '../web/test/bench-visits.ts', 'changes')
  for (const members of [2, 5, 10]) {
    const costs = await group.evaluate(([members, rounds]) => globalThis.changes.measure(members, rounds), [members, rounds])
    for (const [what, name] of [['join', 'someone joins'], ['remove', 'someone is taken out']]) {
      print(`visits: ${name}, of ${members}: make`, median(costs[what].map((c) => c.make)), 'ms')
      print(`visits: ${name}, of ${members}: process`, median(costs[what].map((c) => c.process)), 'ms')
    }
  }
} finally {
  alone.kill()
  await browser.close()
  await clinic.remove()
}
