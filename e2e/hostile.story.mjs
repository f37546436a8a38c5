// A visit on a server that is not to be trusted: its operator has root. Nobody whom the clinician did not let in sees,
// hears or shows anything, everyone is told of them in words, and the memory of the server holds no key. And someone who
// was let in, and then posts what breaks the group, does not stop the visit. Once, on SQLite: the database has no part in it.

import { randomBytes } from 'node:crypto'
import { Clinic } from './clinic.mjs'
import { ask, countsOf, keysOf, lookInside, pictureOf, likeness } from './inside.mjs'
import { openBrowser } from './people.mjs'
import { book, coming, end, inVisits, invite, join, meet } from './steps.mjs'
import { bundled, formsOf, inMemory, mint, pageWith, secretOf } from './stranger.mjs'
import { Telling, must, picture } from './telling.mjs'
import { moving, until } from './visit.story.mjs'

export async function steps(database) {
  const story = new Telling('a hostile server')
  if (database) return story
  const clinic = await Clinic.start()
  const browser = await openBrowser()
  const arrive = coming(story, browser, inVisits, lookInside)
  let okafor, amina, nadia, visit, secret, stranger, members, hers
  const identity = randomBytes(26).toString('hex').slice(0, 26)
  const url = clinic.origin.replace('http', 'ws')
  const isTold = (someone) => someone.page.getByText('Someone is connected who was not let in').waitFor()
  const isToldNoMore = (someone) => someone.page.getByText('Someone is connected who was not let in').waitFor({ state: 'detached' })
  const come = async (as, how) => stranger.evaluate(([url, token, how]) => globalThis.stranger.come(url, token, how), [url, mint(secret, visit, as), how])
  const leaves = async () => (await Promise.all([okafor, amina].map(keysOf))).flat().flatMap((e) => [{ epoch: e.epoch, leaf: e.leaf, key: e.own }, ...e.others.map((o) => ({ epoch: e.epoch, leaf: o.leaf, key: o.key }))])

  await story.step('a visit of two', async () => {
    okafor = await arrive('okafor')
    await join(okafor, clinic.foundingLink, 'Ada', 'Okafor')
    amina = await arrive('amina', { width: 390, height: 844 })
    await join(amina, await invite(okafor, clinic, 'Patient', 'Amina', 'Yusuf'), 'Amina', 'Yusuf', true)
    visit = await book(okafor, clinic, 'Amina')
    await meet(clinic, visit, okafor, amina)
    for (const someone of [okafor, amina]) await moving(someone, 1)
    members = { okafor: (await keysOf(amina)).at(-1).others[0].participant, amina: (await keysOf(okafor)).at(-1).others[0].participant }
  })
  await story.step("the server's memory holds the room's secret, and no media key", async () => {
    const { pid } = clinic.process
    secret = secretOf(pid, okafor.pass)
    must(secret, "the room's secret was not found: was its memory searched at all?")
    const keys = await leaves()
    const forms = keys.flatMap(formsOf)
    const controls = [Buffer.from(visit), Buffer.from(secret)]
    const { hits, bytes } = inMemory(pid, [...forms, ...controls])
    must(hits.slice(-2).every((n) => n > 0), 'not even what the server knows was found')
    must(hits.slice(0, -2).every((n) => n === 0), `a media key is in the server's memory: ${hits}`)
    console.log(`     ${keys.length} keys in ${forms.length} forms, in ${(bytes / 1e6).toFixed(0)} MB: 0 hits; the visit's id: ${hits.at(-2)} hits`)
  })
  await story.step('the operator lets a stranger into the room: they receive everything and open nothing', async () => {
    stranger = await pageWith(browser, clinic.origin, 'stranger.page.mjs', 'stranger')
    await come(identity)
    await until(async () => {
      const g = await stranger.evaluate(() => globalThis.stranger.got())
      return g.video.bytes > 20_000 && g.audio.bytes > 5_000 && g.frames.video > 30 && g.frames.audio > 100
    }, 'the stranger receives nothing: then this shows nothing')
    const keys = await leaves()
    const e = await stranger.evaluate((k) => globalThis.stranger.examine(k, k), keys)
    for (const kind of ['video', 'audio']) {
      const { frames, sealed, opened, bits } = e[kind]
      must(sealed === frames, `${frames - sealed} of ${frames} ${kind} frames are not sealed by a member`)
      must(opened > 0.9 * frames, `only ${opened} of ${frames} open with the members' keys: are these their frames?`)
      must(bits > 7.9, `${kind} frames do not look like noise: ${bits} bits for each byte`)
    }
    const wrong = keys.map((k) => ({ ...k, key: randomBytes(32).toString('hex') }))
    const w = await stranger.evaluate((k) => globalThis.stranger.examine(k, k), wrong)
    must(w.video.opened === 0 && w.audio.opened === 0, 'frames open with any key')
    console.log(`     ${e.video.frames} frames of picture and ${e.audio.frames} of sound, all sealed; ${e.video.bits.toFixed(3)} and ${e.audio.bits.toFixed(3)} bits a byte`)
  })
  await story.step('what the stranger sees is no picture of anyone', async () => {
    let control = 0 // the best of a few: the two are not looked at in the same moment
    for (let i = 0; i < 10 && control < 0.9; i++) control = Math.max(control, likeness(await pictureOf(okafor.page, '.tile:not(.tile-me) video'), await pictureOf(amina.page, '.tile-me video')))
    must(control > 0.6, `what Dr Okafor sees of Amina should be like what Amina sees of herself: ${control.toFixed(2)}`)
    const shown = await stranger.evaluate(() => document.querySelectorAll('video').length)
    let most = 0
    for (let i = 0; i < shown; i++) {
      const theirs = await pictureOf(stranger, 'video', i)
      for (const someone of [okafor, amina]) most = Math.max(most, Math.abs(likeness(theirs, await pictureOf(someone.page, '.tile-me video'))))
    }
    must(shown === 2 && most < 0.4, `the stranger sees something like them: ${most.toFixed(2)}, in ${shown} videos`)
    const { video } = await stranger.evaluate(() => globalThis.stranger.got())
    console.log(`     ${video.decoded} frames of noise decoded, likeness ${most.toFixed(2)}; of what members see ${control.toFixed(2)}`)
  })
  await story.step('everyone is told of the stranger, and when they are gone', async () => {
    for (const someone of [okafor, amina]) await isTold(someone)
    await picture(okafor, 'hostile-stranger')
    await picture(amina, 'hostile-stranger-phone')
    await stranger.evaluate(() => globalThis.stranger.go())
    for (const someone of [okafor, amina]) await isToldNoMore(someone)
  })
  await story.step('a stranger who sends in the clear is put out', async () => {
    await come(identity, { sends: true })
    await until(() => stranger.evaluate(() => globalThis.out !== undefined), 'the stranger stays')
  })
  await story.step('a stranger who sends in the clear and says it is sealed is not shown and not heard', async () => {
    await come(identity, { sends: true, claims: true })
    for (const someone of [okafor, amina]) {
      await until(async () => Object.values((await countsOf(someone))[identity]?.refused ?? {}).some((n) => n > 20), `nothing of the stranger reached ${someone.name}: then this shows nothing`)
      must(((await countsOf(someone))[identity]?.opened ?? 0) === 0, `${someone.name} was shown or heard a frame of the stranger`)
      await isTold(someone)
      await moving(someone, 1)
      must((await someone.page.locator('.tile').count()) === 2, 'the stranger has a place on the screen')
    }
    await stranger.evaluate(() => globalThis.stranger.go())
  })
  await story.step("a stranger in Amina's place is not taken for her", async () => {
    await come(members.amina, { sends: true, claims: true })
    await amina.heading('You are in this visit in another window').waitFor()
    await okafor.page.waitForTimeout(1000) // frames of hers that were on their way
    const before = (await countsOf(okafor))[members.amina].opened
    const refused = () => countsOf(okafor).then((c) => Object.values(c[members.amina].refused).reduce((a, b) => a + b, 0))
    const had = await refused()
    await until(async () => (await refused()) > had + 20, 'nothing of the stranger reached Dr Okafor: then this shows nothing')
    must((await countsOf(okafor))[members.amina].opened === before, 'a frame of the stranger was opened as hers')
    await okafor.page.getByText('What comes as Amina Yusuf cannot be opened').waitFor()
    await picture(okafor, 'hostile-in-her-place')
    await amina.button('Go back in').click()
    for (const someone of [amina, okafor]) await moving(someone, 1)
    await okafor.page.getByText('What comes as Amina Yusuf cannot be opened').waitFor({ state: 'detached' })
  })
  await story.step('what is no message of this group, now, is refused', async () => {
    const path = `/api/visits/${visit}/messages`
    const { body: all } = await ask(amina, 'GET', `${path}?after=0`)
    const old = all.messages.find((m) => m.kind === 'commit')
    const info = groupInfo(visit, all.epoch + 1)
    for (const [what, status, body] of [
      ['a commit from before', 409, { body: old.body, groupInfo: info }],
      ['a commit for an epoch to come', 409, { body: commit(visit, all.epoch + 5), groupInfo: groupInfo(visit, all.epoch + 6) }],
      ['a change of the group by someone who is not the clinician', 403, { body: change(visit, all.epoch), groupInfo: info }],
      ['a commit for another group', 400, { body: commit(members.amina, all.epoch), groupInfo: info }],
      ['a commit without the state that it leads to', 400, { body: commit(visit, all.epoch) }],
      ['something too large', 413, { body: Buffer.alloc(200_000, 1).toString('base64') }],
      ['no message of MLS', 400, { body: randomBytes(100).toString('base64') }],
      ['a new group by someone who is not the clinician', 403, { body: groupInfo(visit, 0), again: true }],
    ]) {
      const answer = await ask(amina, 'POST', path, body)
      must(answer.status === status, `${what}: ${answer.status} ${JSON.stringify(answer.body)}`)
    }
    for (const someone of [okafor, amina]) await moving(someone, 1)
  })
  const spoil = async () => {
    const { body } = await ask(amina, 'GET', `/api/visits/${visit}`)
    const answer = await ask(amina, 'POST', `/api/visits/${visit}/messages`, { body: commit(visit, body.epoch), groupInfo: groupInfo(visit, body.epoch + 1) })
    must(answer.status === 200, `the forged commit was not even taken: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  await story.step('a commit that is right from outside and wrong inside: Dr Okafor begins again, and the visit goes on', async () => {
    const before = (await keysOf(okafor)).map((e) => e.own)
    await spoil()
    await until(async () => !before.includes((await keysOf(okafor)).at(-1).own), 'there are no new keys')
    await amina.button('Go back in').click()
    for (const someone of [amina, okafor]) await moving(someone, 1)
  })
  await story.step('a second one: who sent it is taken out, and opens nothing any more with all keys they ever had', async () => {
    await clinic.copy() // for later
    for (const someone of [amina, okafor]) await moving(someone, 1)
    secret = secretOf(clinic.process.pid, okafor.pass)
    hers = (await keysOf(amina)).flatMap((e) => [{ epoch: e.epoch, leaf: e.leaf, key: e.own }, ...e.others.map((o) => ({ epoch: e.epoch, leaf: o.leaf, key: o.key }))])
    await spoil()
    await until(async () => (await amina.heading('You were taken out of this visit').count()) > 0 || (await amina.heading('You are in this visit in another window').count()) > 0, 'she is still in')
    await until(async () => (await ask(amina, 'POST', `/api/visits/${visit}/room`, {})).status === 403, 'the room is still open to her')
    await amina.page.reload()
    await amina.heading('You were taken out of this visit').waitFor()
    await okafor.page.locator('.tile:not(.tile-me)').waitFor({ state: 'detached' })
    await come(identity)
    await until(async () => (await stranger.evaluate(() => globalThis.stranger.got())).frames.audio > 100, 'nothing more of Dr Okafor arrives: then this shows nothing')
    const e = await stranger.evaluate((k) => globalThis.stranger.examine(k, k), hers)
    must(e.video.opened === 0 && e.audio.opened === 0, `${e.video.opened} + ${e.audio.opened} frames open with her keys`)
    console.log(`     0 of ${e.video.frames + e.audio.frames} frames open with her ${hers.length} keys`)
    await isTold(okafor)
    await stranger.evaluate(() => globalThis.stranger.go())
  })
  await story.step('the operator puts back the disk from before, and Dr Okafor loads the page again: she is not led back to Amina', async () => {
    await clinic.putBack()
    await okafor.page.reload()
    await until(async () => (await keysOf(okafor)).length > 0, 'Dr Okafor is not back in')
    const { body } = await ask(okafor, 'GET', `/api/visits/${visit}`)
    must(body.members.find((m) => m.member === members.amina).state === 'admitted', 'the server still knows that Amina was taken out: then this shows nothing')
    must((await keysOf(okafor)).every((e) => e.others.length === 0), 'Dr Okafor is in a group with someone')
    must((await okafor.page.locator('.tile:not(.tile-me)').count()) === 0, 'Dr Okafor sees someone')
  })
  await story.step('someone comes who never saw Amina taken out', async () => {
    if ((await okafor.button('Invite a guest').count()) === 0) await okafor.button('People').click()
    await okafor.button('Invite a guest').click()
    await okafor.button('Make a link').click()
    const link = await okafor.field('Link').inputValue()
    await okafor.button('Done').click()
    nadia = await arrive('nadia', { width: 390, height: 844 })
    await nadia.page.goto(link)
    await nadia.button('Go on').click()
    await nadia.field('Your name').fill('Nadia Brandt')
    await nadia.button('Go on').click()
    await nadia.button('Go to the waiting room').click()
    await okafor.button('Let in: Guest “Nadia Brandt”').click()
    for (const someone of [okafor, nadia]) await moving(someone, 1)
  })
  await story.step('Amina comes again, the server takes it, and both browsers stop the visit and say why', async () => {
    const { body } = await ask(amina, 'GET', `/api/visits/${visit}?group=1`)
    const { admissionText: admission } = body.members.find((m) => m.member === members.amina)
    const { body: { people } } = await ask(amina, 'GET', `/api/visits/${visit}/people`)
    const admitted = JSON.parse(people.find((p) => p.person === members.okafor).browsers.at(-1).split('\n')[1]).key
    await amina.page.evaluate(`${bundled('intruder.page.mjs', 'intruder')}; globalThis.intruder = intruder`)
    const { commit, groupInfo, keys } = await amina.page.evaluate((with_) => globalThis.intruder.intrude(with_), { info: body.groupInfo, admission, admitted })
    hers.push(...keys)
    const answer = await ask(amina, 'POST', `/api/visits/${visit}/messages`, { body: commit, groupInfo })
    must(answer.status === 200, `the server refused her commit: ${answer.status} ${JSON.stringify(answer.body)}`)
    for (const someone of [okafor, nadia]) {
      await someone.page.getByText('Picture and sound were stopped').waitFor()
      await someone.page.getByText('Amina Yusuf was taken out and tried to come back in.').waitFor()
      must(await someone.page.locator('.seal-sign').textContent() === 'Stopped', `the head of the visit says to ${someone.name} that it is sealed`)
      await picture(someone, `hostile-out-${someone.name}`)
    }
  })
  await story.step('Dr Okafor begins again, and nothing opens with all keys that Amina ever had', async () => {
    await okafor.button('Begin again without them').click()
    for (const someone of [okafor, nadia]) await moving(someone, 1)
    secret = secretOf(clinic.process.pid, okafor.pass)
    await come(identity)
    await until(async () => (await stranger.evaluate(() => globalThis.stranger.got())).frames.audio > 100, 'nothing of them arrives: then this shows nothing')
    const theirs = (await Promise.all([okafor, nadia].map(keysOf))).flat().flatMap((e) => [{ epoch: e.epoch, leaf: e.leaf, key: e.own }])
    const control = await stranger.evaluate((k) => globalThis.stranger.examine(k, k), theirs)
    must(control.audio.opened > 0.9 * control.audio.frames, `only ${control.audio.opened} of ${control.audio.frames} open with their own keys`)
    const e = await stranger.evaluate((k) => globalThis.stranger.examine(k, k), hers)
    must(e.video.opened === 0 && e.audio.opened === 0, `${e.video.opened} + ${e.audio.opened} frames open with her keys`)
    console.log(`     0 of ${e.video.frames + e.audio.frames} frames open with her ${hers.length} keys`)
    await amina.page.reload()
    await amina.heading('You were taken out of this visit').waitFor() // begun again without them, it took her out
  })
  return end(story, clinic, browser)
}

// MLS from outside, and nothing inside (RFC 9420, section 6).

const number = (n, size) => { const b = Buffer.alloc(size); size === 8 ? b.writeBigUInt64BE(BigInt(n)) : b.writeUIntBE(n, 0, size); return b }
const vector = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])

/** A PublicMessage with a commit. */
const commitBy = (sender) => (group, epoch) => Buffer.concat([number(1, 2), number(1, 2), vector(group), number(epoch, 8), sender, vector(''), Buffer.from([3]), randomBytes(60)]).toString('base64')
const commit = commitBy(Buffer.from([4])) // by someone who comes in
const change = commitBy(Buffer.concat([Buffer.from([1]), number(0, 4)])) // by someone who is in

/** A GroupInfo. */
const groupInfo = (group, epoch) => Buffer.concat([number(1, 2), number(4, 2), number(1, 2), number(83, 2), vector(group), number(epoch, 8), randomBytes(60)]).toString('base64')
