import type { LedgerWords } from './en.ts'

const plural = (n: number, one: string, other: string): string => (n === 1 ? one : other).replace('#', new Intl.NumberFormat('es').format(n))

export const ledger = {
  proof: {
    agreed: (clinic, by, of, time) => `Registrado por ${clinic}, acordado por ${by} de ${of} organizaciones, ${time}`,
    alone: (clinic, time) => `Registrado y guardado solo por ${clinic}, ${time}`,
    pending: 'Registrado. Se acordará en breve.', late: 'Registrado, y sin acordar desde hace más de una hora. Se acordará cuando las organizaciones vuelvan a comunicarse.',
    checking: 'Comprobando la prueba…', none: 'Esta clínica aún no guarda pruebas de su registro.', unchecked: 'No se pudo obtener la prueba. Inténtelo más tarde.',
    missing: 'No hay prueba de esto', missingText: 'El servidor de la clínica lo muestra y no puede mostrar que se registró. Puede haberse añadido o cambiado a espaldas de la clínica. Pregunte a la clínica.',
    broken: 'Esto se cambió después de registrarse', brokenText: 'Lo que se muestra aquí no es lo que acordaron las organizaciones. No se fíe de ello. Avise a la clínica.',
    strangers: 'Esta prueba no la firman aquellos en quienes usted confía', strangersText: 'Alguien puede estar mostrándole una historia inventada. No se fíe de ella. Avise a la clínica.',
    show: 'Ver la prueba', how: 'Su dispositivo lo ha comprobado por sí mismo: va de lo que se muestra aquí a las firmas de estas organizaciones, y cualquier cambio en el camino se notaría.',
    aloneHow: 'Solo esta clínica firma su historia. Su dispositivo nota si cambia después lo que ya ha visto. Que nadie la reescribió antes de que usted mirara, solo podrían mostrarlo otras organizaciones.',
    signers: 'Firmado por', time: 'Cuándo', place: 'Lugar en el registro de la clínica', placeOf: (n, of) => `${n} de ${of}`, leaf: 'Huella de esto', root: 'Huella del registro', block: 'Bloque', blockOf: (height, chain) => `${height} de ${chain}`,
    app: 'Esta aplicación', appIs: { recorded: (n) => `Versión ${n}, como la registraron las organizaciones`, unrecorded: () => 'No es una versión que registraran las organizaciones', changed: () => 'No es lo que dice su propia lista de partes', unknown: () => 'No hay con qué compararla' }, appHow: 'La aplicación lo dice de sí misma. Así se ve un error; una aplicación cambiada a propósito podría decir cualquier cosa.',
    card: 'Estas claves', cardLead: 'Nadie puede poner otras claves a nombre de esta persona sin que se note:', ownCard: 'Sus claves', ownCardText: 'Quien pudiera poner otras claves a su nombre podría leer lo que es para usted. Las organizaciones guardan la huella de sus claves, y su dispositivo la compara cada vez que usted entra.',
    cardMissing: 'No hay prueba de estas claves', cardBroken: 'Estas no son las claves que se acordaron', cardBrokenText: 'No comparta nada con esta persona hasta que la clínica lo explique. Llámela, o llame a la clínica, para comparar.',
  },
  alarm: {
    forked: ['La historia de la clínica se ha cambiado', 'No es la historia que este dispositivo vio antes: algo se modificó o se quitó. Apunte la hora y pregunte al delegado de protección de datos de la clínica qué ha pasado.'],
    shorter: ['Falta parte de la historia de la clínica', 'Termina antes de lo que este dispositivo ya ha visto, como si se hubiera repuesto una copia antigua. Pregunte al delegado de protección de datos qué ha pasado, y mire si sigue ahí lo que usted escribió hace poco.'],
    strangers: ['Firman la historia de la clínica otros que aquellos en quienes usted confía', 'Nadie en quien usted confía lo ha dicho. Puede ser una historia inventada. Avise a la clínica.'],
    'other-chain': ['La clínica muestra otro registro común', 'No es aquel con el que usted empezó. Pregunte a la clínica si lo cambió, antes de seguir.'],
    'other-log': ['La clínica muestra otro registro', 'No es aquel con el que usted empezó. Pregunte al delegado de protección de datos qué ha pasado.'],
    silent: ['Las pruebas de la clínica ya no están', 'Antes mostraba pruebas de que su historia está completa, y ahora no muestra ninguna. Pregunte por qué.'],
    'own-keys': ['Alguien publicó claves a su nombre', 'No son las suyas. Hasta que se explique, lo que se selle para usted puede llegar a otra persona. Llame ahora a la clínica.'],
    'other-keys': ['El servidor muestra claves equivocadas de alguien', 'No son las que acordaron las organizaciones, así que no se compartió nada con ellas. Avise a la clínica.'],
    gone: ['Algo que usted vio ya no está', 'Estaba en la lista de quién miró, y ya no está. Una línea así nunca se quita mientras existe la historia clínica. Pregunte al delegado de protección de datos qué ha pasado.'],
  },
  goneAt: (time) => `Era de ${time}.`, goOn: 'Seguir con la historia tal como está ahora', goOnText: 'Solo después de que la clínica lo haya explicado. Este dispositivo olvidará entonces lo que vio antes.', goOnTitle: '¿Tomar la historia tal como está ahora?',
  page: {
    nav: 'Acuerdo', title: 'El registro común', lead: 'Quién acuerda la historia de esta clínica, hasta dónde, y qué hay que decidir.',
    whole: 'La historia está completa', wholeText: (time, n) => `Acordada por ${n} organizaciones, ${time}.`, wholeAlone: (time) => `La guarda solo esta clínica, ${time}.`,
    waiting: (n) => plural(n, '# cosa espera acuerdo', '# cosas esperan acuerdo'), waitingText: 'Es normal durante un momento. El trabajo sigue mientras tanto, y nada se pierde.',
    stopped: (since) => `El registro común está parado en esta clínica desde ${since}`, stoppedText: 'El trabajo sigue; lo registrado se acordará cuando vuelva a funcionar, lo que intenta por sí solo. Quien administra el servidor debe mirarlo:',
    halted: (since) => `Las organizaciones no han acordado nada desde ${since}`, haltedText: 'No se puede llegar a más de un tercio de ellas. El trabajo sigue; lo registrado se acordará cuando vuelvan.',
    wrong: 'Algo no está bien en la historia', none: 'Esta clínica no tiene registro común', noneText: 'Guarda su registro, y nadie más puede dar fe de él. Quien lleva el servidor puede activarlo.',
    readOnly: 'No se envía nada a las otras organizaciones hasta que se explique.', since: (time) => `desde ${time}`,
    alarms: { record: 'El registro no encaja', forked: 'El registro guardado aquí no es el que se acordó', shorter: 'El registro guardado aquí termina antes de lo acordado', line: 'Las claves de alguien no son las acordadas', halted: 'Las organizaciones no se ponen de acuerdo', fault: 'Una organización firmó dos historias', clock: 'El reloj de una organización va mal' },
    drawing: (agreed, waiting, here, of) => `El registro de la clínica: ${agreed} cosas acordadas, ${waiting} a la espera. ${here} de ${of} organizaciones conectadas.`, drawingBroken: 'El registro está roto.',
    members: 'Organizaciones', connected: 'Conectada', away: 'Sin conexión', self: 'esta clínica', power: (n) => `peso ${n}`, alone: 'Esta clínica está sola. Con otras, nadie puede reescribir la historia sin ellas: vea «Running a consortium» en la documentación.',
    votes: 'Por decidir', votesNone: 'No hay nada por decidir.', vote: { join: (name) => `${name} quiere unirse`, leave: (name) => `${name} debe salir`, power: (name) => `El peso de ${name} debe cambiar`, upgrade: (name) => `Nueva versión, desde el bloque ${name}` },
    yes: (names) => `A favor: ${names}`, yesNone: 'Nadie está a favor todavía.', needed: (have, need) => `${have} de ${need} votos necesarios`, voteYes: 'Votar a favor', voteNo: 'Retirar mi voto', voteTitle: (what) => `Votar a favor: ¿${what}?`, voteText: 'Las otras organizaciones ven su voto. Compruebe antes, por teléfono, que es lo que acordaron entre ustedes.',
    releases: 'Programas en uso', releasesLead: 'Las organizaciones pueden registrar qué programas son los suyos, para que se note uno cambiado.', program: { server: 'Servidor', app: 'Aplicación', firmware: 'Programas de los dispositivos' }, release: (n) => `versión ${n}`, newest: (n) => `la más nueva es la ${n}`, unrecorded: 'sin registrar', noKeys: 'Aquí no se registran versiones.', signedBy: (n, of) => `Claves que deben firmar una versión: ${n} de ${of}`,
    facts: 'En números', agreed: 'Acordado', agreedAt: 'Último acuerdo', log: 'Guardado aquí', behind: 'A la espera', links: 'Claves en camino', height: 'Bloque', chain: 'Nombre del registro común', root: 'Huella',
  },
} satisfies LedgerWords
