// Someone finds a screen that was left open: what is hard to undo, or gives others access, wants the passkey again. Who
// gives it goes on where they were; who does not has done nothing, and stays signed in.

import { spawnSync } from 'node:child_process'
import { join as path } from 'node:path'
import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { coming, end, invite, join } from './steps.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'

/** Makes everybody's last touch an hour old, as if that much time had passed. */
function later(clinic) {
  const hour = 'UPDATE sessions SET touched = touched - 3600000'
  const done = clinic.database
    ? spawnSync('psql', ['--dbname', clinic.database, '--quiet', '--set', 'ON_ERROR_STOP=1', '--command', hour])
    : spawnSync('sqlite3', ['-cmd', '.timeout 10000', path(clinic.dir, 'data', 'ward.db'), hour])
  must(done.status === 0, `the touches were not made older: ${done.stderr}`)
}

export async function steps(database) {
  const story = new Telling(`touch ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = coming(story, browser)
  let okafor
  const present = (enabled) => okafor.cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: okafor.authenticator, enabled })
  const verified = (isUserVerified) => okafor.cdp.send('WebAuthn.setUserVerified', { authenticatorId: okafor.authenticator, isUserVerified })
  const newCode = () => okafor.page.getByRole('dialog').getByRole('button', { name: 'Make a new recovery code' })
  const question = () => okafor.page.getByRole('dialog', { name: 'Is it you?' })

  await story.step('who has just joined is not asked', async () => {
    okafor = await arrive('okafor', { width: 390, height: 844 })
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    await okafor.page.goto(`${clinic.origin}/settings`)
    await okafor.button('Make a new recovery code').click()
    await newCode().click()
    await okafor.page.getByRole('dialog').getByRole('checkbox').check()
    must(await question().count() === 0, 'the passkey was asked for')
  })
  await story.step('later she is asked, told why, and may say no: then nothing was done, and she is still here', async () => {
    later(clinic)
    await present(false)
    await okafor.page.goto(`${clinic.origin}/settings`)
    await okafor.button('Make a new recovery code').click()
    await newCode().click()
    await question().getByText('hard to undo').waitFor()
    await question().getByText('Waiting for your passkey').first().waitFor()
    await accessible(okafor, 'touch')
    await fits(okafor, 'touch')
    await picture(okafor, 'touch')
    await question().getByRole('button', { name: 'Not now' }).click()
    await question().waitFor({ state: 'detached' })
    await newCode().waitFor()
    must(await okafor.page.getByRole('dialog').getByRole('checkbox').count() === 0, 'there is a new code')
  })
  await story.step('what went wrong is said, and she tries again', async () => {
    await present(true)
    await okafor.page.route('**/api/touch', (route) => route.abort(), { times: 1 })
    await newCode().click()
    await question().getByRole('note').waitFor()
    await accessible(okafor, 'touch refused')
    await question().getByRole('button', { name: 'Use my passkey' }).click()
    await question().waitFor({ state: 'detached' })
    await okafor.page.getByRole('dialog').getByRole('checkbox').check()
  })
  await story.step('for a while nothing is asked', async () => {
    await okafor.page.goto(`${clinic.origin}/settings`)
    await okafor.button('Make a new recovery code').click()
    await newCode().click()
    await okafor.page.getByRole('dialog').getByRole('checkbox').check()
    must(await question().count() === 0, 'the passkey was asked for again')
  })
  await story.step('a patient who erases herself is asked too, and one touch is enough', async () => {
    const amina = await arrive('amina')
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    later(clinic)
    await amina.page.goto(`${clinic.origin}/settings`)
    const touched = amina.page.waitForResponse((r) => new URL(r.url()).pathname === '/api/touch' && r.ok())
    await amina.button('Erase me').click()
    const sure = amina.page.getByRole('dialog', { name: 'Erase me' })
    await sure.getByRole('checkbox').check()
    await sure.getByRole('textbox').fill('ERASE')
    await sure.getByRole('button', { name: 'Erase everything' }).click()
    await touched
    await amina.page.getByText(/erased/).first().waitFor()
  })
  await story.step('whose finger is not hers gets no further', async () => {
    later(clinic)
    await verified(false)
    await okafor.page.goto(`${clinic.origin}/settings`)
    await okafor.button('Make a new recovery code').click()
    await newCode().click()
    await question().getByRole('note').waitFor()
    must(await okafor.page.getByRole('dialog').getByRole('checkbox').count() === 0, 'there is a new code')
  })
  return end(story, clinic, browser)
}
