// What is shown instead of where someone sits: a calm room, drawn here, so that no picture comes from elsewhere. It
// holds nothing that tells of a place, a time or a person, and nothing written.

type Context = OffscreenCanvasRenderingContext2D

const width = 480
const height = 270

/** A wall with light from one side, a window, a shelf and a plant. Small: it is enlarged softly, as if a little out of focus. */
export function room(): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height)
  const to = context(canvas)
  wall(to)
  windowPane(to, 44, 30)
  shelf(to, 330, 92)
  plant(to, 424, 216)
  table(to)
  return canvas
}

/** What is shown while nothing else may be: the wall, and a figure that could be anyone. */
export function nobody(): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height)
  const to = context(canvas)
  wall(to)
  to.fillStyle = '#b4c7c2'
  circle(to, width / 2, 118, 40)
  to.beginPath()
  to.ellipse(width / 2, height + 6, 92, 98, 0, 0, 2 * Math.PI)
  to.fill()
  return canvas
}

export function context(canvas: OffscreenCanvas, settings?: CanvasRenderingContext2DSettings): Context {
  const to = canvas.getContext('2d', settings)
  if (!to) throw new Error('this browser draws no pictures away from the page')
  return to
}

function wall(to: Context): void {
  to.fillStyle = fade(to, 0, 0, width, height, ['#e6eeea', '#d6e2de', '#bfd0ca'])
  to.fillRect(0, 0, width, height)
}

function windowPane(to: Context, x: number, y: number): void {
  const w = 96
  const h = 124
  const light = to.createRadialGradient(x + w / 2, y + h / 2, 20, x + w / 2, y + h / 2, 230)
  light.addColorStop(0, 'rgba(255, 250, 232, 0.5)')
  light.addColorStop(1, 'rgba(255, 252, 240, 0)')
  to.fillStyle = light
  to.fillRect(0, 0, width, height)
  to.fillStyle = '#fbfaf5'
  rounded(to, x - 6, y - 6, w + 12, h + 12, 4)
  to.fillStyle = fade(to, x, y, x, y + h, ['#d8e9f2', '#eef5f3', '#dfeadb'])
  rounded(to, x, y, w, h, 2)
  to.fillStyle = '#c0d6c3' // trees, far away
  for (const [dx, dy, r] of [[18, 112, 22], [50, 118, 26], [82, 110, 20]] as const) clipped(to, x, y, w, h, () => circle(to, x + dx, y + dy, r))
  to.fillStyle = '#fbfaf5'
  to.fillRect(x + w / 2 - 2, y, 4, h)
  to.fillRect(x, y + h * 0.45, w, 4)
  to.fillStyle = '#f3efe4'
  rounded(to, x - 12, y + h + 4, w + 24, 8, 3)
}

function shelf(to: Context, x: number, y: number): void {
  to.fillStyle = fade(to, 0, y + 7, 0, y + 22, ['rgba(60, 84, 80, 0.16)', 'rgba(60, 84, 80, 0)'])
  to.fillRect(x + 2, y + 7, 112, 15)
  to.fillStyle = '#b98f68'
  rounded(to, x, y, 116, 7, 2)
  const books = ['#6f9c94', '#d9c7a0', '#8fb0b8', '#c98f78', '#4f7f7a', '#e6dcc6']
  let left = x + 8
  books.forEach((colour, i) => {
    const w = 9 + (i * 5) % 6
    const h = 34 + (i * 7) % 14
    to.fillStyle = colour
    rounded(to, left, y - h, w, h, 1)
    left += w + 1
  })
  to.fillStyle = '#f4f1e8'
  rounded(to, x + 84, y - 18, 18, 18, 5)
}

function plant(to: Context, x: number, y: number): void {
  to.strokeStyle = '#5d8a70'
  to.lineWidth = 2.5
  to.lineCap = 'round'
  for (const [dx, dy, lean] of [[-26, -54, -0.7], [-10, -76, -0.25], [10, -80, 0.25], [28, -58, 0.7], [0, -60, 0]] as const) {
    to.beginPath()
    to.moveTo(x, y)
    to.quadraticCurveTo(x + dx * 0.2, y + dy * 0.6, x + dx, y + dy)
    to.stroke()
    to.fillStyle = lean < 0 ? '#7fae8f' : '#6b9f80'
    to.beginPath()
    to.ellipse(x + dx, y + dy, 8, 19, lean, 0, 2 * Math.PI)
    to.fill()
  }
  to.fillStyle = '#d8b395'
  to.beginPath()
  to.moveTo(x - 17, y - 4)
  to.lineTo(x + 17, y - 4)
  to.lineTo(x + 12, y + 30)
  to.lineTo(x - 12, y + 30)
  to.fill()
}

function table(to: Context): void {
  to.fillStyle = fade(to, 0, 242, 0, height, ['#c49b74', '#ab835f'])
  to.fillRect(0, 244, width, height - 244)
}

function fade(to: Context, x0: number, y0: number, x1: number, y1: number, colours: readonly string[]): CanvasGradient {
  const gradient = to.createLinearGradient(x0, y0, x1, y1)
  colours.forEach((colour, i) => gradient.addColorStop(i / (colours.length - 1), colour))
  return gradient
}

function circle(to: Context, x: number, y: number, r: number): void {
  to.beginPath()
  to.arc(x, y, r, 0, 2 * Math.PI)
  to.fill()
}

function rounded(to: Context, x: number, y: number, w: number, h: number, r: number): void {
  to.beginPath()
  to.roundRect(x, y, w, h, r)
  to.fill()
}

function clipped(to: Context, x: number, y: number, w: number, h: number, draw: () => void): void {
  to.save()
  to.beginPath()
  to.rect(x, y, w, h)
  to.clip()
  draw()
  to.restore()
}
