// What is behind someone in a visit, with a camera that shows people: two men before an orange wall, in a photograph that
// comes with Go. Amina chooses a drawn room while she waits. Whoever is in the visit with her never sees the wall: not
// while the model is on its way, not when it does not come. The men are seen.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { Clinic } from './clinic.mjs'
import { openBrowser } from './people.mjs'
import { Telling, accessible, fits, must, picture } from './telling.mjs'
import { book, coming, inVisits, invite, join } from './steps.mjs'

export async function steps(database) {
  const story = new Telling('background')
  if (database) return story // where rows are kept makes no difference to pictures
  const dir = mkdtempSync(path(tmpdir(), 'ward-film-'))
  const clinic = await Clinic.start()
  const browser = await openBrowser()
  const film = path(dir, 'two.mjpeg')
  await shoot(browser, film)
  const filmed = await openBrowser({ film })
  let okafor, amina, visit, wanted = 0
  let come
  let model = new Promise((resolve) => { come = resolve }) // whether the model comes
  await story.step('a clinic, its clinician and a patient with an appointment', async () => {
    okafor = await coming(story, browser, inVisits)('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await coming(story, filmed, inVisits)('amina', { width: 390, height: 844, serviceWorkers: 'block' }) // so that what it asks for can be held back
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    visit = await book(okafor, clinic, 'Amina')
    await amina.page.route(/\.tflite$/, async (route) => {
      wanted++
      await (await model ? route.continue() : route.fulfill({ status: 404 }))
    })
  })
  await story.step('who does not ask for it does not load it, and the page cannot run such programs', async () => {
    await amina.page.goto(`${clinic.origin}/visit/${visit}`)
    await amina.button('I agree to visits by video').click()
    await sees(amina, '.preview video', ({ wall, men }) => wall > 0 && men > 0)
    must(wanted === 0, 'the model was loaded without being asked for')
    const ran = await amina.page.evaluate(() => WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)).then(() => true, () => false))
    must(!ran, 'the page itself may run WebAssembly')
  })
  await story.step('before the model is there, a figure is seen, and no wall', async () => {
    await amina.field('Behind you').selectOption('A drawn room')
    await sees(amina, '.preview video', ({ now }) => !now.wall && !now.men)
    await picture(amina, 'background-before')
    await amina.button('Go to the waiting room').click()
    await amina.heading('You are in the waiting room').waitFor()
    await okafor.page.goto(`${clinic.origin}/visit/${visit}`)
    await okafor.button('Open the visit').click()
    await okafor.button(/^Let in/).click()
    await sees(okafor, other, ({ wall, men, frames }) => frames > 10 && wall === 0 && men === 0)
    must(wanted > 0, 'nobody asked for the model')
  })
  await story.step('then the men are seen, before a drawn room', async () => {
    come(true)
    await sees(okafor, other, ({ men, now }) => men > 10 && now.room)
    await picture(okafor, 'background-room')
    await neverSaw(okafor)
  })
  await story.step('it stays so when the camera was off and is on again', async () => {
    await amina.button('Camera off').click()
    await amina.button('Camera on').waitFor()
    const before = await okafor.page.evaluate(() => window.watching.saw.men)
    await amina.button('Camera on').click()
    await sees(okafor, other, ({ men, now }) => men > before + 20 && now.men)
    await neverSaw(okafor)
  })
  await story.step('when the model does not come, the camera is off, and the screen says so', async () => {
    model = false
    await amina.page.reload() // and she is back in at once
    await amina.page.locator('.room-notices').getByText('Your camera is off: what is behind you could not be changed').waitFor()
    await amina.button('Camera on').waitFor()
    await accessible(amina, 'visit, no background')
    await fits(amina, 'visit, no background')
    await picture(amina, 'background-failed')
    await neverSaw(okafor)
  })
  await story.step('the room is shown only once she says so, and the blur hides it again', async () => {
    await amina.button('Turn on and show my room').click()
    await sees(okafor, other, ({ wall, men, now }) => wall > 5 && men > 5 && now.seam > sharp)
    model = true
    await amina.page.getByRole('navigation', { name: 'Controls' }).getByRole('button', { name: 'More' }).click()
    await amina.field('Behind you').selectOption('Blurred')
    await sees(okafor, other, ({ now }) => now.men && now.wall && now.seam < sharp)
    await picture(okafor, 'background-blur')
  })
  for (const { name, problems } of story.people) must(problems.length === 0, `${name}: ${problems.join('; ')}`)
  await Promise.all([browser.close(), filmed.close()])
  await clinic.remove()
  rmSync(dir, { recursive: true, force: true })
  return story
}

