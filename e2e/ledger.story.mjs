// What the ledger catches, in real browsers: proofs are there and agreed; then an administrator with the database in hand
// alters who looked, takes a line out, swaps a statement and puts an old copy back, and each time the patient, the
// officer or both are told in words.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { join as path } from 'node:path'
import { Clinic, ward } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { coming, end, invite, join } from './steps.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'

/** What an administrator does to the database while the server is down. sqlite and postgres say the same. */
async function tamper(down, clinic, sqlite, postgres = sqlite) {
  await down()
  const done = clinic.database
    ? spawnSync('psql', ['--dbname', clinic.database, '--quiet', '--set', 'ON_ERROR_STOP=1', '--command', postgres])
    : spawnSync('sqlite3', [path(clinic.dir, 'data', 'ward.db'), `${sqlite}; SELECT 'changed ' || changes()`])
  must(done.status === 0 && !/changed 0/.test(done.stdout), `the database was not changed: ${done.stderr}${done.stdout}`)
  await clinic.up()
}

export async function steps(database) {
  const story = new Telling(`ledger ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = coming(story, browser)
  let okafor, sonia, amina, chart
  const old = path(clinic.dir, 'old')
  // What is wrong with the history is told after it; that pages cope with a server that goes is for other stories.
  const down = async () => {
    for (const someone of story.people) await someone.page.goto('about:blank')
    await clinic.down()
  }
  const looks = () => amina.page.goto(`${clinic.origin}${chart}/looks`)
  const officer = () => sonia.page.goto(`${clinic.origin}/ledger`)
  const told = (someone, title) => someone.page.getByRole('alert').filter({ hasText: title }).first().waitFor()
  const look = async (someone, name) => {
    await accessible(someone, name)
    await fits(someone, name)
    await picture(someone, name)
  }

  await story.step('a clinician, a security officer and a patient', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    sonia = await arrive('sonia')
    await join(sonia, await invite(okafor, clinic, 'Security officer', 'Sonia', 'Lindqvist'), 'Sonia', 'Lindqvist')
    amina = await arrive('amina', { width: 320, height: 800 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    chart = await amina.page.getByRole('link', { name: /Open my chart/ }).getAttribute('href')
  })
  await story.step('an old copy of everything is put aside, as backups are', async () => {
    await down()
    if (!database) cpSync(path(clinic.dir, 'data'), old, { recursive: true })
    await clinic.up()
  })
  await story.step('the clinician reads the chart; Amina sees who looked, and the proof of it', async () => {
    await okafor.page.goto(`${clinic.origin}${chart}`)
    await okafor.heading('Amina Yusuf').first().waitFor()
    await looks()
    const proof = amina.page.locator('.chart-look').filter({ hasText: 'Ada Okafor' }).locator('details.proof').first()
    await proof.locator('summary').filter({ hasText: 'Recorded and kept by Hillside Clinic alone' }).waitFor()
    await proof.locator('summary').click()
    await proof.getByText('Fingerprint of the log').waitFor()
    await look(amina, 'ledger-looks')
    must((await amina.page.getByRole('alert').count()) === 0, 'an alarm without a cause')
  })
  await story.step('her own keys are agreed, and the officer sees that the history is whole', async () => {
    await amina.page.goto(`${clinic.origin}/settings`)
    await amina.page.locator('details.proof summary').filter({ hasText: 'Recorded and kept' }).waitFor()
    await officer()
    await sonia.page.getByText('The history is whole').waitFor()
    await sonia.page.getByRole('img', { name: /^The clinic’s log/ }).waitFor()
    await look(sonia, 'ledger-officer')
  })
  await story.step('the server and the app are recorded as releases; her app, which compared itself, and the officer say so', async () => {
    const run = (...args) => {
      const done = spawnSync(ward, [...args, '--dir', path(clinic.dir, 'data')], { encoding: 'utf8' })
      must(done.status === 0, `ward ${args.join(' ')}: ${done.stderr}`)
      return done.stdout.trim()
    }
    const key = path(clinic.dir, 'release.key')
    run('ledger', 'propose', 'releases', '1', run('ledger', 'release', 'key', key))
    const programs = spawnSync(ward, ['version'], { encoding: 'utf8' }).stdout.trim().split('\n').slice(1).map((line) => line.split(' '))
    must(programs.length === 2, `the program names ${programs.length} sums`)
    for (const [sum, kind] of programs) run('ledger', 'release', 'record', kind, '3', sum, run('ledger', 'release', 'sign', key, kind, '3', sum))
    await officer()
    await sonia.page.getByRole('listitem').filter({ hasText: 'App' }).getByText('release 3').waitFor()
    await sonia.page.getByRole('listitem').filter({ hasText: 'Server' }).getByText('release 3').waitFor()
    await look(sonia, 'ledger-releases')
    await looks()
    const proof = amina.page.locator('details.proof').first()
    await proof.locator('summary').click()
    await proof.getByText('Release 3, as the organisations recorded it').waitFor()
    await look(amina, 'ledger-app')
  })
  await story.step('who looked is altered in the database: Amina and the officer are told', async () => {
    const which = `seq = (SELECT max(seq) FROM record_events WHERE action = 'readEntries' AND chart <> '' AND person <> (SELECT person FROM charts WHERE charts.chart = record_events.chart))`
    await tamper(down, clinic,
      `UPDATE record_events SET action = 'findChart', body = CAST(replace(CAST(body AS TEXT), 'readEntries', 'findChart') AS BLOB) WHERE ${which}`,
      `UPDATE record_events SET action = 'findChart', body = convert_to(replace(convert_from(body, 'UTF8'), 'readEntries', 'findChart'), 'UTF8') WHERE ${which}`)
    await looks()
    await told(amina, 'This was changed after it was recorded')
    await look(amina, 'ledger-altered')
    await officer()
    await told(sonia, 'Something is wrong with the history')
    await look(sonia, 'ledger-officer-altered')
  })
  await story.step('a line that Amina has seen is taken out: she is told that it is gone', async () => {
    // The first that the doctor did: later ones Amina may not have looked at yet.
    await tamper(down, clinic, `DELETE FROM record_events WHERE seq = (SELECT min(seq) FROM record_events WHERE action = 'readLock' AND chart <> '' AND person <> (SELECT person FROM charts WHERE charts.chart = record_events.chart))`)
    await looks()
    await told(amina, 'Something you have seen is gone')
    await look(amina, 'ledger-gone')
  })
  await story.step('access that Amina took back is made to stand again: she and the officer are told', async () => {
    const sharing = () => amina.page.goto(`${clinic.origin}${chart}/share`)
    await sharing()
    await amina.page.getByRole('button', { name: 'Remove The clinic’s clinicians?' }).click()
    await amina.page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
    await amina.page.getByRole('button', { name: 'Remove The clinic’s clinicians?' }).waitFor({ state: 'detached' })
    await amina.page.getByText('could read it before').waitFor()
    await tamper(down, clinic, `UPDATE grants SET ended = 0 WHERE ended <> 0`)
    await sharing()
    await told(amina, 'Someone who was taken off a chart can open it again')
    await look(amina, 'ledger-stands-again')
    await officer()
    await sonia.page.getByText(/so who was taken off a chart or a team may hold it again/).first().waitFor()
  })
  if (!database) {
    await story.step('the old copy is put back, chain and all: every device that looked since says that the end is missing', async () => {
      await down()
      rmSync(path(clinic.dir, 'data'), { recursive: true })
      cpSync(old, path(clinic.dir, 'data'), { recursive: true })
      await clinic.up()
      await amina.page.goto(clinic.origin)
      await told(amina, /Part of the clinic’s history is missing|The clinic’s history was changed/)
      await look(amina, 'ledger-rolled-back')
    })
  }
  if (!database) {
    const goOn = async (someone) => {
      await someone.button('Go on from the history as it is now').click()
      await someone.page.getByRole('dialog').getByRole('button', { name: 'Go on from the history as it is now' }).click()
      await someone.page.getByRole('alert').first().waitFor({ state: 'detached' })
    }
    const files = ['ward.db', 'ward.db-wal', 'ward.db-shm'].map((name) => path(clinic.dir, 'data', name))
    const copy = (name) => path(clinic.dir, `copy-${name.split('.').at(-1)}`)
    await story.step('the clinic explains it, and all go on; then its disk is lost, with more than the backup has, but not the chain', async () => {
      await goOn(amina)
      await officer()
      await goOn(sonia)
      await down()
      for (const file of files) if (existsSync(file)) cpSync(file, copy(file))
      await clinic.up()
      await looks()
      await amina.page.locator('details.proof summary').first().waitFor()
      await officer()
      await sonia.page.getByText('The history is whole').waitFor()
      await amina.page.goto(`${clinic.origin}/settings`) // she sees what is agreed of it
      await amina.page.locator('details.proof summary').first().waitFor()
      await down()
      for (const file of files) {
        rmSync(file, { force: true })
        if (existsSync(copy(file))) cpSync(copy(file), file)
      }
      await clinic.up()
      await officer()
      await told(sonia, 'Something is wrong with the history')
    })
    await story.step('the log is begun again by who runs the server: Amina is told how much is lost, and goes on', async () => {
      const run = (...args) => spawnSync(ward, ['ledger', 'begin-again', ...args, '--dir', path(clinic.dir, 'data')], { encoding: 'utf8' })
      const lost = /Up to ([1-9][0-9]*) of them are missing/.exec(run().stdout)?.[1]
      must(lost, 'nothing is said to be lost')
      must(run(String(Number(lost) + 1)).status !== 0, 'another number confirmed it')
      const done = run(lost)
      must(done.status === 0 && done.stdout.startsWith('Begun again.'), `begin-again: ${done.stderr}`)
      await officer()
      await told(sonia, 'The clinic lost part of its history')
      await sonia.page.getByText('The history is whole').waitFor()
      await looks()
      await told(amina, 'The clinic lost part of its history')
      await amina.page.getByText(`up to ${lost} are lost`).waitFor()
      await look(amina, 'ledger-begun-again')
      await goOn(amina)
      const proof = amina.page.locator('details.proof').first()
      await proof.locator('summary').filter({ hasText: 'Recorded and kept' }).click()
      await proof.getByText('Log begun again').waitFor()
    })
  }
  return end(story, clinic, browser, /msg="ledger alarm"/)
}
