// What stories have in common: people who come and join, an appointment, and how it ends.

import { Someone } from './people.mjs'
import { must } from './telling.mjs'

/** What the browser of someone in a visit has. */
export const inVisits = { permissions: ['camera', 'microphone'] }

/** How people come into a story; usual: what all their browsers have, prepare: what is done before their first page. */
export const coming = (story, browser, usual = {}, prepare = async () => undefined) => async (name, options) => {
  const someone = await Someone.at(browser, name, { ...usual, ...options })
  someone.page.setDefaultTimeout(20_000)
  await prepare(someone)
  story.people.push(someone)
  return someone
}

/** The last step; then all that the story used goes. cause: errors that the story itself brought about. */
export async function end(story, clinic, browser, cause = undefined) {
  await story.step('no page broke the content policy or threw', async () => {
    const problems = story.people.flatMap((p) => p.problems.map((x) => `${p.name}: ${x}`))
    must(problems.length === 0, problems.join('\n'))
    const wrong = clinic.log.split('\n').filter((l) => /panic|ERROR/.test(l) && !cause?.test(l))
    must(wrong.length === 0, wrong.slice(0, 5).join('\n'))
  })
  await browser.close()
  await clinic.remove()
  return story
}

/** Holds back what someone's page asks of such an address from now on: asked tells when it first did, letGo ends it. */
export async function hold(someone, address) {
  let told, open
  const asked = new Promise((resolve) => { told = resolve })
  const held = new Promise((resolve) => { open = resolve })
  await someone.page.route(address, async (route) => {
    told()
    await held
    await route.continue()
  })
  return { asked, letGo: open }
}

/** Holds back the next answer from such an address, as it was when it was asked for, until what it gives is called. */
export async function holdAnswer(someone, address) {
  let letGo
  const held = new Promise((resolve) => { letGo = resolve })
  await someone.page.route(address, async (route) => {
    const response = await route.fetch()
    await held
    await route.fulfill({ response })
  }, { times: 1 })
  return letGo
}

/** Opens an invitation and tells who one is, up to the passkey; look sees the screens on the way. */
export async function fillJoin(someone, link, given, family, patient = false, look = async () => undefined) {
  await someone.page.goto(link)
  await someone.button('Continue').click()
  // Who was invited by a name has that one; a founder says their own.
  await someone.field('First name').or(someone.page.getByText('The clinic knows you as')).first().waitFor()
  if ((await someone.field('First name').count()) > 0) {
    await someone.field('First name').fill(given)
    await someone.field('Last name').fill(family)
  } else await someone.page.getByText(`${given} ${family}`, { exact: true }).waitFor()
  if (!patient) return
  await someone.page.getByLabel('Day').fill('2')
  await someone.page.getByLabel('Month').selectOption('4')
  await someone.page.getByLabel('Year').fill('1961')
  await someone.page.getByRole('checkbox').check()
  await look(someone, 'about me')
}

export async function join(someone, link, given, family, patient = false, look = async () => undefined) {
  await fillJoin(someone, link, given, family, patient, look)
  await someone.button('Make my passkey').click()
  await someone.heading('Keep your recovery code').waitFor()
  await look(someone, 'recovery code')
  await someone.page.getByRole('checkbox').check()
  await someone.button('Go to my space').click()
  await someone.heading(`Hello, ${given} ${family}`).waitFor()
}

export async function invite(someone, clinic, role, given, family) {
  await someone.page.goto(`${clinic.origin}/people/invite`)
  await someone.page.getByRole('radio', { name: role, exact: true }).check()
  await someone.field('First name').fill(given)
  await someone.field('Last name').fill(family)
  await someone.button('Make the link').click()
  return someone.page.getByTestId('link').textContent()
}

/** Books a patient for a visit that begins now, as a clinician in the calendar, and gives the visit's id. */
export async function book(someone, clinic, patient) {
  await someone.page.goto(`${clinic.origin}/calendar`)
  await someone.page.getByRole('searchbox', { name: 'Patient' }).fill(patient)
  await someone.page.getByRole('button', { name: new RegExp(patient) }).click()
  const soon = new Date(Date.now() + 60_000)
  const two = (n) => String(n).padStart(2, '0')
  await someone.page.locator('form input[type=date]').fill(`${soon.getFullYear()}-${two(soon.getMonth() + 1)}-${two(soon.getDate())}`)
  await someone.page.locator('form input[type=time]').fill(`${two(soon.getHours())}:${two(soon.getMinutes())}`)
  const [booked] = await Promise.all([
    someone.page.waitForResponse((r) => r.request().method() === 'POST' && new URL(r.url()).pathname === '/api/visits' && r.ok()),
    someone.page.getByRole('button', { name: 'Book', exact: true }).click(),
  ])
  return JSON.parse(booked.request().postData()).visit
}

/** The two whose visit it is meet in it: the patient waits, the clinician lets them in. */
export async function meet(clinic, visit, clinician, patient) {
  await patient.page.goto(`${clinic.origin}/visit/${visit}`)
  await patient.button('I agree to visits by video').click()
  await patient.button('Go to the waiting room').click()
  await clinician.page.goto(`${clinic.origin}/visit/${visit}`)
  await clinician.button('Open the visit').click()
  await clinician.button(/^Let in/).click()
}
