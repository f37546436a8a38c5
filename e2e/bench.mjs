// Measures in Chromium what a person waits for, and prints a JSON line for each: {name, value, unit, goal?}.
//
//   open cold   from the click on a chart of 600 resources to its summary on screen, with nothing of it on the device
//   open warm   the same, when it was read here before
//   seal, open  one entry of 4 KB, by the code the app runs
//   receipts    one proof of the ledger, of one and of four organisations and with a post-quantum signature

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Clinic, root } from './clinic.mjs'
import { openBrowser, Someone } from './people.mjs'

const rounds = 7
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const print = (name, value, unit, goal) => console.log(JSON.stringify({ name, value, unit, goal }))

const clinic = await Clinic.start()
const browser = await openBrowser()
try {
  const doctor = await Someone.at(browser, 'doctor')
  await join_(doctor, clinic.foundingLink, 'Ada', 'Okafor')
  await doctor.page.goto(`${clinic.origin}/people/invite`)
  await doctor.page.getByRole('radio', { name: 'Patient', exact: true }).check()
  await doctor.field('First name').fill('Babara')
  await doctor.field('Last name').fill('Rice')
  await doctor.button('Make the link').click()
  const link = await doctor.page.getByTestId('link').textContent()
  const patient = await Someone.at(browser, 'patient')
  await join_(patient, link, 'Babara', 'Rice', true)
  const chart = await patient.page.getByRole('link', { name: /Open my chart/ }).getAttribute('href')
  const folder = join(root, 'testdata', 'fhir-synthea')
  await patient.page.goto(`${clinic.origin}${chart}/import`)
  await patient.page.locator('input[type=file]').setInputFiles(join(folder, readdirSync(folder).find((name) => name.startsWith('Babara'))))
  await patient.page.getByRole('button', { name: /^Import/ }).click()
  await patient.page.getByText(/records imported/).first().waitFor({ timeout: 60_000 })

  const opened = async () => {
    await doctor.page.goto(clinic.origin)
    const entry = doctor.page.getByRole('link', { name: /Babara Rice/ })
    await entry.waitFor()
    await doctor.page.waitForTimeout(300) // what the home screen still asks for
    return doctor.page.evaluate(() => new Promise((resolve) => {
      performance.clearMarks('ward:chart-readable')
      const link_ = [...document.querySelectorAll('a')].find((a) => a.textContent.includes('Babara Rice'))
      const start = performance.now()
      new PerformanceObserver((list) => { for (const e of list.getEntriesByName('ward:chart-readable')) resolve(e.startTime - start) }).observe({ entryTypes: ['mark'] })
      link_.click()
    }))
  }
  const forget = () => doctor.page.evaluate(() => new Promise((resolve, reject) => {
    const open = indexedDB.open('ward')
    open.onsuccess = () => {
      const boxes = [...open.result.objectStoreNames].filter((n) => n === 'cache')
      const work = open.result.transaction(boxes, 'readwrite')
      for (const box of boxes) work.objectStore(box).clear()
      work.oncomplete = () => { open.result.close(); resolve() }
      work.onerror = () => reject(work.error)
    }
  }))
  const cold = []
  const warm = []
  await opened()
  for (let round = 0; round < rounds; round++) {
    await doctor.page.goto(clinic.origin)
    await forget()
    cold.push(await opened())
    warm.push(await opened())
  }
  print('browser: open a chart of 600 resources, cold', median(cold), 'ms', 1000)
  print('browser: open a chart of 600 resources, warm', median(warm), 'ms', 200)

  const { seal, open } = await doctor.page.evaluate(`${bundled()}; measure(${rounds})`)
  print('browser: seal an entry of 4 KB', median(seal), 'ms')
  print('browser: open an entry of 4 KB', median(open), 'ms')
  const { cold: unread, warm: known } = await doctor.page.evaluate(`${bundled()}; bench.members(2000, 3)`)
  print('browser: read 2,000 statements on members, cold', median(unread), 'ms', 300)
  print('browser: read 2,000 statements on members, warm', median(known), 'ms', 20)
  for (const [name, of] of [['real-one-ed25519', 'one organisation'], ['real-four', 'four organisations'], ['real-one-ml-dsa-65', 'one, post-quantum'], ['quantum-four', 'four, post-quantum']]) {
    const { input } = JSON.parse(readFileSync(join(root, 'testdata', 'vectors', 'receipts', `receipt-${name}.json`), 'utf8'))
    print(`browser: check a receipt of ${of}`, median(await doctor.page.evaluate(`${bundled()}; bench.receipts(${JSON.stringify(input)}, ${rounds})`)), 'ms', 10)
  }
} finally {
  await browser.close()
  await clinic.remove()
}

/** The app's own sealing code, as one script for the page. */
function bundled() {
  const folder = mkdtempSync(join(tmpdir(), 'ward-bench-'))
  const out = join(folder, 'bench.js')
  const made = spawnSync('go', ['run', 'github.com/evanw/esbuild/cmd/esbuild', join(root, 'web', 'test', 'bench.ts'), '--bundle', '--format=iife', '--global-name=bench', `--outfile=${out}`, '--log-level=warning'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (made.status !== 0) throw new Error('the benchmark could not be bundled')
  const text = readFileSync(out, 'utf8')
  rmSync(folder, { recursive: true, force: true })
  return `${text}; const measure = bench.measure`
}

async function join_(someone, link, given, family, isPatient = false) {
  await someone.page.goto(link)
  await someone.button('Continue').click()
  await someone.page.getByText('The clinic knows you as').waitFor()
  if (isPatient) {
    await someone.page.getByLabel('Day').fill('2')
    await someone.page.getByLabel('Month').selectOption('4')
    await someone.page.getByLabel('Year').fill('1961')
    await someone.page.getByRole('checkbox').check()
  }
  await someone.button('Make my passkey').click()
  await someone.heading('Keep your recovery code').waitFor()
  await someone.page.getByRole('checkbox').check()
  await someone.button('Go to my space').click()
  await someone.heading(`Hello, ${given} ${family}`).waitFor()
}
