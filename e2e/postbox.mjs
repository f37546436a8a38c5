// A mail server that keeps what it is given: enough of SMTP (RFC 5321) to take a letter.

import { createServer } from 'node:net'

export class Postbox {
  letters = []

  static async open() {
    const box = new Postbox()
    box.server = createServer((socket) => box.take(socket))
    await new Promise((done) => box.server.listen(0, '127.0.0.1', done))
    box.address = `127.0.0.1:${box.server.address().port}`
    return box
  }

  take(socket) {
    let rest = ''
    let letter // its lines, while one comes in
    const to = []
    const answer = (line) => socket.write(`${line}\r\n`)
    socket.setEncoding('utf8').on('error', () => undefined).on('data', (data) => {
      const lines = (rest + data).split('\r\n')
      rest = lines.pop()
      for (const line of lines) {
        if (letter && line === '.') {
          this.letters.push({ to: [...to], text: readable(letter.join('\r\n')) })
          letter = undefined
          to.length = 0
          answer('250 kept')
        } else if (letter) letter.push(line.replace(/^\.\./, '.'))
        else if (/^DATA/i.test(line)) {
          letter = []
          answer('354 go on')
        } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
        else {
          if (/^RCPT TO:/i.test(line)) to.push(line.match(/<(.*)>/)?.[1])
          answer('250 ok')
        }
      }
    })
    answer('220 here')
  }

  /** The next letter, once it is there. */
  async next(seconds = 15) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
      const letter = this.letters.shift()
      if (letter) return letter
      await new Promise((done) => setTimeout(done, 100))
    }
    throw new Error(`no letter came in ${seconds} s`)
  }

  async close() { await new Promise((done) => this.server.close(done)) }
}

/** A letter with its lines whole and its quoted letters read (RFC 2045, 6.7). */
const readable = (text) => {
  const plain = text.replaceAll('=\r\n', '').replace(/(=[0-9A-F]{2})+/g, (coded) => Buffer.from(coded.replaceAll('=', ''), 'hex').toString('utf8'))
  return plain.replaceAll('\r\n', '\n')
}
