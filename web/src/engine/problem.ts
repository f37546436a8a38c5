import { Bad } from '../seal/bytes.ts'
import type { Problem, ProblemCode } from './types.ts'

/** The one error that leaves the engine. */
export class EngineProblem extends Error implements Problem {
  readonly code: ProblemCode
  readonly hint?: string
  readonly policies?: readonly string[]

  constructor(code: ProblemCode, message: string, hint?: string, policies?: readonly string[]) {
    super(message)
    this.code = code
    if (hint !== undefined) this.hint = hint
    if (policies !== undefined) this.policies = policies
  }
}

/** Makes any error a Problem: what does not check is 'tampered'. */
export function problemOf(error: unknown): EngineProblem {
  if (error instanceof EngineProblem) return error
  if (error instanceof Bad) return new EngineProblem('tampered', error.message)
  if (error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError')) return new EngineProblem('cancelled', error.message)
  if (error instanceof DOMException && error.name === 'InvalidStateError') return new EngineProblem('has-passkey', error.message)
  if (error instanceof DOMException && (error.name === 'NotSupportedError' || error.name === 'SecurityError')) return new EngineProblem('no-webauthn', error.message)
  if (error instanceof DOMException && error.name === 'QuotaExceededError') return new EngineProblem('storage', error.message)
  return new EngineProblem('internal', error instanceof Error ? error.message : String(error))
}
