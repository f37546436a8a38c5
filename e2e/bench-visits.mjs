// Measures visits in Chromium, and prints a JSON line for each value: {name, value, unit, goal?}. How soon people see each
// other is measured by bench-frames.mjs.
//
//   CPU           of the server's process while two people meet, against LiveKit's, alone (plain.mjs); compared for each
//                 packet that arrives, since a busy machine makes fewer
//   membership    what a browser needs to make a change of who is in, and to process another's
//
// Both carry the same made-up pictures.

import { readFileSync } from 'node:fs'
import { Clinic } from './clinic.mjs'
import { lookInside, received } from './inside.mjs'
import { openBrowser, Someone } from './people.mjs'
import { Plain } from './plain.mjs'
import { book, invite, join, meet } from './steps.mjs'
import { pageWith } from './stranger.mjs'
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
const plain = await Plain.start(size)
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

  for (const someone of [okafor, amina]) await someone.context.close()

  const two = await Promise.all(['host', 'guest'].map((name) => plain.person(browser, name)))
  for (const person of two) await person.getByRole('button', { name: 'Go in' }).click()
  for (const person of two) await person.locator('.remote').waitFor()
  await pause(3000)
  const ofPlain = await costs(plain.livekit.pid, async () => (await Promise.all(two.map((person) => person.evaluate(() => globalThis.plain.packets())))).reduce((n, r) => n + r, 0))
  for (const person of two) await person.context().close()

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
  plain.end()
  await browser.close()
  await clinic.remove()
}
