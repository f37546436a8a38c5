// Ward's own questionnaires, in three languages, and how one becomes a FHIR Questionnaire in one of them.

import type { Resource } from '../engine/types.ts'
import { spoken, type Said } from './said.ts'

export interface OwnItem {
  readonly id: string; readonly said: Said; readonly type: 'group' | 'display' | 'text' | 'string' | 'boolean' | 'choice' | 'open-choice' | 'integer' | 'date' | 'attachment'
  readonly required?: true; readonly repeats?: true; readonly options?: readonly (readonly [code: string, said: Said])[]
  readonly when?: string               // asked only if this other question was answered with yes
  readonly items?: readonly OwnItem[]
}

export interface Own { readonly url: string; readonly system: string; readonly title: Said; readonly about: Said; readonly items: readonly OwnItem[] }

/** A questionnaire in a language. The codes of its answers mean something only in its own system. */
export function written({ url, system, title, about, items }: Own, lang: string): Resource {
  const l = spoken(lang)
  const item = (i: OwnItem): object => ({
    linkId: i.id, text: i.said[l], type: i.type, ...(i.required && { required: true }), ...(i.repeats && { repeats: true }),
    ...(i.when && { enableWhen: [{ question: i.when, operator: '=', answerBoolean: true }] }),
    ...(i.options && { answerOption: i.options.map(([code, said]) => ({ valueCoding: { system, code, display: said[l] } })) }),
    ...(i.items && { item: i.items.map(item) }),
  })
  return { resourceType: 'Questionnaire', url, title: title[l], description: about[l], status: 'active', language: l, subjectType: ['Patient'], item: items.map(item) }
}
