// A server that will not be checked, in real browsers: each answer of the ledger's is refused, hangs, is empty, or is stripped
// of its proof, and the patient is told at once where the proof belongs, and after an hour on every page.

import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { coming, end, invite, join } from './steps.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'

/** What an operator's proxy does with the answers whose addresses match; the rest pass. */
async function withhold(page, address, how) {
  const play = async (route) => {
    if (how === 'refused') return route.fulfill({ status: 503, json: { error: { kind: 'unavailable', message: 'not now' } } })
    if (how === 'empty') return route.fulfill({ json: {} })
    if (how === 'hanging') return undefined
    const response = await route.fetch()
    const body = await response.json()
    for (const r of body.receipts ?? []) {
      delete r.receipt
      r.pending = true
    }
    return route.fulfill({ response, json: body })
  }
  await page.route(address, play)
  return () => page.unroute(address, play)
}

const receipts = /\/api\/charts\/[^/]+\/receipts/
const ledger = /\/api\/ledger(\/|\?|$)/

export async function steps(database) {
  const story = new Telling(`silence ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = coming(story, browser)
  let okafor, amina, chart
  const looks = () => amina.page.goto(`${clinic.origin}${chart}/looks`)
  const doctors = () => amina.page.locator('.chart-look').filter({ hasText: 'Ada Okafor' }).first()
  const agreed = () => doctors().locator('summary').filter({ hasText: 'Recorded and kept by Hillside Clinic alone' }).waitFor()

  await story.step('a doctor reads a chart, and its patient sees the proof of it', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { width: 320, height: 800 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    chart = await amina.page.getByRole('link', { name: /Open my chart/ }).getAttribute('href')
    await okafor.page.goto(`${clinic.origin}${chart}`)
    await okafor.heading('Amina Yusuf').first().waitFor()
    await looks()
    await agreed()
  })
  for (const how of ['refused', 'hanging', 'empty']) {
    await story.step(`proofs are ${how}: each look says at once that it is not checked`, async () => {
      const done = await withhold(amina.page, receipts, how)
      await looks()
      await doctors().getByText(/Not checked since/).waitFor({ timeout: 40_000 })
      if (how === 'refused') {
        await accessible(amina, 'silence-looks')
        await fits(amina, 'silence-looks')
        await picture(amina, 'silence-looks')
      }
      await done()
      await looks()
      await agreed()
    })
  }
  await story.step('proofs stripped to “soon”: what is below a head that her phone saw is missing, and alarms her', async () => {
    const done = await withhold(amina.page, receipts, 'stripped')
    await looks()
    await doctors().getByText('There is no proof for this').waitFor()
    await done()
    await looks()
    await agreed()
  })
  for (const how of ['refused', 'hanging']) {
    await story.step(`the whole ledger is ${how}: she reads since when it is not checked`, async () => {
      const done = await withhold(amina.page, ledger, how)
      await looks()
      await doctors().getByText(/Not checked since/).waitFor({ timeout: 40_000 })
      await done()
      await looks()
      await agreed()
    })
  }
  await story.step('a ledger that is denied is said to be gone, though it is refused afterwards and the page is loaded again', async () => {
    let done = await withhold(amina.page, ledger, 'empty')
    await looks()
    const gone = amina.page.getByRole('alert').filter({ hasText: 'The clinic’s proofs are gone' })
    await gone.waitFor()
    await done()
    done = await withhold(amina.page, ledger, 'refused')
    await looks()
    await doctors().getByText(/Not checked since/).waitFor()
    await gone.waitFor()
    await done()
    await looks()
    await agreed()
    must((await amina.page.getByRole('alert').count()) === 0, 'an alarm stayed after the history was found to hold')
  })
  await story.step('after more than an hour without an answer every page says so, and one that checks ends it', async () => {
    const done = await withhold(amina.page, ledger, 'refused')
    await looks()
    await doctors().getByText(/Not checked since/).waitFor()
    await amina.page.clock.install({ time: Date.now() + 70 * 60 * 1000 })
    await amina.page.goto(`${clinic.origin}/settings`)
    await amina.page.getByRole('alert').filter({ hasText: 'The clinic’s proofs cannot be had' }).waitFor()
    await accessible(amina, 'silence-hour')
    await fits(amina, 'silence-hour')
    await picture(amina, 'silence-hour')
    await done()
    await looks()
    await agreed()
    must((await amina.page.getByRole('alert').count()) === 0, 'the alarm stayed after the history was found to hold')
  })
  return end(story, clinic, browser)
}
