// Appointments, in real browsers: a clinician in Madrid says when she may be booked, a patient who is in New York books
// by herself, the front desk books a series over a change of clocks, and what is said by mail and in a calendar tells
// nobody anything. visit.story.mjs is about the visit itself.

import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'
import { ask, lookInside } from './inside.mjs'
import { coming, end, holdAnswer, invite, join } from './steps.mjs'
import { Postbox } from './postbox.mjs'
import { found } from './search.mjs'

const clinicZone = 'Europe/Madrid'
const farZone = 'America/New_York'
const about = 'zephyrine blotches behind the knee' // once in the whole story, so that it can be looked for
const mailbox = 'qwillfeather@example.net'

export async function steps(database) {
  const story = new Telling(`booking ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const postbox = await Postbox.open()
  const clinic = await Clinic.start({ database, env: { WARD_SMTP_SERVER: postbox.address, WARD_SMTP_FROM: 'appointments@example.org' } })
  const browser = await openBrowser()
  const arrive = coming(story, browser, {}, lookInside)
  let okafor, amina, sonia, visit
  const dialog = (someone) => someone.page.getByRole('dialog')
  await story.step('a clinic in Madrid, and a patient who is in New York', async () => {
    okafor = await arrive('okafor', { timezoneId: clinicZone })
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { timezoneId: farZone, width: 390, height: 844 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
  })
  await story.step('while she has no hours, the patient is told what to do instead', async () => {
    await amina.page.goto(clinic.origin)
    await amina.page.getByRole('link', { name: 'Book an appointment' }).click()
    await amina.page.getByText('Ada Okafor has no free times to book here.').waitFor()
    await accessible(amina, 'nothing to book')
    await picture(amina, 'booking-no-hours')
  })
  await story.step('Dr Okafor says when patients may book', async () => {
    await okafor.page.goto(`${clinic.origin}/calendar/hours`)
    await okafor.page.getByText('Madrid, Central European Time').waitFor()
    await okafor.page.getByRole('button', { name: 'Add hours: Monday' }).click()
    const monday = okafor.page.getByRole('group', { name: 'Monday' })
    await monday.getByLabel('From').fill('15:00')
    await monday.getByLabel('To').fill('14:00')
    await okafor.button('Save these hours').click()
    await monday.getByText('The end must be after the start.').waitFor()
    await monday.getByLabel('To').fill('18:00')
    await okafor.button('Use these hours from Monday to Friday').click()
    await picture(okafor, 'booking-hours')
    await accessible(okafor, 'hours')
    await okafor.button('Save these hours').click()
    await told(okafor, 'The hours are saved.')
    await small(okafor, 'hours')
    await okafor.page.reload()
    must((await okafor.page.getByRole('group', { name: 'Friday' }).getByLabel('To').inputValue()) === '18:00', 'the hours were not kept')
  })
  let general
  await story.step('while Amina is away, Dr Okafor writes to her', async () => {
    await amina.page.goto(clinic.origin)
    const toChart = amina.page.getByRole('link', { name: /Open my chart/ })
    const chart = await toChart.getAttribute('href')
    const [opened] = await Promise.all([amina.page.waitForResponse(/\/api\/charts\/[^/?]+$/), toChart.click()])
    general = (await opened.json()).locks.find((l) => l.compartment === 'general').lock
    await amina.page.goto(`${clinic.origin}/api/ready`) // where the app does not run
    await okafor.page.goto(`${clinic.origin}${chart}/messages`)
    await okafor.field('Your message').fill('Book whenever it suits you.')
    const stored = okafor.page.waitForResponse((r) => r.url().endsWith(`/api/locks/${general}/entries`) && r.ok())
    await okafor.button('Send').click()
    await stored
  })
  await story.step('Amina books by herself in four taps, and sees the time here and there', async () => {
    let taps = 0
    const tap = async (what) => {
      taps++
      await what.click()
    }
    const letGo = await holdAnswer(amina, `**/api/locks/${general}/entries?*`) // her chart is still being read, for the list, when she books
    await amina.page.goto(clinic.origin)
    await tap(amina.page.getByRole('link', { name: 'Book an appointment' }))
    const days = amina.page.getByRole('group', { name: 'Which day?' })
    await days.locator('label').nth(2).waitFor()
    await tap(days.locator('label').nth(2))
    const times = amina.page.getByRole('group', { name: 'What time?' })
    const slot = times.locator('label').nth(3) // the fourth of twenty minutes from 15:00 in Madrid
    const starts = await slot.locator('input').inputValue()
    must(clockIn(clinicZone, starts) === '16:00', `the fourth time is ${starts}`)
    must((await slot.innerText()) === spokenIn(farZone, starts), `shown as ${await slot.innerText()}, which is not the time in New York`)
    await tap(slot)
    await amina.page.getByText('Times are in your time zone, New York, Eastern Time.').waitFor()
    await amina.page.getByText(`For Ada Okafor it is ${spokenIn(clinicZone, starts)} (Madrid, Central European Time).`).waitFor()
    await amina.field('What is it about?').fill(about)
    await accessible(amina, 'booking')
    await fits(amina, 'booking')
    await picture(amina, 'booking-self')
    const [answer] = await Promise.all([booked(amina), tap(amina.page.getByRole('button', { name: /^Book: / }))])
    visit = answer
    must(visit.starts === starts, `booked at ${visit.starts}, not at ${starts}`)
    must(taps === 4, `${taps} taps`)
    await told(amina, /^Booked: /)
    await amina.page.locator('details.opens summary').click()
    await amina.page.getByText(about).waitFor()
    letGo()
    await amina.page.waitForTimeout(500) // what was read of the chart before she booked has come, and must not count
    must(await amina.page.getByText(about).isVisible(), 'an older reading of the chart took the place of a newer one')
    await accessible(amina, 'booked')
    await small(amina, 'booked')
    await amina.page.getByRole('link', { name: 'Remind me of it' }).click()
    await amina.heading('Reminders').waitFor()
    await amina.page.goto(clinic.origin)
    await amina.page.getByText(about).waitFor()
    await picture(amina, 'booking-home')
    await fits(amina, 'patient home')
  })
  await story.step('Dr Okafor sees it at her own time, and what it is about', async () => {
    await okafor.page.goto(`${clinic.origin}/calendar`)
    await goTo(okafor, visit.starts)
    const row = okafor.page.locator('.appointment', { hasText: 'Amina Yusuf' })
    await row.getByText(spokenIn(clinicZone, visit.starts), { exact: true }).waitFor()
    await row.locator('summary').click()
    await row.getByText(about).waitFor()
    await accessible(okafor, 'agenda')
    await picture(okafor, 'booking-agenda')
  })
  await story.step('Amina moves it', async () => {
    await amina.page.goto(`${clinic.origin}/calendar`)
    await amina.page.locator('details.opens summary').click()
    await amina.button('Move').click()
    const box = dialog(amina)
    await box.getByRole('group', { name: 'Which day?' }).locator('label').nth(4).click()
    await box.getByRole('group', { name: 'What time?' }).locator('label').nth(1).click()
    await accessible(amina, 'moving')
    await picture(amina, 'booking-move')
    const [answer] = await Promise.all([changed(amina, visit.visit), box.getByRole('button', { name: /^Move: / }).click()])
    must(clockIn(clinicZone, answer.starts) === '15:20', `moved to ${answer.starts}`)
    visit = answer
    await told(amina, /^Moved: /)
    await amina.page.getByText(about).waitFor() // it went with it
  })
  await story.step('too late to change it, she is told so and what to do', async () => {
    const rules = (await ask(okafor, 'GET', `/api/people/${visit.host}/availability`)).body
    const notice = async (minutes) => must((await ask(okafor, 'PUT', `/api/people/${visit.host}/availability`, { ...rules, notice: minutes })).status < 300, 'the notice was not changed')
    await notice(14 * 24 * 60)
    for (const change of [{ state: 'cancelled' }, { starts: visit.starts, ends: visit.ends }]) {
      const { status } = await ask(amina, 'PUT', `/api/visits/${visit.visit}`, change)
      must(status === 409, `the server answers ${status}`)
    }
    await amina.page.reload()
    await amina.page.locator('details.opens summary').click()
    await amina.page.getByText(/It is too late to change this here: the clinic asks for 14 days of notice/).waitFor()
    must((await amina.button('Cancel appointment').count()) === 0, 'she may still try')
    await accessible(amina, 'too late')
    await picture(amina, 'booking-too-late')
    await amina.page.getByRole('link', { name: 'Write to the team' }).first().click()
    await amina.field('Your message').waitFor()
    await notice(120)
  })
  await story.step('and cancels in time', async () => {
    await amina.page.goto(`${clinic.origin}/calendar`)
    await amina.page.locator('details.opens summary').click()
    await amina.button('Cancel appointment').click()
    await accessible(amina, 'cancelling')
    await picture(amina, 'booking-cancel')
    const [answer] = await Promise.all([changed(amina, visit.visit), dialog(amina).getByRole('button', { name: 'Cancel appointment' }).click()])
    must(answer.state === 'cancelled', `it is ${answer.state}`)
    await told(amina, 'The appointment is cancelled.')
    await picture(amina, 'booking-cancelled')
  })
  await story.step('Amina has reminders by mail: a neutral letter comes at once', async () => {
    await amina.page.goto(`${clinic.origin}/settings`)
    await amina.page.getByRole('checkbox', { name: 'By e-mail' }).check()
    await amina.field('E-mail address').fill('qwillfeather')
    const save = amina.page.locator('form', { hasText: 'A day before' }).getByRole('button', { name: 'Save', exact: true })
    await save.click()
    await amina.page.getByText('Write it like name@example.org.').waitFor()
    await amina.field('E-mail address').fill(mailbox)
    await accessible(amina, 'reminders')
    await fits(amina, 'reminders')
    await save.click()
    await told(amina, 'Your reminders are saved.')
    neutral(await postbox.next(), 'Reminders of your appointments will come to this address.')
    await small(amina, 'settings')
  })
  let feed
  await story.step('her calendar shows a time and one word, by an address', async () => {
    await amina.button('Make an address').click()
    feed = await amina.page.locator('.link-text').innerText()
    const answer = await fetch(feed)
    const text = await answer.text()
    must(answer.status === 200 && answer.headers.get('content-type').startsWith('text/calendar'), `the feed ${feed} answers ${answer.status}: ${text}`)
    must(/SUMMARY:Appointment\r\n/.test(text) && text.includes(`DTSTART:${visit.starts.slice(0, 19).replace(/[-:]/g, '')}Z`) && text.includes('STATUS:CANCELLED'), text)
    quiet(text)
    await picture(amina, 'booking-feed')
  })
  let clock, series
  await story.step('the front desk books a series over a change of clocks, and sees what is in its way', async () => {
    sonia = await arrive('sonia', { timezoneId: clinicZone })
    await join(sonia, await invite(okafor, clinic, 'Front desk', 'Sonia', 'Ruiz'), 'Sonia', 'Ruiz')
    await okafor.page.goto(`${clinic.origin}/people`) // her browser welcomes who joined
    clock = clockChange(clinicZone)
    await fill(sonia, { day: daysFrom(clock, -5), time: '10:00' })
    const [single] = await Promise.all([booked(sonia), sonia.page.getByRole('button', { name: 'Book', exact: true }).click()])
    must(clockIn(clinicZone, single.starts) === '10:00', `booked at ${single.starts}`)
    await fill(sonia, { day: daysFrom(clock, -5), time: '10:00' })
    await sonia.page.locator('.appointment', { hasText: 'Amina Yusuf' }).waitFor() // the day that she chooses shows what is booked
    await fill(sonia, { day: daysFrom(clock, -12), time: '10:00' })
    await sonia.field('How often?').selectOption('week')
    await sonia.page.getByRole('group', { name: 'How many visits?' }).getByText('4', { exact: true }).click()
    await sonia.button('See the dates').click()
    const plan = sonia.page.locator('form li.item', { hasText: /:00/ })
    await plan.nth(3).waitFor()
    const rows = await plan.allInnerTexts()
    must(rows.length === 4 && rows.every((r) => r.includes(spokenIn(clinicZone, single.starts))), `the time on the clock changes: ${rows.join(' / ')}`)
    must(rows.filter((r) => r.includes('Ada Okafor has another visit at that time.') && r.includes('left out')).length === 1 && rows[1].includes('left out'), `what is in the way: ${rows.join(' / ')}`)
    await accessible(sonia, 'a series')
    await picture(sonia, 'booking-series')
    const [first] = await Promise.all([booked(sonia), sonia.button('Book these').click()])
    series = await seriesOf(first)
    must(series.map((v) => v.state).join() === 'booked,booked,booked', `booked: ${series.map((v) => v.starts).join()}`)
    must(series.every((v) => clockIn(clinicZone, v.starts) === '10:00') && new Set(series.map((v) => v.starts.slice(11, 16))).size === 2, `not over a change of clocks: ${series.map((v) => v.starts).join()}`)
    await small(sonia, 'desk')
  })
  await story.step('the front desk cancels one, then the rest; the patient hears a time and nothing else', async () => {
    for (const [at, name, left] of [[1, 'Cancel only this one', 'booked,cancelled,booked'], [0, 'Cancel this and all later ones', 'cancelled,cancelled,cancelled']]) {
      await sonia.page.goto(`${clinic.origin}/calendar`)
      await goTo(sonia, series[at].starts)
      await sonia.page.locator('.appointment summary').first().click()
      await sonia.page.getByText('One of a series').waitFor()
      must((await sonia.page.getByText(/what it is about/i).count()) === 1, 'the front desk is asked what it is about') // but the line that says where that belongs
      await sonia.button('Cancel appointment').click()
      if (at === 0) {
        await accessible(sonia, 'cancelling a series')
        await picture(sonia, 'booking-cancel-series')
      }
      await Promise.all([changed(sonia, series[at].visit), dialog(sonia).getByRole('button', { name }).click()])
      await told(sonia, 'The appointment is cancelled.')
      const now = (await seriesOf(series[0])).map((v) => v.state).join()
      must(now === left, `the series is ${now}`)
      const letter = await postbox.next()
      neutral(letter, at === 0 ? 'and those that follow it were cancelled.' : 'was cancelled.')
      must(letter.text.includes(`at ${clockIn(farZone, series[at].starts)}`), `not her own time: ${letter.text}`)
    }
  })
  await story.step('the front desk never sees what a visit is about', async () => {
    await sonia.page.goto(`${clinic.origin}/calendar`)
    await goTo(sonia, visit.starts)
    await sonia.page.locator('.appointment summary').first().click()
    await sonia.page.getByText(/Amina Yusuf/).first().waitFor()
    must(!(await sonia.page.content()).includes(about), 'it is on the page')
    must((await sonia.button('Say what it is about').count()) === 0, 'she may write it')
    await accessible(sonia, 'agenda of the desk')
    await picture(sonia, 'booking-desk')
  })
  // What screens say does not depend on the database.
  if (!database) await story.step('all of it is complete in Spanish and in Arabic, right to left, on a small phone', async () => {
    for (const [language, dir] of [['es', 'ltr'], ['ar', 'rtl']]) {
      for (const [who, path] of [[amina, '/calendar'], [sonia, '/calendar'], [okafor, '/calendar/hours']]) {
        const page = await who.context.newPage()
        await page.setViewportSize({ width: 320, height: 640 })
        await page.addInitScript((code) => localStorage.setItem('ward-prefs', JSON.stringify({ language: code, theme: code === 'ar' ? 'dark' : 'light' })), language)
        const there = { ...who, name: `${who.name} ${language}`, page }
        await page.goto(clinic.origin + path)
        await page.locator('h1').waitFor()
        await page.locator('main form').last().waitFor()
        must((await page.evaluate(() => document.documentElement.dir)) === dir, `${language} is not ${dir}`)
        if (who === amina) {
          await page.locator('.slots label').nth(1).click()
          await page.locator('.slots-times label').nth(1).click()
        }
        await accessible(there, `${path} in ${language}`)
        await fits(there, `${path} in ${language}`)
        await picture(there, `booking-${language}-${who.name}`)
        await page.close()
      }
    }
    await amina.page.goto(`${clinic.origin}/settings`)
    await amina.page.evaluate(() => localStorage.removeItem('ward-prefs'))
    await amina.page.reload()
  })
  await story.step('she ends the reminders and the calendar: the address leads nowhere', async () => {
    await amina.button('End the address').click()
    await told(amina, 'The address no longer works.')
    must((await fetch(feed)).status === 404, 'the feed still answers')
    await amina.button('No more reminders').click()
    await told(amina, 'There will be no more reminders, and your address is removed.')
    must(postbox.letters.length === 0, `more letters came: ${JSON.stringify(postbox.letters)}`)
  })
  await story.step('someone copies the whole disk: what it was about is not there, nor who, nor her address', async () => {
    const { hits, files } = found(clinic.keepings(), [about, mailbox, 'Okafor', 'Yusuf', 'Amina'])
    must(files > 2, 'hardly any files were searched')
    must(hits.length === 0, hits.join('\n'))
  })
  await end(story, clinic, browser)
  await postbox.close()
  return story

  /** The front desk's form for Amina, with whom there is no choice. */
  async function fill(someone, { day, time }) {
    await someone.page.goto(`${clinic.origin}/calendar`)
    await someone.page.getByRole('searchbox', { name: 'Patient' }).fill('Amina')
    await someone.button(/^Amina Yusuf/).click()
    const form = someone.page.locator('form')
    await form.locator('input[type=date]').fill(day)
    await form.locator('input[type=time]').fill(time)
  }

  async function seriesOf(first) {
    const { body } = await ask(okafor, 'GET', `/api/visits?from=${first.starts}&to=${new Date(Date.parse(first.starts) + 60 * 86_400_000).toISOString()}`)
    return body.visits.filter((v) => v.series === first.visit)
  }
}

/** Waits for what the server answers to a booking, and to a change. */
const booked = (someone) => answered(someone, 'POST', '/api/visits')
const changed = (someone, visit) => answered(someone, 'PUT', `/api/visits/${visit}`)

async function answered(someone, method, path) {
  const answer = await someone.page.waitForResponse((r) => r.request().method() === method && new URL(r.url()).pathname === path)
  must(answer.ok(), `${method} ${path} answers ${answer.status()}`)
  return answer.json()
}

/** Waits until a page says that something is done. */
const told = (someone, text) => someone.page.getByRole('status').getByText(text).waitFor()

/** Shows the day of a moment in the agenda. */
async function goTo(someone, moment) {
  await someone.field('Go to a day').fill(new Intl.DateTimeFormat('en-CA', { timeZone: clinicZone }).format(new Date(moment)))
  await someone.page.locator('.appointment').first().waitFor()
}

/** Whether a page fits at 320 px, with a picture of it. */
async function small(someone, where) {
  const before = someone.page.viewportSize()
  await someone.page.setViewportSize({ width: 320, height: 640 })
  await fits(someone, `${where}, 320 px`)
  await picture(someone, `booking-${where.replaceAll(' ', '-')}-320`)
  await someone.page.setViewportSize(before)
}

/** A time of day on a clock: 16:20; and as English says it: 4:20 PM. */
const clockIn = (timeZone, moment) => new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(new Date(moment))
const spokenIn = (timeZone, moment) => new Intl.DateTimeFormat('en', { timeZone, hour: 'numeric', minute: '2-digit' }).format(new Date(moment))

/** The first day, at least three weeks from now, on which a zone's clocks change. */
function clockChange(timeZone) {
  const offset = (day) => new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).format(day).split('GMT')[1]
  for (let day = new Date(Date.now() + 21 * 86_400_000); ; day = new Date(day.getTime() + 86_400_000)) {
    if (offset(day) !== offset(new Date(day.getTime() + 86_400_000))) return day
  }
}

/** A day so many days from another, as fields of a form write it. */
const daysFrom = (day, plus) => new Date(day.getTime() + plus * 86_400_000).toISOString().slice(0, 10)

/** Whether a text tells who, where or why. */
function quiet(text) {
  const told = text.match(/Amina|Yusuf|Okafor|Ada\b|Hillside|clinic|doctor|patient|health|medic|visit|zephyrine|knee/i)
  must(!told, `it says “${told?.[0]}”: ${text}`)
}

function neutral(letter, says) {
  must(letter.to.join() === mailbox, `it went to ${letter.to}`)
  must(letter.text.includes(says), `it does not say “${says}”: ${letter.text}`)
  quiet(letter.text)
}
