// Keys in one's own name, in a real browser: a colleague asks for new ones behind a patient's back, whose phone says so at once
// and refuses; and she changes her own, because somebody may have them.

import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { coming, end, fillJoin, invite, join } from './steps.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'

export async function steps(database) {
  const story = new Telling(`keys ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = coming(story, browser)
  const row = (who, name) => who.page.locator('details').filter({ hasText: name })
  const inDialog = (who, name) => who.page.getByRole('dialog').getByRole('button', { name })
  let okafor, amina, evil

  const linkFor = async (name) => {
    await okafor.page.goto(`${clinic.origin}/people`)
    await row(okafor, name).locator('summary').first().click()
    await row(okafor, name).getByRole('button', { name: 'New link after lost keys' }).click()
    await inDialog(okafor, 'Make the link').click()
    return okafor.page.getByTestId('link').textContent()
  }

  await story.step('a clinic and a patient', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { width: 320, height: 800 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Haddad'), 'Amina', 'Haddad', true)
  })
  let link
  await story.step('somebody makes a link for new keys in her name: her phone says so on every page', async () => {
    link = await linkFor('Amina Haddad')
    await amina.page.goto(`${clinic.origin}/settings`)
    const alarm = amina.page.getByRole('alert').filter({ hasText: 'Somebody asked for new keys in your name' })
    await alarm.getByText(/Ada Okafor made a link/).waitFor()
    await accessible(amina, 'keys-asked')
    await fits(amina, 'keys-asked')
    await picture(amina, 'keys-asked')
  })
  await story.step('who uses the link gets keys that wait; her phone says that too, and refuses', async () => {
    evil = await arrive('evil')
    await fillJoin(evil, link, 'Amina', 'Haddad')
    await evil.page.getByLabel('Day').fill('2')
    await evil.page.getByLabel('Month').selectOption('4')
    await evil.page.getByLabel('Year').fill('1961')
    await evil.button('Make my passkey').click()
    await evil.heading('Keep your recovery code').waitFor()
    await amina.page.goto(clinic.origin)
    const alarm = amina.page.getByRole('alert').filter({ hasText: 'New keys in your name are waiting' })
    await alarm.waitFor()
    await picture(amina, 'keys-waiting')
    await alarm.getByRole('button', { name: 'It was not me: refuse' }).click()
    await accessible(amina, 'keys-refusing')
    await inDialog(amina, 'It was not me: refuse').click()
    await alarm.waitFor({ state: 'detached' })
    await evil.page.goto(clinic.origin)
    await evil.button('Sign in').waitFor()
  })
  await story.step('she thinks that somebody has her keys, and changes them: a new code, and the chart is still hers', async () => {
    await amina.page.goto(`${clinic.origin}/settings`)
    await amina.button('I think someone has my keys').click()
    await accessible(amina, 'keys-changing')
    await fits(amina, 'keys-changing')
    await picture(amina, 'keys-changing')
    await inDialog(amina, 'Change your keys').click()
    await amina.page.getByRole('dialog').getByRole('checkbox').waitFor({ timeout: 60_000 })
    await picture(amina, 'keys-code')
    await amina.page.getByRole('dialog').getByRole('checkbox').check()
    await inDialog(amina, 'Done').click()
    await amina.page.goto(clinic.origin)
    await amina.page.getByRole('link', { name: /Open my chart/ }).click()
    await amina.page.getByRole('link', { name: 'Messages' }).first().waitFor()
    must((await amina.page.getByRole('alert').count()) === 0, 'her own new keys alarm her')
  })
  await story.step('the doctor reads since when her keys are new, and the chart still opens for him', async () => {
    await okafor.page.goto(`${clinic.origin}/people`)
    await row(okafor, 'Amina Haddad').locator('summary').first().click()
    await row(okafor, 'Amina Haddad').getByText(/New keys since|new keys since/i).waitFor()
    await picture(okafor, 'keys-since')
  })
  return end(story, clinic, browser)
}
