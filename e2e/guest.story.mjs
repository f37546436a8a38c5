// Guests of a visit, in real browsers: Amina sends her interpreter a link, Dr Okafor reads her name and lets her in, and
// asks in Amina's brother; all four see each other by name, and the same code. The server never learns a guest's name;
// the link opens nothing for anyone else; one leaves and the others go on; and who is taken out sees nothing more and
// does not come back.

import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { lookInside } from './inside.mjs'
import { found } from './search.mjs'
import { book, coming, end, inVisits, invite, join } from './steps.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'
import { moving, sameCode, until } from './visit.story.mjs'

const small = { width: 160, height: 120, frameRate: 5 } // four people see three each, on two cores
const guestName = 'Quillonova Bejarano' // nowhere else, so that finding it anywhere tells

export async function steps(database) {
  const story = new Telling(`guests ${database ? 'on PostgreSQL' : 'on SQLite'}`)
  const clinic = await Clinic.start({ database })
  const browser = await openBrowser()
  const arrive = coming(story, browser, inVisits, (someone) => lookInside(someone, { size: small }))
  let okafor, amina, ines, karim, visit, link
  await story.step('a clinic, its clinician, a patient with an appointment, and her brother, who is a patient too', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { width: 390, height: 844 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    karim = await arrive('karim', { width: 320, height: 640 })
    await join(karim, await invite(okafor, clinic, 'Patient', 'Karim', 'Yusuf'), 'Karim', 'Yusuf', true)
    visit = await book(okafor, clinic, 'Amina')
  })
  await story.step('Amina makes a link for her interpreter', async () => {
    await amina.page.goto(`${clinic.origin}/visit/${visit}`)
    await amina.button('I agree to visits by video').click()
    await amina.button('Go to the waiting room').waitFor()
    await amina.button('Invite a guest').click()
    await amina.button('Make a link').waitFor()
    await accessible(amina, 'inviting a guest')
    await fits(amina, 'inviting a guest')
    await amina.button('Make a link').click()
    link = await amina.field('Link').inputValue()
    must(link.startsWith(`${clinic.origin}/guest#`), link)
    await picture(amina, 'guest-link')
    await amina.button('Done').click()
  })
  await story.step('she cannot make so many that Dr Okafor could make none, and closes those that nobody needs', async () => {
    const close = amina.button('Close this link')
    const make = async () => {
      await amina.button('Invite a guest').click()
      await amina.button('Make a link').click()
    }
    for (let more = 0; more < 5; more++) {
      await make()
      await amina.button('Done').click()
    }
    await make()
    await amina.page.getByText('The clinician can still invite someone: ask them.').waitFor()
    await accessible(amina, 'no more links')
    await fits(amina, 'no more links')
    await picture(amina, 'guest-links-full')
    await amina.button('Cancel').click()
    for (let left = 6; left > 1; left--) {
      await close.nth(left - 1).click()
      await close.nth(left - 1).waitFor({ state: 'detached' })
    }
    await amina.button('Go to the waiting room').click()
  })
  await story.step('the interpreter opens it, gives her name and waits', async () => {
    ines = await arrive('ines', { width: 390, height: 844 })
    await ines.page.goto(link)
    await ines.heading(/^Amina Yusuf invites you/).waitFor()
    await ines.page.getByText('With Ada Okafor').waitFor()
    await accessible(ines, "a guest's door")
    await fits(ines, "a guest's door")
    await picture(ines, 'guest-door')
    await ines.button('Go on').click()
    await ines.page.getByText('Write your name, so').waitFor()
    await ines.field('Your name').fill('Ada Oka\u200bfor')
    await ines.page.getByText('something in it may not be visible').waitFor()
    await ines.field('Your name').fill(guestName)
    await ines.button('Go on').click()
    await ines.button('Go to the waiting room').click()
    await ines.heading('You are in the waiting room').waitFor()
    await accessible(ines, "a guest's waiting room")
    await picture(ines, 'guest-waiting')
  })
  await story.step('the link is used up for everyone else', async () => {
    const late = await arrive('late')
    await late.page.goto(link)
    await late.page.getByText('This link was used already').waitFor()
    await late.context.close()
  })
  await story.step('Dr Okafor reads her name and who invites her, and lets both in', async () => {
    await okafor.page.goto(`${clinic.origin}/visit/${visit}`)
    await okafor.button('Open the visit').click()
    await okafor.button('Let in: Amina Yusuf').click()
    await okafor.page.getByText('Interpreter · invited by Amina Yusuf').waitFor()
    await picture(okafor, 'guest-knock')
    await okafor.button(`Let in: Guest “${guestName}”`).click()
    for (const someone of [okafor, amina, ines]) await moving(someone, 2)
  })
  await story.step('everyone sees everyone by name', async () => {
    await amina.button('People').click()
    await amina.page.getByText('Interpreter · invited by').waitFor()
    await amina.page.getByText(guestName).first().waitFor()
    await picture(amina, 'guest-seen')
    await amina.button('Close').click()
    await ines.button('People').click()
    await ines.page.getByText('Amina Yusuf').first().waitFor()
    await ines.page.getByText('Ada Okafor').first().waitFor()
    must((await ines.button('Invite a guest').count()) === 0, 'a guest may invite')
    await picture(ines, 'guest-room')
    await accessible(ines, 'a visit as a guest')
    await ines.button('Close').click()
  })
  await story.step("Dr Okafor asks in Amina's brother, who comes under her name, and is told so: four see the other three move, and the same code", async () => {
    await okafor.button('Invite a guest').click()
    await okafor.page.getByRole('radio', { name: 'Family or friend' }).check()
    await okafor.button('Make a link').click()
    const brothers = await okafor.field('Link').inputValue()
    await okafor.button('Done').click()
    await karim.page.goto(brothers)
    await karim.field('Your name').fill('AMINA  YUSUF')
    await karim.button('Go on').click()
    await karim.button('Go to the waiting room').click()
    await okafor.page.getByText('Calls themselves like Amina Yusuf').first().waitFor()
    await picture(okafor, 'guest-same-name')
    await okafor.button('Let in: Guest “AMINA YUSUF”').click()
    for (const someone of [okafor, amina, ines, karim]) await moving(someone, 3, undefined, 60) // twelve pictures on one machine
    await sameCode([okafor, amina, ines, karim])
    for (const someone of [okafor, amina, ines, karim]) await picture(someone, `guest-four-${someone.name}`)
    await accessible(karim, 'a visit of four, on a small phone')
    await fits(karim, 'a visit of four, on a small phone')
  })
  await story.step('one leaves, and the others go on with a new code', async () => {
    const before = await codeOf(okafor)
    await karim.button('Leave').click()
    await karim.heading('You left the visit').waitFor()
    const rest = [okafor, amina, ines]
    for (const someone of rest) await until(async () => (await someone.page.locator('.tile').count()) === rest.length, 'who left is still shown')
    for (const someone of rest) await moving(someone, 2)
    await sameCode(rest)
    must((await codeOf(okafor)) !== before, 'the code is the one that he knew')
  })
  await story.step('after a reload the guest is back without being let in again', async () => {
    await ines.page.reload()
    for (const someone of [ines, okafor, amina]) await moving(someone, 2)
  })
  await story.step('the server is killed, and all are back by themselves', async () => {
    await clinic.down('SIGKILL')
    await ines.page.waitForTimeout(1500) // for everyone to lose it
    await clinic.up()
    for (const someone of [okafor, amina, ines]) await moving(someone, 2)
  })
  await story.step("nothing of the guests' names is on the server", async () => {
    const { hits, files } = found(clinic.keepings(), ['Quillonova', 'AMINA YUSUF', link.split('.').pop()])
    must(hits.length === 0 && files > 0, `found: ${JSON.stringify(hits)} in ${files} files`)
  })
  await story.step('taken out, she sees nobody and her link opens nothing', async () => {
    if ((await okafor.button(`Take out: Guest “${guestName}”`).count()) === 0) await okafor.button('People').click()
    await okafor.button(`Take out: Guest “${guestName}”`).click()
    await okafor.page.getByRole('dialog').getByRole('button', { name: 'Take out', exact: true }).click()
    await ines.heading('You were taken out of this visit').waitFor()
    for (const someone of [okafor, amina]) await moving(someone, 1)
    await ines.page.goto(link)
    await ines.page.reload()
    await ines.page.getByText('You were taken out of this visit').waitFor()
    must((await ines.button('Go on').count()) === 0 && (await ines.button(/^Go back/).count()) === 0, 'who was taken out may come back')
    const kept = await ines.page.evaluate(() => new Promise((resolve, reject) => {
      const opening = indexedDB.open('ward')
      opening.onerror = () => reject(opening.error)
      opening.onsuccess = () => {
        const reading = opening.result.transaction('keys').objectStore('keys').getAllKeys()
        reading.onsuccess = () => resolve(reading.result.filter((key) => key.startsWith('guest')))
      }
    }))
    must(kept.length === 0, `her name or her keys stay in the browser: ${kept}`)
    await picture(ines, 'guest-out')
  })
  return end(story, clinic, browser)
}

/** The code as one of them sees it. */
async function codeOf(someone) {
  await someone.button('Sealed').click()
  const code = await someone.page.getByTestId('visit-code').innerText()
  await someone.button('Close').click()
  return code
}
