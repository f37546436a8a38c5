// A FHIR Questionnaire as a form: its questions, which of them are asked given the answers so far, and the answers as a
// QuestionnaireResponse. What is typed or chosen is kept as text, as a browser's fields do, and gets its type here.

import type { Resource } from '../engine/types.ts'
import { choice, concept, each, fields, first, list, number, text, type Fields } from './read.ts'

export type Ask = 'group' | 'display' | 'boolean' | 'number' | 'whole' | 'date' | 'time' | 'line' | 'text' | 'choice' | 'file' | 'unknown'

export interface Question {
  readonly linkId: string
  readonly text: string
  readonly ask: Ask
  readonly required: boolean
  readonly many: boolean               // more than one answer
  readonly open: boolean               // or one's own words
  readonly options: readonly { readonly label: string; readonly field: string; readonly value: unknown }[]
  readonly items: readonly Question[]
  readonly source: Fields
}

/** What was answered: for each linkId the texts, or which options were chosen. */
export type Answers = Readonly<Record<string, readonly string[]>>

/** Stands for an option by its place; it begins with what nobody can type. */
export const chosen = (at: number): string => `\u001f${at}`

const asks: Readonly<Record<string, Ask>> = {
  group: 'group', display: 'display', boolean: 'boolean', decimal: 'number', quantity: 'number', integer: 'whole', date: 'date', dateTime: 'date', time: 'time', string: 'line', url: 'line', text: 'text',
  choice: 'choice', 'open-choice': 'choice', attachment: 'file',
}

/** A questionnaire that nests deeper than this is not followed; R4's examples go to four. */
const deepest = 12

export const questionsOf = (questionnaire: Resource): readonly Question[] => questions(questionnaire['item'], 0)

function questions(items: unknown, depth: number): Question[] {
  if (depth > deepest) return []
  // What is read-only is not asked: it is worked out, such as a sum.
  return each(items).filter((source) => source['readOnly'] !== true).map((source) => {
    const type = text(source['type'])
    const options = each(source['answerOption']).flatMap((o) => {
      const found = choice(o, 'value')
      return found ? [{ label: first(concept(found.value), String(found.value)), field: `value${found.type}`, value: found.value }] : []
    })
    // Options that are elsewhere, in a value set, are not at hand.
    const ask = (type === 'choice' && options.length === 0 ? undefined : asks[type]) ?? 'unknown'
    return {
      linkId: text(source['linkId']), text: [text(source['prefix']), text(source['text'])].filter((t) => t !== '').join(' '), ask, options, source,
      required: source['required'] === true && ask !== 'unknown', many: source['repeats'] === true, open: type === 'open-choice', items: questions(source['item'], depth + 1),
    }
  })
}

/** Whether a question is asked, given the answers to others (enableWhen). */
export function asked(q: Question, answers: Answers, all: readonly Question[]): boolean {
  const conditions = each(q.source['enableWhen'])
  if (conditions.length === 0) return true
  const holds = (condition: Fields): boolean => {
    const other = named(all, text(condition['question']))
    const given = other ? valuesOf(other, answers).map(([, value]) => value) : []
    const wanted = choice(condition, 'answer')?.value
    const operator = text(condition['operator'])
    if (operator === 'exists') return (given.length > 0) === (wanted === true)
    if (operator === '!=') return !given.some((g) => same(g, wanted))
    return given.some((g) => (operator === '=' ? same(g, wanted) : compare(operator, g, wanted)))
  }
  return q.source['enableBehavior'] === 'any' ? conditions.some(holds) : conditions.every(holds)
}

function named(all: readonly Question[], linkId: string): Question | undefined {
  for (const q of all) {
    const found = q.linkId === linkId ? q : named(q.items, linkId)
    if (found) return found
  }
  return undefined
}

function same(a: unknown, b: unknown): boolean {
  const [x, y] = [fields(a), fields(b)]
  return 'code' in x && 'code' in y ? x['code'] === y['code'] && (x['system'] === undefined || y['system'] === undefined || x['system'] === y['system']) : a === b
}

function compare(operator: string, a: unknown, b: unknown): boolean {
  const [x, y] = [a, b].map((v) => (typeof v === 'string' ? v : number(v) ?? number(fields(v)['value'])))
  if (x === undefined || y === undefined || typeof x !== typeof y) return false
  switch (operator) {
    case '>': return x > y
    case '<': return x < y
    case '>=': return x >= y
    case '<=': return x <= y
    default: return false
  }
}

/** A number as people type it: with Arabic digits, or a comma for the decimal point. */
const plainNumber = (typed: string): string =>
  typed.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String((digit.charCodeAt(0) - (digit >= '\u06f0' ? 0x06f0 : 0x0660)))).replace(/[,\u066b]/, '.')

