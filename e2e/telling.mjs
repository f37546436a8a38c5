// A story is steps that build on one another: the first that fails ends it. Each prints a line, with what was checked.

import AxeBuilder from '@axe-core/playwright'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { picturesOf } from './inside.mjs'

export class Telling {
  passed = 0
  failed = 0
  people = []

  constructor(name) { this.name = name }

  async step(title, work) {
    if (this.failed > 0) return
    const start = Date.now()
    try {
      await work()
      this.passed++
      console.log(`ok   ${this.name}: ${title} (${((Date.now() - start) / 1000).toFixed(1)} s)`)
    } catch (error) {
      this.failed++
      console.log(`FAIL ${this.name}: ${title}\n     ${String(error.stack ?? error).split('\n').slice(0, 12).join('\n     ')}`)
      for (const someone of this.people) {
        console.log(`     ${someone.name} saw: ${await seen(someone)}`)
        for (const line of await picturesOf(someone.page).catch(() => [])) console.log(`       ${line}`)
        await picture(someone, `failed-${this.name}-${someone.name}`)
      }
    }
  }
}

/** What a screen says, in short: its headings, alerts and buttons, and what went wrong in the page. */
async function seen({ page, problems }) {
  const texts = await page.locator('h1, h2, [role=alert], [role=status], button').allInnerTexts().catch(() => ['nothing: the page is gone'])
  return [...texts.map((t) => t.trim()).filter(Boolean), ...problems].join(' | ').slice(0, 1500)
}

/** A screenshot, kept where WARD_PICTURES says, for people to look at. */
export async function picture(someone, name) {
  const folder = process.env.WARD_PICTURES
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await someone.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true }).catch(() => undefined)
}

/** axe on what is shown now: WCAG 2.2 A and AA, and best practices. */
export async function accessible(someone, where) {
  await someone.page.locator('h1').first().waitFor()
  const { violations } = await new AxeBuilder({ page: someone.page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
  if (violations.length > 0) {
    throw new Error(`${where} (${someone.name}): ${violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.slice(0, 3).map((n) => `  ${n.html.slice(0, 200)}\n  ${n.failureSummary?.split('\n')[1] ?? ''}`).join('\n')}`).join('\n')}`)
  }
}

/** Whether the page fits: nothing is wider than the screen. */
export async function fits(someone, where) {
  const wider = await someone.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  if (wider > 0) throw new Error(`${where} (${someone.name}): the page is ${wider} px wider than the screen`)
}

export function must(condition, message) { if (!condition) throw new Error(message) }
