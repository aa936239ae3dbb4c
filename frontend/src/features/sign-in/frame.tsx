import type { ReactNode } from "react"
import { useTitle } from "../../components/page"

/** A narrow page with one task. */
export function Narrow({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  useTitle(title)
  return (
    <div className="mx-auto grid max-w-[25rem] gap-6 px-4 pt-12 pb-16 md:pt-20">
      <div>
        <h1 className="text-28">{title}</h1>
        <p className="mt-1 text-ink-2">{text}</p>
      </div>
      {children}
    </div>
  )
}