/** The answers to one question with the FHIR fields that hold them; what is not of the question's type is left out. */
function valuesOf(q: Question, answers: Answers): readonly (readonly [field: string, value: unknown])[] {
  return (answers[q.linkId] ?? []).flatMap((given): (readonly [string, unknown])[] => {
    const written = given.trim()
    if (written === '') return []
    switch (q.ask) {
      case 'choice': {
        if (!written.startsWith('\u001f')) return q.open ? [['valueString', written]] : []
        const option = q.options[Number(written.slice(1))]
        return option ? [[option.field, option.value]] : []
      }
      case 'boolean': return [['valueBoolean', written === 'true']]
      case 'number': {
        const n = Number(plainNumber(written))
        return Number.isFinite(n) ? [text(q.source['type']) === 'quantity' ? ['valueQuantity', { value: n }] : ['valueDecimal', n]] : []
      }
      case 'whole': return /^-?\d{1,9}$/.test(plainNumber(written)) ? [['valueInteger', Number(plainNumber(written))]] : []
      case 'date': return /^\d{4}-\d\d-\d\d$/.test(written) ? [[text(q.source['type']) === 'date' ? 'valueDate' : 'valueDateTime', written]] : []
      case 'time': return /^\d\d:\d\d$/.test(written) ? [['valueTime', `${written}:00`]] : []
      case 'line': return [[text(q.source['type']) === 'url' ? 'valueUri' : 'valueString', written]]
      case 'text': return [['valueString', written]]
      case 'file': return [['valueAttachment', fileOf(written)]]
      case 'group': case 'display': case 'unknown': return []
    }
  })
}

const entryURL = 'urn:ward:entry:'

/** A file of the chart as an answer: which entry it is, and what it is. */
export const fileAnswer = (entry: string, type: string, name: string): string => JSON.stringify({ contentType: type, url: `${entryURL}${entry}`, title: name })

/** The entry that an attachment names; '' if it is elsewhere. */
export const entryOf = (attachment: unknown): string => {
  const url = text(fields(attachment)['url'])
  return url.startsWith(entryURL) ? url.slice(entryURL.length) : ''
}

/** Until it is stored, a file that was picked is known by its name only. */
function fileOf(written: string): Fields {
  try {
    const { contentType, url, title } = fields(JSON.parse(written))
    return text(url) === '' ? { title: written } : { contentType, url, title }
  } catch {
    return { title: written }
  }
}

export const isAnswered = (q: Question, answers: Answers): boolean => valuesOf(q, answers).length > 0

/** The questions that must be answered, are asked, and are not answered. */
export function missing(all: readonly Question[], answers: Answers): readonly Question[] {
  const among = (items: readonly Question[]): readonly Question[] =>
    items.filter((q) => asked(q, answers, all)).flatMap((q) => [...(q.required && q.ask !== 'group' && q.ask !== 'display' && !isAnswered(q, answers) ? [q] : []), ...among(q.items)])
  return among(all)
}

/** The answers as FHIR. Only what was asked and answered is in it. */
export function responseTo(questionnaire: Resource, answers: Answers, by: { readonly chart: string; readonly person: string; readonly name: string; readonly date: string }): Resource {
  const all = questionsOf(questionnaire)
  const itemsOf = (items: readonly Question[]): object[] => items.filter((q) => asked(q, answers, all)).flatMap((q) => {
    const answer = valuesOf(q, answers).map(([field, value]) => ({ [field]: value }))
    const item = itemsOf(q.items)
    if (answer.length === 0 && item.length === 0) return []
    const said = { linkId: q.linkId, ...(q.text !== '' && { text: q.text }) }
    // Questions inside a question belong to its answer; those inside a group to the group.
    return [answer.length > 0 ? { ...said, answer: answer.map((a, i) => (i === 0 && item.length > 0 ? { ...a, item } : a)) } : { ...said, item }]
  })
  const item = itemsOf(all)
  const url = first(text(questionnaire['url']), typeof questionnaire.id === 'string' ? `urn:uuid:${questionnaire.id}` : '')
  const title = first(text(questionnaire['title']), text(questionnaire['name']))
  return {
    resourceType: 'QuestionnaireResponse', status: 'completed', ...(url !== '' && { questionnaire: url }),
    ...(title !== '' && { _questionnaire: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/display', valueString: title }] } }),
    subject: { identifier: { system: 'urn:ward:chart', value: by.chart } }, authored: by.date,
    author: { identifier: { system: 'urn:ward:person', value: by.person }, ...(by.name !== '' && { display: by.name }) },
    ...(item.length > 0 && { item }),
  }
}

/** How many questions there are to answer, groups and explanations not counted. */
export const count = (all: readonly Question[]): number => all.reduce((n, q) => n + (q.ask === 'group' || q.ask === 'display' ? 0 : 1) + count(q.items), 0)

/** Whether someone can answer it here: some imported ones have nothing to ask. */
export const isForm = (r: Resource): boolean => r.resourceType === 'Questionnaire' && list(r['item']).length > 0 && count(questionsOf(r)) > 0
