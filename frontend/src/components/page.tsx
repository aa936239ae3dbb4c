import { useQuery } from "@tanstack/react-query"
import { type ReactNode, useEffect, useId } from "react"
import { statusQuery } from "../api/queries"

/** The head of a page: its title (also the tab's), one sentence, and at most one primary button. */
export function PageHead({
  title,
  text,
  children,
}: {
  title: string
  text?: ReactNode
  children?: ReactNode
}) {
  useTitle(title)
  return (
    <div className="head">
      <div>
        <h1>{title}</h1>
        {text && <p>{text}</p>}
      </div>
      {children && <div className="acts">{children}</div>}
    </div>
  )
}

/** What the tab says: the page, and the name that the operator gave the place. */
export function useTitle(title: string): void {
  const place = useQuery(statusQuery).data?.name
  useEffect(() => {
    document.title = place ? `${title} · ${place}` : title
  }, [title, place])
}

/** A section that opens with a strong rule. */
export function Block({
  title,
  children,
  id,
  className = "",
}: {
  title: string
  children: ReactNode
  id?: string
  className?: string
}) {
  const headId = useId()
  return (
    <section id={id} className={`blk ${className}`} aria-labelledby={headId}>
      <h2 id={headId}>{title}</h2>
      {children}
    </section>
  )
}

/** A section whose table carries the rule itself. */
export function Section({
  title,
  text,
  actions,
  children,
}: {
  title: string
  text?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) {
  const id = useId()
  return (
    <section className="sec" aria-labelledby={id}>
      <div className="sec-head">
        <h2 id={id}>{title}</h2>
        {text && <p>{text}</p>}
        {actions && <div className="acts">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
