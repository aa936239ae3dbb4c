import { useEffect, useRef, useState } from "react"

const SETTLES_MS = 250

/** Text that is typed here and kept in the address: shown at once, written to the address when typing pauses. */
export function useUrlText(inUrl: string, write: (text: string) => void): [string, (text: string) => void] {
  const [text, setText] = useState(inUrl)
  const written = useRef(inUrl)
  const latest = useRef(write)
  latest.current = write
  useEffect(() => {
    if (inUrl === written.current) return
    written.current = inUrl
    setText(inUrl)
  }, [inUrl])
  useEffect(() => {
    if (text === written.current) return
    const timer = setTimeout(() => {
      written.current = text
      latest.current(text)
    }, SETTLES_MS)
    return () => clearTimeout(timer)
  }, [text])
  return [text, setText]
}
