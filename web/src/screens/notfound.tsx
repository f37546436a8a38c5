import type { JSX } from 'preact'
import { useWords } from '../app/context.tsx'
import { Button, Empty } from '../parts/index.tsx'

export default function NotFound(): JSX.Element {
  const { w } = useWords()
  return <><h1 tabIndex={-1}>{w.notFound.title}</h1><Empty icon="look" title={w.notFound.text}><Button href="/" icon="home">{w.notFound.home}</Button></Empty></>
}
