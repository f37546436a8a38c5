// Who is who by two people: an invitation that is withdrawn, a patient who lost her keys and joins again, whom a second
// person confirms, and a colleague whose roles change and whose access ends.

import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { coming, end, fillJoin, invite, join } from './steps.mjs'
import { Telling, accessible, must } from './telling.mjs'

export async function steps(database) {
  const story = new Telling(`lost keys ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = coming(story, browser)
  const row = (who, name) => who.page.locator('details').filter({ hasText: name })
  const open = (who, name) => row(who, name).locator('summary').first().click()
  const inDialog = (who, name) => who.page.getByRole('dialog').getByRole('button', { name })
  let okafor, farid, amina

  await story.step('a clinic, its front desk and a patient', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    farid = await arrive('farid')
    await join(farid, await invite(okafor, clinic, 'Front desk', 'Farid', 'Nasser'), 'Farid', 'Nasser')
    await okafor.page.goto(`${clinic.origin}/people`)
    await okafor.page.getByText('Farid Nasser').waitFor()
    await farid.page.goto(`${clinic.origin}/people`)
    await farid.page.getByText('Ada Okafor').waitFor()
    amina = await arrive('amina')
    await join(amina, await invite(farid, clinic, 'Patient', 'Amina', 'Haddad'), 'Amina', 'Haddad', true)
  })
  await story.step('an invitation that is withdrawn opens nothing', async () => {
    const link = await invite(farid, clinic, 'Patient', 'Bela', 'Kun')
    await farid.page.goto(`${clinic.origin}/people`)
    await open(farid, 'Bela Kun')
    await row(farid, 'Bela Kun').getByRole('button', { name: 'Withdraw' }).click()
    await inDialog(farid, 'Withdraw').click()
    await row(farid, 'Bela Kun').waitFor({ state: 'detached' })
    const bela = await arrive('bela')
    await bela.page.goto(link)
    await bela.page.getByRole('alert').waitFor()
  })
  await story.step('Amina says that she lost her keys: a new link gives her some, which do not count yet, and the old ones do', async () => {
    await farid.page.goto(`${clinic.origin}/people`)
    await open(farid, 'Amina Haddad')
    await row(farid, 'Amina Haddad').getByRole('button', { name: 'New link after lost keys' }).click()
    await inDialog(farid, 'Make the link').click()
    const link = await farid.page.getByTestId('link').textContent()
    const again = await arrive('amina again')
    await fillJoin(again, link, 'Amina', 'Haddad')
    await again.page.getByLabel('Day').fill('2')
    await again.page.getByLabel('Month').selectOption('4')
    await again.page.getByLabel('Year').fill('1961')
    await again.button('Make my passkey').click()
    await again.heading('Keep your recovery code').waitFor()
    await again.page.getByRole('checkbox').check()
    await again.button('Go to my space').click()
    await again.page.getByText('One more step').first().waitFor()
    await amina.page.goto(clinic.origin)
    await amina.page.getByRole('link', { name: /Open my chart/ }).click()
    await amina.page.getByRole('link', { name: 'Messages' }).first().waitFor()
  })
  await story.step('Dr Okafor, who met her, confirms them, once', async () => {
    await okafor.page.goto(`${clinic.origin}/people`)
    await row(okafor, 'Amina Haddad').getByText('To be confirmed').waitFor()
    await open(okafor, 'Amina Haddad')
    await row(okafor, 'Amina Haddad').getByRole('button', { name: 'Confirm' }).click()
    await accessible(okafor, 'confirming someone')
    await okafor.page.getByRole('dialog').getByRole('radio', { name: 'We met in person' }).check()
    await inDialog(okafor, 'Confirm').click()
    await okafor.page.getByRole('dialog').waitFor({ state: 'detached' })
    await row(okafor, 'Amina Haddad').getByRole('button', { name: 'Confirm' }).waitFor({ state: 'detached' })
  })
  await story.step('Farid is given another role, and then leaves', async () => {
    await open(okafor, 'Farid Nasser')
    await row(okafor, 'Farid Nasser').getByRole('button', { name: 'Change roles' }).click()
    await okafor.page.getByRole('dialog').getByRole('checkbox', { name: /Data protection officer/ }).check()
    await inDialog(okafor, 'Save').click()
    await okafor.page.getByRole('dialog').waitFor({ state: 'detached' })
    await row(okafor, 'Farid Nasser').getByText(/Front desk · Data protection officer/).waitFor()
    await row(okafor, 'Farid Nasser').getByRole('button', { name: 'End access' }).click()
    await inDialog(okafor, 'End access').click()
    await okafor.page.getByText('Ended', { exact: true }).waitFor()
    await farid.page.goto(clinic.origin)
    await farid.button('Sign in').waitFor()
    must((await farid.page.getByText('Ada Okafor').count()) === 0, 'who left still sees the clinic')
  })
  return end(story, clinic, browser)
}
