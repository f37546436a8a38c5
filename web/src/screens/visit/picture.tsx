// The code of a visit, drawn: four by four tiles, whose shapes differ as much as their colours.

import type { JSX } from 'preact'
import type { Tile } from '../../visit/code.ts'

// Each shape in a square of 20, drawn so that its quarter turns differ.
const shapes: readonly string[] = [
  'M2 2h16L2 18Z', 'M2 18a16 16 0 0 1 16-16v16Z', 'M2 2h8v16H2Z', 'M2 2h16v6H8v10H2Z',
  'M10 2l8 16H2Z', 'M2 10a8 8 0 0 1 16 0Z', 'M2 2h7v7H2ZM11 11h7v7h-7Z', 'M2 2l16 8-16 8Z',
]

export function CodePicture({ tiles, label }: { tiles: readonly Tile[]; label: string }): JSX.Element {
  return (
    <svg class="code-picture" viewBox="0 0 80 80" role="img" aria-label={label}>
      {tiles.map((t, i) => (
        <g key={i} transform={`translate(${(i % 4) * 20} ${Math.floor(i / 4) * 20}) rotate(${t.turn * 90} 10 10)`}><path class={`ink-${t.colour}`} d={shapes[t.shape] ?? ''} /></g>
      ))}
    </svg>
  )
}
