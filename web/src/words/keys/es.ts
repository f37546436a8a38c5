import type { keys as en } from './en.ts'

export const keys = {
  invitedTitle: 'Alguien pidió llaves nuevas a su nombre', waitingTitle: 'Hay llaves nuevas a su nombre en espera',
  invitedText: (who: string, when: string): string => `${who} creó un enlace para usted el ${when}, como para alguien que perdió todos sus dispositivos. Quien lo use pide convertirse en usted.`,
  waitingText: (who: string, when: string): string => `Alguien usó el enlace que creó ${who}, el ${when}. Si nadie las rechaza, las llaves nuevas sustituyen a las suyas y se cierra la sesión en este dispositivo.`,
  from: (when: string): string => `Valen a partir del ${when}, cuando la clínica haya confirmado quién es.`,
  ifYou: 'Si fue usted, en un teléfono u ordenador nuevo, no tiene que hacer nada aquí.', ifNotYou: 'Si no fue usted, rechácelo ahora y llame a la clínica.',
  refuse: 'No fui yo: rechazar', refuseTitle: '¿Rechazar las llaves nuevas?', refuseText: 'El enlace, o las llaves hechas con él, dejan de funcionar. Sus propias llaves quedan como están. Si al final fue usted, la clínica puede crear otro enlace.', refused: 'Se rechazaron las llaves nuevas.',
  replacedTitle: 'Sus llaves fueron sustituidas', replacedText: (who: string, when: string): string => `Desde el ${when} el historial de la clínica tiene otras llaves para usted, por medio de ${who}. Las de este dispositivo ya no valen: lo que escriba aquí no se toma como suyo. Si no fue usted, llame a la clínica.`,
  wrongTitle: 'La lista de personas de la clínica no es correcta', wrongText: 'Lo que el servidor muestra de quién trabaja aquí, o de usted, no es lo que este dispositivo vio antes, o nadie pudo declararlo. No se comparte nada con otros hasta que se explique. Puede seguir leyendo. Avise a la clínica.',
  since: (when: string, by: string): string => (by === '' ? `Llaves nuevas desde el ${when}, creadas por la propia persona.` : `Llaves nuevas desde el ${when}, confirmadas por ${by}.`),
  changeTitle: 'Sus llaves', changeLead: 'Todo lo que lee y escribe está protegido por llaves que solo tienen sus dispositivos. Si cree que alguien las tiene, por ejemplo de un portátil robado, cámbielas.',
  change: 'Creo que alguien tiene mis llaves', changeDialog: 'Cambiar sus llaves',
  changeText: ['Recibe llaves nuevas y un código de recuperación nuevo. El código anterior deja de funcionar.', 'Se cierra la sesión en todos sus otros dispositivos; vuelven a entrar con sus claves de acceso.', 'Quien tenga las llaves anteriores ya no puede entrar, escribir como usted ni leer lo que se escriba desde ahora. Lo que copió antes, lo conserva.'],
  changeBusy: 'Creando llaves nuevas y protegiendo con ellas lo que usted tiene. Deje esta página abierta.',
  passkeyNote: 'Quitar una clave de acceso impide entrar con ella. No cambia sus llaves: un dispositivo que estuvo abierto puede tenerlas todavía.',
} satisfies typeof en
