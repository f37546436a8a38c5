// How documents read: notes, messages, questionnaires, consents, and pieces of media.

import type { Resource } from '../engine/types.ts'
import { idOf, isSum, labelsOf, scoreOf, titleOf } from './questionnaires.ts'
import { decodeText } from './write.ts'
import { each, fields, first, list, narrative, text, type Fields } from './read.ts'
import { annotations, choiceText, conceptText, conceptTexts, dateText, joined, periodText, referenceText, referenceTexts, statusText, type FhirWords, type Reader } from './values.ts'
import type { Render } from './view.ts'

/** The text of an attachment that is text and lies in the resource itself. */
export function attachmentText(v: unknown): string {
  const { contentType, data } = fields(v)
  if (!/^text\/plain\b/.test(text(contentType)) || text(data) === '') return ''
  try {
    return decodeText(text(data))
  } catch {
    return ''
  }
}

const documentReference: Render = (r, c) => {
  const attachments = each(r['content']).map((x) => fields(x['attachment']))
  return {
    title: first(text(fields(r['type'])['text']), ...attachments.map((a) => text(a['title'])), text(r['description']), conceptText(c, r['type'])),
    brief: referenceTexts(c, r, r['author']),
    facts: [
      [c.say.by, referenceTexts(c, r, r['author'])], [c.say.written, dateText(c, r['date'], true)], [c.say.category, conceptTexts(c, r['category'])], [c.say.state, r['status'] === 'current' ? '' : statusText(c, r['status'])],
      [c.say.note, text(r['description'])], [c.say.contents, joined(c, attachments.filter((a) => attachmentText(a) === '').map((a) => first(text(a['title']), text(a['contentType']))))],
    ],
    text: attachments.map(attachmentText).filter((t) => t !== '').join('\n\n'),
  }
}

/** The sections of a composition, one under another. */
const sections = (v: unknown): string =>
  each(v).map((s) => [text(s['title']), narrative(s), sections(s['section'])].filter((t) => t !== '').join('\n')).join('\n\n')

const composition: Render = (r, c) => ({
  title: first(text(r['title']), conceptText(c, r['type'])), brief: referenceTexts(c, r, r['author']),
  facts: [[c.say.by, referenceTexts(c, r, r['author'])], [c.say.written, dateText(c, r['date'], true)], [c.say.state, statusText(c, r['status'])]],
  text: sections(r['section']),
})

export const messageText = (r: Fields): string => each(r['payload']).map((p) => first(text(p['contentString']), text(fields(p['contentAttachment'])['title']))).filter((t) => t !== '').join('\n')

const communication: Render = (r, c) => ({
  title: first(conceptText(c, r['topic']), c.say.messageFrom(referenceText(c, r, r['sender']))), brief: messageText(r).split('\n')[0] ?? '',
  facts: [[c.say.by, referenceText(c, r, r['sender'])], [c.say.to, referenceTexts(c, r, r['recipient'])], [c.say.sent, dateText(c, r['sent'], true)], [c.say.reason, conceptText(c, r['statusReason'])]],
  text: messageText(r),
})

type Labels = ReturnType<typeof labelsOf> | undefined

function answers(v: unknown, r: Fields, c: Reader, labels: Labels): (readonly [string, string])[] {
  return each(v).filter((item) => !isSum(item['linkId'])).flatMap((item) => {
    const linkId = text(item['linkId'])
    const said = joined(c, each(item['answer']).map((a) => first(labels?.answer(linkId, text(fields(a['valueCoding'])['code'])) ?? '', choiceText(c, { ...a, contained: r['contained'] }, 'value'))))
    const inner = [...answers(item['item'], r, c, labels), ...each(item['answer']).flatMap((a) => answers(a['item'], r, c, labels))]
    return said === '' ? inner : [[first(labels?.question(linkId) ?? '', text(item['text']), linkId), said] as const, ...inner]
  })
}

const response: Render = (r, c) => {
  const named = each(r['contained']).find((x) => x['resourceType'] === 'Questionnaire')
  const display = each(fields(r['_questionnaire'])['extension']).map((e) => text(e['valueString'])).find((t) => t !== '') ?? ''
  const id = idOf(r['questionnaire'])
  const known = scoreOf(r as Resource)
  const given = answers(r['item'], r, c, id && labelsOf(id, c.lang))
  return {
    title: first(id ? titleOf(id, c.lang) : '', display, text(named?.['title'])), brief: known ? [c.say.score(known.score), c.say.bands[known.severity], ...(known.unchecked ? [c.say.unchecked] : [])].join(' · ') : c.say.answersGiven(given.length),
    facts: [
      ...given, [c.say.by, first(referenceText(c, r, r['author']), referenceText(c, r, r['source']))], [c.say.written, dateText(c, r['authored'], true)], [c.say.state, statusText(c, r['status'])],
    ],
  }
}

/** How consent stands; an active one is one that was given. */
const consentText = (r: Fields, c: Reader): string => c.say.consents[text(r['status']) as keyof FhirWords['consents']] ?? statusText(c, r['status'])

const consent: Render = (r, c) => ({
  title: first(...list(r['category']).map((v) => conceptText(c, v))), brief: consentText(r, c),
  facts: [
    [c.say.state, consentText(r, c)], [c.say.written, dateText(c, r['dateTime'], true)], [c.say.by, referenceTexts(c, r, r['performer'])], [c.say.category, conceptText(c, r['scope'])],
    [c.say.time, periodText(c, fields(r['provision'])['period'])], [c.say.at, referenceTexts(c, r, r['organization'])],
  ],
  text: text(fields(r['policyRule'])['text']),
})

export const documents: Readonly<Record<string, Render>> = {
  DocumentReference: documentReference, DocumentManifest: documentReference, Composition: composition, Communication: communication, CommunicationRequest: communication,
  QuestionnaireResponse: response, Consent: consent,
  Questionnaire: (r, c) => ({ title: first(text(r['title']), text(r['name'])), brief: c.say.questions(each(r['item']).length), facts: each(r['item']).map((i, n) => [c.say.question(n + 1), text(i['text'])] as const), text: text(r['description']) }),
  Media: (r, c) => ({
    title: first(text(fields(r['content'])['title']), conceptText(c, r['type']), conceptText(c, r['view'])), brief: conceptText(c, r['bodySite']),
    facts: [[c.say.by, referenceText(c, r, r['operator'])], [c.say.contents, text(fields(r['content'])['contentType'])], [c.say.state, statusText(c, r['status'])], [c.say.reason, conceptTexts(c, r['reasonCode'])]],
    text: annotations(r['note']) === '' ? attachmentText(r['content']) : '',
  }),
  Binary: (r, c) => ({ title: c.say.types.Binary, brief: text(r['contentType']), facts: [[c.say.contents, text(r['contentType'])]], text: attachmentText(r) }),
}
