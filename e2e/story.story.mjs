// The story of Ward, as far as it exists, in real browsers: the front desk invites Amina; she joins with a passkey;
// her records are imported; Dr Okafor reads and writes; Amina sees who looked; a curious employee is refused and the
// security officer sees why; the whole disk is copied and there is nothing to read; Amina takes everything, and leaves.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Clinic, root } from './clinic.mjs'
import { openBrowser, Someone } from './people.mjs'
import { found } from './search.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'

const patients = join(root, 'testdata', 'fhir-synthea')
const canaries = { family: 'Zwingmannova', note: 'quartzkestrel murmur at 0417', message: 'ombrelune since Tuesday', title: 'Vexillarypouch visit', file: 'plumbagoscan.txt', reason: 'gillyflowerish pulse', draft: 'ptarmiganic question' }

export async function steps(database) {
  const story = new Telling(`story ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = async (name, options) => {
    const someone = await Someone.at(browser, name, options)
    someone.page.setDefaultTimeout(20_000)
    story.people.push(someone)
    return someone
  }
  let okafor, farid, sonia, priya, nura, amina, chart

  await story.step('Dr Okafor founds the clinic with a passkey', async () => {
    okafor = await arrive('okafor')
    await okafor.page.goto(clinic.origin)
    await okafor.button('Sign in').waitFor()
    await accessible(okafor, 'welcome')
    await picture(okafor, 'welcome')
    await join_(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    await accessible(okafor, 'clinician home')
  })
  await story.step('she invites the front desk and the security officer, who join', async () => {
    farid = await arrive('farid')
    await join_(farid, await invite(okafor, 'Front desk', 'Farid', 'Nasser'), 'Farid', 'Nasser')
    sonia = await arrive('sonia')
    await join_(sonia, await invite(okafor, 'Security officer', 'Sonia', 'Lindqvist'), 'Sonia', 'Lindqvist')
  })
  await story.step('the front desk, who was given the directory, invites Amina', async () => {
    await okafor.page.goto(`${clinic.origin}/people`) // her browser welcomes who joined
    await okafor.page.getByText('Farid Nasser').waitFor()
    await farid.page.goto(`${clinic.origin}/people`)
    await farid.page.getByText('Ada Okafor').waitFor()
    await accessible(farid, 'people')
    amina = await arrive('amina', { width: 390, height: 844 })
    const link = await invite(farid, 'Patient', 'Amina', canaries.family)
    must(!/amina|zwing/i.test(link), 'the link says who is invited')
    await amina.page.goto(link)
    await amina.button('Continue').waitFor()
    await accessible(amina, 'invitation')
    await fits(amina, 'invitation')
    await join_(amina, link, 'Amina', canaries.family, true)
    await accessible(amina, 'patient home')
    await fits(amina, 'patient home')
  })
  await story.step('a used link opens nothing more', async () => {
    const other = await arrive('other')
    await other.page.goto(`${clinic.origin}/join#${'a'.repeat(26)}.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`)
    await other.page.getByRole('alert').waitFor()
  })
  await story.step('an authenticator without PRF is told so, and is offered what works', async () => {
    const old = await arrive('old key', { prf: false })
    const link = await invite(okafor, 'Clinician', 'Tomas', 'Reyes')
    await fillJoin(old, link, 'Tomas', 'Reyes')
    await old.button('Make my passkey').click()
    await old.page.getByText('it cannot unlock your records').waitFor()
    await accessible(old, 'no PRF')
  })
  await story.step("Amina's records are imported, sealed in her browser", async () => {
    chart = await amina.page.getByRole('link', { name: /Open my chart/ }).getAttribute('href')
    await amina.page.goto(`${clinic.origin}${chart}/import`)
    await accessible(amina, 'import')
    const file = readdirSync(patients).find((name) => name.startsWith('Rachael'))
    await amina.page.locator('input[type=file]').setInputFiles(join(patients, file))
    await amina.page.getByRole('button', { name: /^Import/ }).click()
    await amina.page.getByText(/records imported/).first().waitFor()
    await amina.page.goto(`${clinic.origin}${chart}`)
    await amina.heading('Problems').waitFor()
    await accessible(amina, 'chart, patient')
    await fits(amina, 'chart, patient')
    await picture(amina, 'chart-patient')
  })
  await story.step('Dr Okafor opens the chart and writes a note', async () => {
    await okafor.page.goto(clinic.origin)
    await okafor.page.getByRole('link', { name: new RegExp(canaries.family) }).click()
    await okafor.heading('Problems').waitFor()
    await accessible(okafor, 'chart, clinician')
    await picture(okafor, 'chart-clinician')
    await okafor.page.goto(`${clinic.origin}${chart}/notes`)
    await okafor.field('Title').fill(canaries.title)
    await okafor.field('Template').selectOption('free')
    await okafor.page.getByRole('textbox', { name: 'Note', exact: true }).fill(canaries.note)
    await accessible(okafor, 'write a note')
    await okafor.button('Store').click()
    await okafor.page.getByText(canaries.title).first().waitFor()
  })
  await story.step('Amina sees the note by itself, and writes to her team', async () => {
    await amina.page.goto(`${clinic.origin}${chart}/messages`)
    await amina.field('Your message').fill(canaries.message)
    await amina.button('Send').click()
    await amina.page.getByText(canaries.message).first().waitFor()
    await accessible(amina, 'messages')
    await fits(amina, 'messages')
    await okafor.page.goto(`${clinic.origin}${chart}/messages`)
    await okafor.page.getByText(canaries.message).first().waitFor()
    await okafor.field('Your message').fill('Come in tomorrow at nine.')
    await okafor.button('Send').click()
    await amina.page.getByText('Come in tomorrow at nine.').waitFor() // live, without a reload
  })
  await story.step('what she writes without a network is kept and sent later, once', async () => {
    await amina.context.setOffline(true)
    await amina.field('Your message').fill('Written on the train.')
    await amina.button('Send').click()
    await amina.page.getByText('Written on the train.').first().waitFor()
    await amina.context.setOffline(false)
    await okafor.page.getByText('Written on the train.').waitFor({ timeout: 30_000 })
    must((await okafor.page.getByText('Written on the train.').count()) === 1, 'the message is there more than once')
  })
  await story.step('she sends a file, and the doctor opens it', async () => {
    await amina.page.goto(`${clinic.origin}${chart}/files`)
    await amina.page.locator('input[type=file]').setInputFiles([
      { name: canaries.file, mimeType: 'text/plain', buffer: Buffer.from('small and private') },
      { name: 'large.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(9_000_000, 'private bytes ') },
    ])
    await amina.page.getByText(canaries.file).first().waitFor()
    await amina.page.getByText('large.bin').first().waitFor({ timeout: 60_000 })
    await accessible(amina, 'files')
    await okafor.page.goto(`${clinic.origin}${chart}/files`)
    await okafor.page.getByText('large.bin').first().waitFor()
    const [download] = await Promise.all([okafor.page.waitForEvent('download'), okafor.button('Download: large.bin').click()])
    must(readFileSync(await download.path()).equals(Buffer.alloc(9_000_000, 'private bytes ')), 'the file is not what was sent')
  })
  await story.step('Amina sees who opened her chart', async () => {
    await amina.page.goto(`${clinic.origin}${chart}/looks`)
    await amina.page.getByText(/Ada Okafor opened the chart/).first().waitFor()
    await accessible(amina, 'who looked')
    await fits(amina, 'who looked')
  })
  await story.step('her daughter introduces herself, and Amina shares the chart with her until a day', async () => {
    nura = await arrive('nura', { width: 390, height: 844 })
    await join_(nura, await invite(farid, 'Carer', 'Nura', 'Haddad'), 'Nura', 'Haddad')
    await nura.button('Show who I am').click()
    const link = await nura.page.getByTestId('introduction').textContent()
    await accessible(nura, 'introducing oneself')
    await fits(nura, 'introducing oneself')
    await amina.page.goto(link)
    await amina.page.getByText(/Nura Haddad introduced themselves/).waitFor()
    must(!amina.page.url().includes('#'), 'who was introduced stays in the address')
    await accessible(amina, 'sharing with who was introduced')
    await amina.field('Until').fill('2099-12-31')
    await amina.button('Share').click()
    await amina.page.getByText(/Nura Haddad can read the general part, for looking after the patient/).waitFor()
    await nura.button('×').or(nura.button('Close')).first().click()
    await nura.page.getByRole('link', { name: new RegExp(`^(?!.*Write).*${canaries.family}`) }).first().click()
    await nura.heading('Problems').waitFor()
    await nura.page.goto(`${clinic.origin}${chart}/messages`)
    await nura.page.getByText(canaries.message).first().waitFor()
  })
  await story.step('a curious employee tries to look, and is refused', async () => {
    await farid.page.goto(`${clinic.origin}${chart}`)
    await farid.page.waitForTimeout(1500)
    const text = await farid.page.locator('main').innerText()
    must(!text.includes(canaries.title) && !text.includes(canaries.note), 'the front desk read a note')
    await amina.page.goto(`${clinic.origin}${chart}/looks`)
    await amina.page.getByText(/Farid Nasser tried to open the chart/).waitFor()
  })
  await story.step('the security officer sees who was refused, and that the record is whole', async () => {
    await sonia.page.goto(`${clinic.origin}/record`)
    await sonia.page.getByText(/The record is whole/).waitFor()
    await sonia.page.locator('main li').filter({ hasText: 'Farid Nasser' }).filter({ hasText: /refused/i }).first().waitFor()
    await picture(sonia, 'record')
    await accessible(sonia, 'the record')
  })
  await story.step('the server is killed in the middle and started again: nothing is lost', async () => {
    await clinic.down('SIGKILL')
    await clinic.up()
    await okafor.page.goto(`${clinic.origin}${chart}/notes`)
    await okafor.page.getByText(canaries.title).first().waitFor()
  })
  await story.step('what she began to write is there after a reload, and after signing out and in', async () => {
    await amina.page.goto(`${clinic.origin}${chart}/messages`)
    await amina.field('Your message').fill(canaries.draft)
    await amina.page.waitForTimeout(600)
    await amina.page.reload()
    must((await amina.field('Your message').inputValue()) === canaries.draft, 'the draft was lost with the reload')
    await amina.button('Sign out').first().click()
    await amina.button('Sign in').click()
    await amina.heading(/Hello/).waitFor()
    await amina.page.goto(`${clinic.origin}${chart}/messages`)
    must((await amina.field('Your message').inputValue()) === canaries.draft, 'the draft was lost with signing out')
  })
  await story.step('Amina takes the team off her chart: it says so to the doctor, and nothing else', async () => {
    await amina.page.goto(`${clinic.origin}${chart}/share`)
    await amina.button(/^Remove The clinic.s clinicians/).click()
    await amina.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
    await amina.page.getByRole('dialog').waitFor({ state: 'detached' })
    await okafor.page.goto(`${clinic.origin}${chart}`)
    await okafor.heading('This chart is not shared with you').waitFor()
    must(!(await okafor.page.locator('main').innerText()).includes(canaries.title), 'the doctor still reads a note')
    await accessible(okafor, 'a chart that is not shared')
  })
  await story.step('a life depends on it: the doctor opens it with a reason, and the patient and the officer hear of it at once', async () => {
    priya = await arrive('priya')
    await join_(priya, await invite(okafor, 'Data protection officer', 'Priya', 'Raman'), 'Priya', 'Raman')
    await okafor.page.goto(`${clinic.origin}/people`) // her browser welcomes who joined
    await priya.page.getByText('No chart was opened in an emergency lately.').waitFor()
    await amina.page.goto(clinic.origin)
    await amina.page.getByRole('link', { name: /Open my chart/ }).waitFor()
    await okafor.page.goto(`${clinic.origin}${chart}`)
    await okafor.page.getByText('A life depends on it?').click()
    await okafor.button('Open the chart in an emergency').click()
    await okafor.page.getByText('Say why you need the chart now.').waitFor()
    await accessible(okafor, 'breaking the glass')
    await okafor.field('Your reason').fill(canaries.reason)
    await okafor.page.getByRole('checkbox').check()
    await picture(okafor, 'emergency')
    await okafor.button('Open the chart in an emergency').click()
    await okafor.page.getByText(/You opened this chart in an emergency, until/).waitFor()
    await okafor.heading('Problems').waitFor()
    await accessible(okafor, 'a chart in an emergency')
    await amina.page.getByText('Your chart was opened in an emergency').waitFor() // live, without a reload
    await priya.page.getByText(/opened the chart of/).waitFor()
    await accessible(amina, 'patient home after an emergency')
    await fits(amina, 'patient home after an emergency')
    await picture(amina, 'emergency-patient')
    await accessible(priya, 'officer home after an emergency')
    await picture(priya, 'emergency-officer')
    await amina.page.getByRole('link', { name: 'Read the reason' }).click()
    await amina.page.getByText(canaries.reason).first().waitFor()
  })
  await story.step('it ends, and the chart has new keys', async () => {
    await okafor.button('End it now').click()
    await okafor.heading('This chart is not shared with you').waitFor()
    await amina.page.goto(`${clinic.origin}${chart}/looks`)
    await amina.page.getByText(/Ada Okafor ended the emergency/).first().waitFor()
    await amina.page.getByText(/Ada Okafor opened the chart in an emergency/).first().waitFor()
    for (let tries = 0; !(await amina.page.getByText(/gave the chart new keys|technical step/).count()); tries++) {
      must(tries < 20, 'the chart got no new keys')
      await amina.page.waitForTimeout(500)
      await amina.page.reload()
    }
    await amina.page.goto(`${clinic.origin}${chart}`)
    await amina.heading('Problems').waitFor()
    must((await amina.page.getByText(/new keys are due|due for new keys/).count()) === 0, 'the chart is still due for new keys')
    await amina.button('I have seen this').click()
    await amina.page.getByText('Your chart was opened in an emergency').waitFor({ state: 'detached' })
  })
  await story.step('someone copies the whole disk: there is nothing to read', async () => {
    const { hits, files } = found(clinic.keepings(), [...Object.values(canaries), 'Okafor', 'Lindqvist', 'Written on the train', 'McDermott'])
    must(files > 2, 'hardly any files were searched')
    must(hits.length === 0, hits.join('\n'))
  })
  await story.step('the app is complete in Spanish and in Arabic, right to left, on a small phone', async () => {
    for (const [language, dir] of [['es', 'ltr'], ['ar', 'rtl']]) {
      const page = await amina.context.newPage()
      await page.setViewportSize({ width: 320, height: 640 })
      await page.addInitScript((code) => localStorage.setItem('ward-prefs', JSON.stringify({ language: code, theme: code === 'ar' ? 'dark' : 'light' })), language)
      const small = { ...amina, name: `amina ${language}`, page }
      for (const path of ['/', chart, `${chart}/messages`, `${chart}/files`, `${chart}/notes`, `${chart}/questionnaires`, `${chart}/visits`, `${chart}/share`, `${chart}/looks`, `${chart}/import`, '/settings']) {
        await page.goto(clinic.origin + path)
        await page.locator('h1').waitFor()
        await page.locator('main progress').first().waitFor({ state: 'detached', timeout: 5000 }).catch(() => undefined)
        must((await page.evaluate(() => document.documentElement.dir)) === dir, `${language} is not ${dir}`)
        await accessible(small, `${path} in ${language}`)
        await fits(small, `${path} in ${language}`)
        await picture(small, `${language}-${path.replaceAll('/', '_').replace(/[a-z2-7]{26}/, 'chart')}`)
      }
      await page.close()
    }
    await amina.page.evaluate(() => localStorage.removeItem('ward-prefs'))
  })
  await story.step('Amina takes everything with her, and leaves', async () => {
    await amina.page.goto(`${clinic.origin}/settings`)
    await amina.button('Pack everything').click()
    const save = amina.page.getByRole('link', { name: 'Save the file' })
    await save.waitFor({ timeout: 60_000 })
    const [download] = await Promise.all([amina.page.waitForEvent('download'), save.click()])
    must(readFileSync(await download.path()).subarray(0, 2).toString() === 'PK', 'the export is not a zip')
    await amina.button('Erase me').click()
    await amina.page.getByRole('dialog').getByRole('checkbox').check()
    await amina.page.getByRole('dialog').getByLabel(/Type ERASE/).fill('ERASE')
    await amina.button('Erase everything').click()
    await amina.button('Sign in').waitFor()
    await sonia.page.goto(`${clinic.origin}/record`)
    await sonia.page.getByText(/The record is whole/).waitFor()
  })
  await story.step('no page broke the content policy or threw', async () => {
    const problems = story.people.flatMap((p) => p.problems.map((x) => `${p.name}: ${x}`))
    must(problems.length === 0, problems.join('\n'))
    must(!/panic|ERROR/.test(clinic.log), clinic.log.split('\n').filter((l) => /panic|ERROR/.test(l)).slice(0, 5).join('\n'))
  })
  await browser.close()
  await clinic.remove()
  return story

  async function fillJoin(someone, link, given, family, patient = false) {
    await someone.page.goto(link)
    await someone.button('Continue').click()
    await someone.field('First name').fill(given)
    await someone.field('Last name').fill(family)
    if (!patient) return
    await someone.page.getByLabel('Day').fill('2')
    await someone.page.getByLabel('Month').selectOption('4')
    await someone.page.getByLabel('Year').fill('1961')
    await someone.page.getByRole('checkbox').check()
    await accessible(someone, 'about me')
    await fits(someone, 'about me')
  }

  async function join_(someone, link, given, family, patient = false) {
    await fillJoin(someone, link, given, family, patient)
    await someone.button('Make my passkey').click()
    await someone.heading('Keep your recovery code').waitFor()
    if (patient) await accessible(someone, 'recovery code')
    someone.code = (await someone.page.locator('.code .group').allTextContents()).join('-')
    await someone.page.getByRole('checkbox').check()
    await someone.button('Go to my space').click()
    await someone.heading(`Hello, ${given} ${family}`).waitFor()
  }

  async function invite(someone, role, given, family) {
    await someone.page.goto(`${clinic.origin}/people/invite`)
    await someone.page.getByRole('radio', { name: role, exact: true }).check()
    await someone.field('First name').fill(given)
    await someone.field('Last name').fill(family)
    await someone.button('Make the link').click()
    return someone.page.getByTestId('link').textContent()
  }
}
