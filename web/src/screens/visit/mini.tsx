// The visit that goes on while its person looks at something else: one face in the corner, and the way back.

import type { JSX } from 'preact'
import { useWords } from '../../app/context.tsx'
import { Link } from '../../app/router.tsx'
import { Icon } from '../../parts/index.tsx'
import type { Call } from '../../visit/call.ts'
import { useView } from './index.tsx'
import { Tile } from './tile.tsx'

export default function Mini({ call }: { call: Call }): JSX.Element | null {
  const { w } = useWords()
  const view = useView(call)
  const other = view.present.find((p) => p.screen && !p.isMe) ?? view.present.find((p) => p.speaking && !p.isMe) ?? view.present.find((p) => !p.isMe) ?? view.present[0]
  return (
    <Link href={`/visit/${call.door.visit}`} class="mini no-print">
      {other && <Tile of={other} screen={other.screen !== undefined && !other.isMe} />}
      <span class="mini-words"><Icon name="camera" />{w.visit.call.miniBack}</span>
    </Link>
  )
}
