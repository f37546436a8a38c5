import type { Role } from './types.ts'

export const staffRoles: readonly Role[] = ['clinician', 'frontdesk', 'security', 'privacy', 'admin']

/** Whether somebody works for the clinic. */
export const isStaff = (roles: readonly Role[]): boolean => roles.some((r) => staffRoles.includes(r))