const other = '.tile:not(.tile-me) video'
/** How much the seam in the wall stands out, of 255: 60 to 95 as it is, under 20 when it is blurred. */
const sharp = 35

/** A film of the photograph: it stands still. */
async function shoot(browser, film) {
  const photo = readFileSync(path(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim(), 'src/image/testdata/video-001.png'))
  const page = await browser.newPage()
  const frame = await page.evaluate(async (source) => {
    const image = await createImageBitmap(await (await fetch(source)).blob())
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 })
    const scale = 480 / image.height
    canvas.getContext('2d').drawImage(image, (640 - image.width * scale) / 2, 0, image.width * scale, 480)
    return canvas.toDataURL('image/jpeg', 0.95).split(',')[1]
  }, `data:image/png;base64,${photo.toString('base64')}`)
  writeFileSync(film, Buffer.concat(Array.from({ length: 10 }, () => Buffer.from(frame, 'base64'))))
  await page.close()
}

/**
 * Looks at every picture of a video until they are as they should be. Counted are pictures that show the orange wall
 * between the men, those that show the black shirts, and how sharp the last one was.
 */
async function sees(someone, video, asWanted) {
  let saw
  for (let tries = 0; tries < 120; tries++) {
    saw = await someone.page.evaluate((selector) => {
      if (window.watching?.selector !== selector) {
        const small = Object.assign(document.createElement('canvas'), { width: 64, height: 48 }).getContext('2d', { willReadFrequently: true })
        const saw = { frames: 0, wall: 0, men: 0, now: {} }
        const watching = { selector, saw, ever: window.watching?.ever ?? { wall: 0 }, last: 0 }
        window.watching = watching
        const look = () => {
          if (window.watching !== watching) return
          requestAnimationFrame(look)
          const shown = document.querySelector(selector)
          if (!shown || shown.readyState < 2 || shown.videoWidth === 0 || shown.currentTime === watching.last) return
          watching.last = shown.currentTime
          small.drawImage(shown, 0, 0, 64, 48)
          const { data } = small.getImageData(0, 0, 64, 48)
          // Over the desk, between the men, is the wall, and beside it a dark seam.
          let orange = 0, seam = 0
          for (let y = 8; y < 20; y++) {
            for (let x = 26; x < 36; x++) if (data[4 * (64 * y + x)] > data[4 * (64 * y + x) + 2] + 45) orange++
            const reds = [...Array(8).keys()].map((x) => data[4 * (64 * y + 37 + x)])
            seam = Math.max(seam, Math.max(...reds) - Math.min(...reds))
          }
          const light = Math.max(...data.slice(4 * (64 * 14 + 31), 4 * (64 * 14 + 31) + 3)) > 60 // a video that has not begun is black
          let black = 0
          for (let y = 34; y < 42; y++) for (const x of [6, 8, 10]) if (Math.max(...data.slice(4 * (64 * y + x), 4 * (64 * y + x) + 3)) < 90) black++
          // The wall of the drawn room there is about 223, 231, 226.
          const middle = [...data.slice(4 * (64 * 14 + 31), 4 * (64 * 14 + 31) + 3)]
          const room = [223, 231, 226].every((c, i) => Math.abs(c - middle[i]) < 10)
          saw.now = { wall: orange > 12, men: light && black > 8, seam, room, middle }
          saw.frames++
          if (saw.now.wall) { saw.wall++; watching.ever.wall++ }
          if (saw.now.men) saw.men++
        }
        look()
      }
      return window.watching.saw
    }, video)
    if (asWanted(saw)) return
    await someone.page.waitForTimeout(100)
  }
  throw new Error(`${someone.name} sees otherwise: ${JSON.stringify(saw)}`)
}

async function neverSaw(someone) {
  const wall = await someone.page.evaluate(() => window.watching.ever.wall)
  must(wall === 0, `${someone.name} saw the wall in ${wall} pictures`)
}
